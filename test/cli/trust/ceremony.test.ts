import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../../../cli/command.ts';
import { officerInitCommand } from '../../../cli/commands/officer-init.ts';
import { trustInitCommand } from '../../../cli/commands/trust-init.ts';
import { trustSignCommand } from '../../../cli/commands/trust-sign.ts';
import { openHome } from '../../../cli/home/home.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../../protocol/encoding/json.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { verifyInitialRoot } from '../../../protocol/trust/root-verify.ts';
import { buildTargets, verifyTargets } from '../../../protocol/trust/tuf.ts';
import { testContext } from '../support/context.ts';
import { makeParties, makeTrust, trustInitOptions, type Officer } from '../support/parties.ts';

const [ALICE, BOB, CAROL] = ['alice', 'bob', 'carol'] as const;

function officer(officers: readonly Officer[], id: string): Officer {
  const found = officers.find((it) => it.id === id);
  if (found === undefined) throw new Error(`no officer ${id}`);
  return found;
}

async function copyOf(from: string, to: string): Promise<string> {
  await mkdir(to);
  for (const name of ['root.json', 'targets.json']) {
    await writeFile(join(to, name), await readFile(join(from, name)));
  }
  return to;
}

describe('officer init', () => {
  it('keeps secrets to the owner and puts nothing secret in the card', async () => {
    await using parties = await makeParties(ALICE);
    const { context, card } = officer(parties.officers, ALICE);
    const home = openHome(context);
    for (const name of ['officer.json', 'officer-root.json']) {
      assert.equal((await stat(home.path('keys', name))).mode & 0o777, 0o600);
    }
    const text = await readFile(card, 'utf8');
    const secrets = await home.officerKeys();
    assert.doesNotMatch(text, /PRIVATE KEY|AGE-SECRET-KEY/);
    for (const name of ['officer.json', 'officer-root.json']) {
      const { seed } = JSON.parse(await readFile(home.path('keys', name), 'utf8')) as {
        seed: string;
      };
      assert.equal(text.includes(seed), false);
    }
    assert.match(text, new RegExp(secrets.signer.publicKey));
  });

  it('refuses to replace keys', async () => {
    await using parties = await makeParties(ALICE);
    const { context } = officer(parties.officers, ALICE);
    const before = await openHome(context).officerKeys();
    await assert.rejects(runCommand(officerInitCommand, { options: { id: 'alice' } }, context), {
      name: 'CliError',
    });
    assert.equal((await openHome(context).officerKeys()).signer.publicKey, before.signer.publicKey);
  });

  it('refuses keys that others can read', async () => {
    await using parties = await makeParties(ALICE);
    const { context } = officer(parties.officers, ALICE);
    const home = openHome(context);
    await chmod(home.path('keys', 'officer.json'), 0o640);
    await assert.rejects(home.officerKeys(), { name: 'ExposedSecretError' });
  });

  it('refuses an id that is none', async () => {
    await using context = await testContext();
    await assert.rejects(runCommand(officerInitCommand, { options: { id: 'Alice!' } }, context), {
      name: 'UsageError',
    });
  });
});

describe('trust init and trust sign', () => {
  it('make a root and empty targets that the threshold of people signed', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const out = await makeTrust(parties);
    const bytes = new Uint8Array(await readFile(join(out, 'root.json')));
    const root = verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519);
    assert.deepEqual([...root.people.keys()].sort(), ['alice', 'bob', 'carol']);
    const targets = verifyTargets(
      new Uint8Array(await readFile(join(out, 'targets.json'))),
      root,
      verifyEd25519,
    );
    assert.deepEqual(targets.people, ['alice', 'bob']);
    assert.deepEqual(targets.targets.bundles, []);
    const { said } = officer(parties.officers, BOB).context;
    assert.match(said.stdout, new RegExp(`sha256 ${sha256Hex(bytes)}`));
  });

  it('names no pin while a signature is missing', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const { context } = officer(parties.officers, ALICE);
    const out = join(parties.folder, 'half');
    await runCommand(trustInitCommand, { options: trustInitOptions(parties, out) }, context);
    assert.match(context.said.stdout, /missing +1 of 2 signatures/);
    assert.doesNotMatch(context.said.stdout, /root\.json +sha256/);
    const bytes = new Uint8Array(await readFile(join(out, 'root.json')));
    assert.throws(() => verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519), {
      code: 'threshold_unmet',
    });
  });

  it('make the same bytes whoever signs first', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const out = join(parties.folder, 'first');
    const options = { ...trustInitOptions(parties, out), threshold: '3' };
    await runCommand(trustInitCommand, { options }, officer(parties.officers, ALICE).context);
    const other = await copyOf(out, join(parties.folder, 'second'));
    for (const [folder, order] of [
      [out, [BOB, CAROL]],
      [other, [CAROL, BOB]],
    ] as const) {
      for (const id of order) {
        await runCommand(
          trustSignCommand,
          { args: [folder] },
          officer(parties.officers, id).context,
        );
      }
    }
    for (const name of ['root.json', 'targets.json']) {
      assert.deepEqual(await readFile(join(out, name)), await readFile(join(other, name)));
    }
  });

  it('make the same bytes when a file was reordered or reformatted on its way', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const out = join(parties.folder, 'plain');
    const { context } = officer(parties.officers, ALICE);
    await runCommand(trustInitCommand, { options: trustInitOptions(parties, out) }, context);
    const other = await copyOf(out, join(parties.folder, 'reordered'));
    const { signed, signatures } = JSON.parse(
      await readFile(join(other, 'root.json'), 'utf8'),
    ) as Record<string, object>;
    const reversed = Object.fromEntries(Object.entries(signed ?? {}).reverse());
    await writeFile(
      join(other, 'root.json'),
      JSON.stringify({ signed: reversed, signatures }, null, 4),
    );
    for (const folder of [out, other]) {
      const bob = officer(parties.officers, BOB).context;
      await runCommand(trustSignCommand, { args: [folder] }, bob);
    }
    assert.deepEqual(
      await readFile(join(out, 'root.json')),
      await readFile(join(other, 'root.json')),
    );
  });

  it('add nothing to a complete root, whose digest may be published', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const out = await makeTrust(parties);
    const before = await readFile(join(out, 'root.json'));
    const { context } = officer(parties.officers, CAROL);
    await runCommand(trustSignCommand, { args: [out] }, context);
    assert.deepEqual(await readFile(join(out, 'root.json')), before);
    assert.match(context.said.stderr, /nothing was added/);
  });

  for (const purpose of ['root', 'signing', 'age', 'openpgp']) {
    it(`refuse to sign another ${purpose} key under one's own name`, async () => {
      await using parties = await makeParties(ALICE, BOB, CAROL, 'mallory');
      const [bob, mallory] = [officer(parties.officers, BOB), officer(parties.officers, 'mallory')];
      const card = JSON.parse(await readFile(bob.card, 'utf8')) as Record<string, string>;
      const other = JSON.parse(await readFile(mallory.card, 'utf8')) as Record<string, string>;
      await writeFile(bob.card, JSON.stringify({ ...card, [purpose]: other[purpose] }));
      const three = { ...parties, officers: parties.officers.slice(0, 3) };
      const out = join(parties.folder, 'swapped');
      const { context } = officer(parties.officers, ALICE);
      await runCommand(trustInitCommand, { options: trustInitOptions(three, out) }, context);
      const before = await readFile(join(out, 'root.json'));
      await assert.rejects(runCommand(trustSignCommand, { args: [out] }, bob.context), {
        code: 'trust_invalid',
        message: new RegExp(`the ${purpose} key listed for bob`),
      });
      assert.deepEqual(await readFile(join(out, 'root.json')), before);
    });
  }

  it('refuse first targets that already approve a bundle', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const { context } = officer(parties.officers, ALICE);
    const out = join(parties.folder, 'loaded');
    await runCommand(trustInitCommand, { options: trustInitOptions(parties, out) }, context);
    const root = parseRoot(new Uint8Array(await readFile(join(out, 'root.json'))));
    const loaded = buildTargets({
      version: 1,
      expires: root.expires,
      bundles: [{ sha256: 'ab'.repeat(32), size: 1 }],
    });
    const { signer } = await openHome(context).officerKeys();
    await writeFile(join(out, 'targets.json'), encodeTuf(loaded, signTuf(loaded, signer)));
    const bob = officer(parties.officers, BOB).context;
    await assert.rejects(runCommand(trustSignCommand, { args: [out] }, bob), {
      code: 'trust_invalid',
    });
  });

  it('refuse a signature that does not hold', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const { context } = officer(parties.officers, ALICE);
    const out = join(parties.folder, 'broken');
    await runCommand(trustInitCommand, { options: trustInitOptions(parties, out) }, context);
    const path = join(out, 'root.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as {
      signatures: { keyid: string; sig: string }[];
      signed: object;
    };
    const signatures = json.signatures.map(({ keyid }) => ({ keyid, sig: '00'.repeat(64) }));
    await writeFile(path, encodeJson({ ...json, signatures }));
    const bob = officer(parties.officers, BOB).context;
    await assert.rejects(runCommand(trustSignCommand, { args: [out] }, bob), {
      code: 'signature_invalid',
    });
  });

  it('refuse thresholds under which two halves could decide', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL, 'dave');
    const options = trustInitOptions(parties, join(parties.folder, 'weak'));
    const { context } = officer(parties.officers, ALICE);
    await assert.rejects(runCommand(trustInitCommand, { options }, context), {
      code: 'trust_invalid',
    });
  });

  it('refuse two cards of one person, a foreign network id and a folder in use', async () => {
    await using parties = await makeParties(ALICE, BOB, CAROL);
    const { context, card } = officer(parties.officers, ALICE);
    const options = trustInitOptions(parties, join(parties.folder, 'never'));
    const wrong = [
      { ...options, officer: [card, card] },
      { ...options, network: 'solana:mainnet' },
      { ...options, threshold: '4' },
      { ...options, shareThreshold: '1', threshold: '3' },
      { ...options, officer: [card], threshold: '1', shareThreshold: '1' },
      { ...options, expires: '0' },
    ];
    for (const bad of wrong) {
      await assert.rejects(runCommand(trustInitCommand, { options: bad }, context), {
        name: 'UsageError',
      });
    }
    const used = { ...options, out: parties.folder };
    await assert.rejects(runCommand(trustInitCommand, { options: used }, context), {
      name: 'OutputExistsError',
    });
  });
});
