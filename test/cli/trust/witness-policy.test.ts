import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { runCommand } from '../../../cli/command.ts';
import { trustInitCommand } from '../../../cli/commands/trust-init.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { formatVerifierKey, NOTE_COSIGNATURE } from '../../../protocol/signature/verifier-key.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { startStage } from '../officer/support/stage.ts';
import { makeParties, trustInitOptions } from '../support/parties.ts';

const vkey = (n: number): string =>
  formatVerifierKey(
    `w${n}.example`,
    NOTE_COSIGNATURE,
    signerFromSeed(new Uint8Array(32).fill(200 + n)).publicKey,
  );
const policyOf = (...ns: readonly number[]): string =>
  [
    ...ns.map((n) => `witness w${n} ${vkey(n)}`),
    `group most 2 ${ns.map((n) => `w${n}`).join(' ')}`,
    'quorum most',
    '',
  ].join('\n');

describe('the witness policy of a root', () => {
  it('is written by trust init as it stands in the file, and shown to whoever signs', async () => {
    await using parties = await makeParties('alice', 'bob', 'carol');
    const [first] = parties.officers;
    if (first === undefined) throw new Error('three officers');
    const file = join(parties.folder, 'policy');
    await writeFile(file, policyOf(1, 2, 3));
    const out = join(parties.folder, 'trust');
    const options = { ...trustInitOptions(parties, out), witnessPolicy: file };
    await runCommand(trustInitCommand, { options }, first.context);
    const root = parseRoot(new Uint8Array(await readFile(join(out, 'root.json'))));
    assert.equal(root.witnessPolicy?.text, policyOf(1, 2, 3));
    assert.deepEqual(
      root.witnesses.map(({ name }) => name),
      ['w1.example', 'w2.example', 'w3.example'],
    );
    assert.match(first.context.said.stdout, /2 of \(w1\.example, w2\.example, w3\.example\)/);

    await writeFile(file, policyOf(1, 2, 3).replace('most 2', 'most 4'));
    await assert.rejects(runCommand(trustInitCommand, { options }, first.context), {
      name: 'UsageError',
      message: /line 4: 4 of 3 cannot be met/,
    });
  });

  it('changes by trust rotate as a whole, never one witness alone', async () => {
    await using stage = await startStage({
      witnessPolicy: () => Promise.resolve(policyOf(1, 2, 3)),
    });
    const file = join(stage.folder, 'policy');
    await writeFile(file, policyOf(2, 3, 4));
    const rotate = (name: string, more: Record<string, string | string[]>): Promise<unknown> =>
      stage.run('ada', 'trust rotate', { expires: '365', out: join(stage.folder, name), ...more });
    for (const change of [{ witness: [vkey(4)] }, { removeWitness: ['w1.example'] }]) {
      await assert.rejects(rotate('alone', change), {
        name: 'UsageError',
        message: /lists all witnesses/,
      });
    }
    await rotate('next', { witnessPolicy: file });
    const root = parseRoot(new Uint8Array(await readFile(join(stage.folder, 'next', 'root.json'))));
    assert.equal(root.version, 2);
    assert.equal(root.witnessPolicy?.text, policyOf(2, 3, 4));
    await rotate('kept', {});
    const kept = parseRoot(new Uint8Array(await readFile(join(stage.folder, 'kept', 'root.json'))));
    assert.equal(kept.witnessPolicy?.text, policyOf(1, 2, 3));
  });
});
