import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { followRoots, loadTrust, refreshTrust } from '../../../cli/client/trust.ts';
import { connect } from '../../../cli/client/connect.ts';
import { runCommand } from '../../../cli/command.ts';
import { configShowCommand } from '../../../cli/commands/config-show.ts';
import { trustAddCommand } from '../../../cli/commands/trust-add.ts';
import { trustShowCommand } from '../../../cli/commands/trust-show.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { openHome } from '../../../cli/home/home.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot } from '../../../protocol/trust/root-file.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { testContext } from '../support/context.ts';
import { makeParties, makeTrust, type Parties } from '../support/parties.ts';
import { serveFiles } from '../support/static-server.ts';

async function rootFile(folder: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(folder, 'root.json')));
}

/** A next root as `parties`' first `signers` officers sign it. */
async function nextRoot(parties: Parties, root: TrustRoot, signers: number): Promise<Uint8Array> {
  const signed = buildRootSigned({ ...root, version: root.version + 1 });
  const keys = await Promise.all(
    parties.officers.slice(0, signers).map(({ context }) => openHome(context).officerRootKey()),
  );
  return encodeTuf(signed, signTuf(signed, ...keys.map(({ signer }) => signer)));
}

interface World extends AsyncDisposable {
  readonly parties: Parties;
  /** The first root and its digest. */
  readonly bytes: Uint8Array;
  readonly pin: string;
  /** What the server serves, by path. */
  readonly files: Map<string, Uint8Array>;
}

async function served(): Promise<World> {
  const parties = await makeParties('alice', 'bob', 'carol');
  const bytes = await rootFile(await makeTrust(parties));
  return {
    parties,
    bytes,
    pin: sha256Hex(bytes),
    files: new Map([['/tuf/1.root.json', bytes]]),
    [Symbol.asyncDispose]: () => parties[Symbol.asyncDispose](),
  };
}

describe('trust add', () => {
  it('trusts a root with the published digest, and shows whom that means', async () => {
    await using world = await served();
    const { pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    const add = { args: [server.url], options: { rootSha256: pin } };
    await runCommand(trustAddCommand, add, context);
    await runCommand(trustAddCommand, add, context);
    assert.deepEqual(await openHome(context).config(), { server: server.url, rootSha256: pin });
    assert.match(context.said.stdout, /decisions +2 of 3 people/);
    assert.match(context.said.stdout, /OpenPGP +([0-9A-F]{4} ){9}[0-9A-F]{4}\n/);

    await using shown = await testContext({ home: context.home, json: true });
    await runCommand(trustShowCommand, {}, shown);
    assert.equal(shown.said.summary()['rootSha256'], pin);
    await runCommand(configShowCommand, {}, context);
    assert.match(context.said.stdout, new RegExp(`pin +${pin}`));
  });

  it('refuses a root with another digest and remembers nothing', async () => {
    await using world = await served();
    const { files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    const add = { args: [server.url], options: { rootSha256: 'ab'.repeat(32) } };
    await assert.rejects(runCommand(trustAddCommand, add, context), { code: 'trust_invalid' });
    assert.equal(await openHome(context).findConfig(), undefined);
  });

  it('refuses a new pin where one is stored, with exit code 6', async () => {
    await using world = await served();
    const { pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    await runCommand(
      trustAddCommand,
      { args: [server.url], options: { rootSha256: pin } },
      context,
    );
    const other = { args: [server.url], options: { rootSha256: 'cd'.repeat(32) } };
    const error: unknown = await runCommand(trustAddCommand, other, context).catch(
      (it: unknown) => it,
    );
    assert.equal(exitCodeOf(error), 6);
    assert.match(String(error), /by voice/);
    assert.equal((await openHome(context).config()).rootSha256, pin);
  });

  it('refuses a root that too few people signed, even under its own digest', async () => {
    await using world = await served();
    const { bytes, files } = world;
    const { signed, signatures } = JSON.parse(Buffer.from(bytes).toString()) as {
      signed: object;
      signatures: { keyid: string; sig: string }[];
    };
    const weak = encodeTuf(signed, signatures.slice(0, 1));
    files.set('/tuf/1.root.json', weak);
    await using server = await serveFiles(files);
    await using context = await testContext();
    const add = { args: [server.url], options: { rootSha256: sha256Hex(weak) } };
    await assert.rejects(runCommand(trustAddCommand, add, context), { code: 'threshold_unmet' });
  });

  it('refuses a root that has expired', async () => {
    await using world = await served();
    const { pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext({ now: () => Date.now() + 366 * 86_400_000 });
    const add = { args: [server.url], options: { rootSha256: pin } };
    await assert.rejects(runCommand(trustAddCommand, add, context), {
      code: 'trust_invalid',
      message: /expired/,
    });
  });

  it('takes https anywhere and plain http only on this machine', async () => {
    await using context = await testContext();
    const options = { rootSha256: 'ab'.repeat(32) };
    for (const url of [
      'http://patches.example.org',
      'ftp://127.0.0.1',
      'nonsense',
      'https://u@h',
    ]) {
      await assert.rejects(runCommand(trustAddCommand, { args: [url], options }, context), {
        name: 'UsageError',
      });
    }
  });
});

describe('the chain of roots', () => {
  it('is followed to the newest root, which old and new people must have signed', async () => {
    await using world = await served();
    const { parties, bytes, pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    await runCommand(
      trustAddCommand,
      { args: [server.url], options: { rootSha256: pin } },
      context,
    );
    const home = openHome(context);
    const client = await connect(context, home);

    files.set('/tuf/2.root.json', await nextRoot(parties, parseRoot(bytes), 1));
    await assert.rejects(refreshTrust(home, client), { code: 'threshold_unmet' });
    assert.equal((await loadTrust(home)).root.version, 1);

    files.set('/tuf/2.root.json', await nextRoot(parties, parseRoot(bytes), 2));
    assert.equal((await refreshTrust(home, client)).root.version, 2);
    assert.deepEqual([...(await loadTrust(home)).roots.keys()], [1, 2]);
  });

  it('does not go back when newer roots are lost or hidden', async () => {
    await using world = await served();
    const { parties, bytes, pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    files.set('/tuf/2.root.json', await nextRoot(parties, parseRoot(bytes), 2));
    await runCommand(
      trustAddCommand,
      { args: [server.url], options: { rootSha256: pin } },
      context,
    );
    const home = openHome(context);
    await rm(home.path('trust', '2.root.json'));
    await assert.rejects(loadTrust(home), { name: 'CliError' });
    files.delete('/tuf/2.root.json');
    await assert.rejects(refreshTrust(home, await connect(context, home)), {
      code: 'trust_invalid',
    });
  });

  it('begins with version 1, whatever was pinned, and has an end', async () => {
    await using world = await served();
    const { parties, bytes, pin } = world;
    const roots = [bytes];
    const read = (version: number): Promise<Uint8Array | undefined> =>
      Promise.resolve(roots[version - 1]);
    while (roots.length < 257) {
      roots.push(await nextRoot(parties, parseRoot(roots.at(-1) ?? bytes), 2));
    }
    assert.equal((await followRoots(pin, read)).root.version, 257);
    roots.push(await nextRoot(parties, parseRoot(roots.at(-1) ?? bytes), 2));
    await assert.rejects(followRoots(pin, read), { message: /more than 256 roots/ });

    const [, second = bytes] = roots;
    await assert.rejects(
      followRoots(sha256Hex(second), (version) => read(version + 1)),
      { message: /not version 1/ },
    );
  });

  it('is verified from the pin again whenever it is loaded', async () => {
    await using world = await served();
    const { bytes, pin, files } = world;
    await using server = await serveFiles(files);
    await using context = await testContext();
    await runCommand(
      trustAddCommand,
      { args: [server.url], options: { rootSha256: pin } },
      context,
    );
    const home = openHome(context);
    await writeFile(home.path('trust', '1.root.json'), `${Buffer.from(bytes).toString()} `);
    await assert.rejects(loadTrust(home), { code: 'trust_invalid' });
  });
});
