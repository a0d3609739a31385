import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import Database from 'better-sqlite3';
import { Updater } from 'tuf-js';

import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { encodeTuf, signTuf } from '../../protocol/trust/metadata.ts';
import { buildRootSigned } from '../../protocol/trust/root-file.ts';
import { DAY_MS, HOUR_MS } from '../support/clock.ts';
import type { TestOfficer } from '../support/officers.ts';
import { makeOfficers, peopleOf, signRoot, signTargets } from '../support/officers.ts';
import { expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('TUF metadata', () => {
  let world: World;
  let folder: string;
  before(async () => {
    // tuf-js reads the real clock.
    world = await openWorld();
    world.clock.set(Math.floor(Date.now() / 1000) * 1000);
    await world.server.restart();
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-tuf-'));
  });
  after(async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  interface Metadata {
    signed: { version: number; expires: string };
  }
  const read = async (name: string): Promise<Metadata> => {
    const client = world.server.client(world.operator(0).key);
    return expectStatus(await client.get(`/tuf/${name}`), 200).json<Metadata>();
  };

  it('is accepted by a TUF client that knows nothing of us', async () => {
    const story = await world.another();
    await story.arm();
    const metadataDir = join(folder, 'metadata');
    await mkdir(metadataDir);
    await writeFile(join(metadataDir, 'root.json'), world.server.rootBytes);
    const asOperator = world.server.client(world.operator(0).key);
    // Adds the proofs that a stock client cannot make.
    const proxy = createServer((req, res) => {
      void asOperator.get(req.url ?? '').then((answer) => {
        res.writeHead(answer.status).end(answer.bytes);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const updater = new Updater({
      metadataDir,
      metadataBaseUrl: `http://127.0.0.1:${port}/tuf`,
      targetDir: folder,
      targetBaseUrl: `http://127.0.0.1:${port}/blobs`,
      config: { fetchRetry: 0 },
    });
    await updater.refresh();
    const { sha256, size } = story.sealed.bundle;
    const target = await updater.getTargetInfo(`bundles/${sha256}.age`);
    assert.equal(target?.length, size);
    assert.equal(await updater.getTargetInfo('bundles/other.age'), undefined);
    proxy.close();
  });

  it('is for the enrolled, but for the roots', async () => {
    const anyone = world.server.client();
    const root = expectStatus(await anyone.get('/tuf/1.root.json'), 200);
    assert.deepEqual(root.bytes, world.server.rootBytes);
    for (const name of ['timestamp.json', '1.snapshot.json', '1.targets.json', 'x']) {
      assert.equal((await anyone.get(`/tuf/${name}`)).status, 401, name);
    }
    assert.equal((await anyone.get('/tuf/2.root.json')).status, 404);
  });

  it('is signed anew before it expires, and never goes back', async () => {
    const [before, snapshotBefore] = [await read('timestamp.json'), await read('1.snapshot.json')];
    assert.equal(Date.parse(before.signed.expires) > world.clock.now(), true);
    world.clock.advance(DAY_MS / 2 + HOUR_MS);
    await world.server.restart();
    const after = await read('timestamp.json');
    assert.equal(after.signed.version, before.signed.version + 1);
    assert.ok(Date.parse(after.signed.expires) > Date.parse(before.signed.expires));
    await world.server.restart();
    assert.equal((await read('timestamp.json')).signed.version, after.signed.version);
    world.clock.advance(4 * DAY_MS);
    await world.server.restart();
    const snapshots = await Promise.all(['2', '3'].map((n) => read(`${n}.snapshot.json`)));
    assert.ok(snapshots.every(({ signed }) => signed.version > snapshotBefore.signed.version));
  });
});

describe('roots that an older release has kept as files alone', () => {
  it('are taken over with the leaf that they have in the log', async () => {
    await using world = await openWorld();
    await world.server.sequence();
    interface Listed {
      roots: { version: number; sha256: string; leafIndex: number | null }[];
    }
    const list = async (): Promise<Listed['roots']> =>
      expectStatus(await world.server.client().get('/v1/trust/roots'), 200).json<Listed>().roots;
    const [before] = await list();
    assert.ok(before?.leafIndex !== null);
    await world.server.stop();
    const database = new Database(join(world.server.dataDirectory, 'sealdrop.sqlite'));
    database.prepare('DELETE FROM trust_roots').run();
    database.close();
    await world.server.restart();
    await world.server.sequence();
    const after = await list();
    assert.deepEqual(
      after.map(({ version, sha256, leafIndex }) => ({ version, sha256, leafIndex })),
      [{ version: 1, sha256: world.server.rootSha256, leafIndex: before?.leafIndex }],
    );
  });
});

describe('the root of trust', () => {
  let world: World;
  let rootFile: string;
  before(async () => {
    world = await openWorld();
    rootFile = join(dirname(world.server.dataDirectory), 'root.json');
  });
  after(() => world.close());

  /** The next root, with these people, signed by the old and the new. */
  const nextRoot = (officers: readonly TestOfficer[], version: number): Uint8Array => {
    const { root } = world.server;
    const signed = buildRootSigned({ ...root, version, people: peopleOf(officers) });
    const signers = new Set([...world.server.officers, ...officers].map((it) => it.root));
    return encodeTuf(signed, signTuf(signed, ...signers));
  };

  it('may be the one in use, but not another of its version, nor one too far ahead', async () => {
    await world.server.restart();
    const original = await readFile(rootFile);
    const other = signRoot(
      { ...world.server.root, expires: '2030-01-01T00:00:00Z' },
      world.server.officers,
    );
    await writeFile(rootFile, other);
    await assert.rejects(world.server.restart(), /differs from the one in use/);
    await writeFile(rootFile, nextRoot(world.server.officers, 3));
    await assert.rejects(world.server.restart(), /version is not the next/);
    await writeFile(rootFile, utf8Encode('{}'));
    await assert.rejects(world.server.restart(), { code: 'trust_invalid' });
    await writeFile(rootFile, original);
    await world.server.restart();
  });

  it('is refused when too few of the people before signed the next one', async () => {
    const original = await readFile(rootFile);
    const [first, second] = world.server.officers;
    assert.ok(first && second);
    const signed = buildRootSigned({ ...world.server.root, version: 2 });
    await writeFile(rootFile, encodeTuf(signed, signTuf(signed, first.root, second.root)));
    await assert.rejects(world.server.restart(), { code: 'threshold_unmet' });
    await writeFile(rootFile, original);
    await world.server.restart();
  });

  it('is followed when the next one is handed over, and who left it is out', async () => {
    const { server } = world;
    const leaving = world.officer(4);
    expectStatus(await server.client(leaving.signing).get('/v1/campaigns'), 200);
    const [newcomer] = (await makeOfficers(6)).slice(5);
    assert.ok(newcomer);
    const staying = server.officers.slice(0, 4);
    await writeFile(rootFile, nextRoot([...staying, newcomer], 2));
    await writeFile(
      join(dirname(rootFile), 'targets.json'),
      signTargets(2, [], staying, world.clock.now()),
    );
    world.clock.advance(1000);
    await server.restart();

    const anyone = server.client();
    expectStatus(await anyone.get('/tuf/1.root.json'), 200);
    expectStatus(await anyone.get('/tuf/2.root.json'), 200);
    expectStatus(await server.client(newcomer.signing).get('/v1/campaigns'), 200);
    const left = await server.client(leaving.signing).get('/v1/campaigns');
    assert.deepEqual(problemOf(left), { status: 401, type: 'login_required' });
    expectStatus(await server.client(newcomer.signing).get('/tuf/2.targets.json'), 200);

    // Also when the older file is handed over again, or none.
    await server.restart();
    expectStatus(await anyone.get('/tuf/2.root.json'), 200);
    const stale = await world.story.directive('commit');
    await world.story.uploadCiphertext();
    const answer = await world.story.submit(world.officer(0), stale);
    assert.equal(answer.status, 422, 'it names root 1');
  });
});
