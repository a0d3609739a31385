import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { signerFromSeed } from '../../../platform/ed25519.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../../protocol/signature/verifier-key.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { ConfigError } from '../../../server/config.ts';
import { signRoot } from '../../support/officers.ts';
import { expectStatus, problemOf } from '../../support/story.ts';
import { startTestServer } from '../../support/test-server.ts';
import { threeWitnesses, type ThreeWitnesses } from '../../support/witnesses.ts';
import { openWorld } from '../../support/world.ts';

/** Where the clock of a world stands. */
const NOW = (): number => Date.parse('2026-11-20T12:00:00Z');

describe('a server whose root has a witness policy', () => {
  it('takes no arm below the quorum, from whatever client', async () => {
    let made: ThreeWitnesses | undefined;
    await using world = await openWorld({
      witnessPolicy: async (logKey) => {
        made = await threeWitnesses(logKey, NOW);
        return made.policy;
      },
    });
    if (made === undefined) throw new Error('the root has a policy');
    await using witnesses = made;
    const { story, server } = world;
    await story.uploadCiphertext();
    await story.decide('commit');
    await story.putSignatures();
    await story.decide('notify');
    await Promise.all(witnesses.all.slice(1).map((it) => it.stop()));
    await server.sequence();
    const arm = await story.directive('arm');
    const refused = problemOf(await story.submit(world.officer(0), arm));
    assert.equal(refused.status, 409);
    // An abort must not wait for witnesses.
    expectStatus(await story.submit(world.officer(1), await story.directive('abort')), 200);
    await Promise.all(witnesses.all.slice(1).map((it) => it.start()));
    await world.another();
    await server.sequence();
    await story.decide('arm');
    assert.equal(await story.status(), 'armed');
  });
});

describe('the witness policy of the configuration', () => {
  it('is used without one in the root; a bad one keeps the server from starting', async () => {
    await using server = await startTestServer();
    await using witnesses = await threeWitnesses(server.root.logKey, Date.now);
    const path = join(server.dataDirectory, 'policy');
    await writeFile(path, witnesses.policy);
    await server.restartWith({ WITNESS_POLICY: path });
    await server.sequence();
    const note = await (await fetch(`${server.url}/log/checkpoint`)).text();
    assert.equal(note.split('\n').filter((line) => line.includes('.example ')).length, 3);
    assert.equal(await (await fetch(`${server.url}/readyz`)).text(), 'ok\n');
    const foreign = formatVerifierKey(
      'log.example',
      NOTE_ED25519,
      signerFromSeed(new Uint8Array(32)).publicKey,
    );
    for (const text of ['quorum x\n', `log ${foreign}\n${witnesses.policy}`]) {
      await writeFile(path, text);
      await assert.rejects(server.restartWith({ WITNESS_POLICY: path }), ConfigError);
    }
    await server.restartWith({});
  });
});

describe('the witness policy of a root', () => {
  it('is signed with it, and must be about this log and exactly these witnesses', async () => {
    await using server = await startTestServer();
    await using witnesses = await threeWitnesses(server.root.logKey, Date.now);
    const { root, officers } = server;
    const witnessPolicy = parsePolicy(witnesses.policy);
    const listed = witnesses.all.map(({ verifier: { name, keyId, type, publicKey } }) => ({
      name,
      keyId,
      type,
      publicKey,
    }));
    const signed = (changes: object): Uint8Array =>
      signRoot({ ...root, witnesses: listed, witnessPolicy, ...changes }, officers);
    const parsed = parseRoot(signed({}));
    assert.equal(parsed.witnessPolicy?.text, witnesses.policy);
    assert.deepEqual(parsed.witnesses, listed);
    assert.throws(() => signed({ witnesses: listed.slice(1) }), { code: 'trust_invalid' });
    assert.throws(() => signed({ witnesses: [] }), { code: 'trust_invalid' });
    const other = formatVerifierKey(
      root.origin,
      NOTE_ED25519,
      signerFromSeed(new Uint8Array(32)).publicKey,
    );
    const about = (vkey: string): object => ({
      witnessPolicy: parsePolicy(`log ${vkey}\n${witnesses.policy}`),
    });
    assert.throws(() => signed(about(other)), { code: 'trust_invalid' });
    const own = formatVerifierKey(root.origin, NOTE_ED25519, root.logKey.publicKey);
    parseRoot(signed(about(own)));
    const text = new TextDecoder().decode(signed({}));
    assert.throws(
      () => parseRoot(new TextEncoder().encode(text.replace('most 2 w1', 'most 9 w1'))),
      {
        code: 'policy_invalid',
      },
    );
  });
});
