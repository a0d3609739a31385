import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ProblemError } from '../../../cli/errors.ts';
import { directorySource, serverSource, type LogSource } from '../../../cli/log/source.ts';
import { checkTree, type CheckedTree, type TreeOptions } from '../../../cli/log/tree/check-tree.ts';
import { findLeaves, verifyLeaves } from '../../../cli/log/tree/scan-hashes.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { toHex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint, type Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeEntries } from '../../../protocol/log/entries.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { tilesOf } from '../../../protocol/log/tiles.ts';
import {
  flip,
  LOG_SIGNER,
  publish,
  sealedLeaves,
  writeLog,
  type LogFiles,
} from './support/served-log.ts';

/** A log of these leaves as a server would give it. */
async function served(leaves: readonly string[]): Promise<LogFiles> {
  const files: LogFiles = new Map();
  await publish(files, leaves);
  return files;
}

function sourceOf(files: LogFiles): LogSource {
  const get = (path: string): Promise<Uint8Array> => {
    const bytes = files.get(`/log/${path}`);
    if (bytes === undefined) throw new ProblemError(404, 'not_found', 'no such tile');
    return Promise.resolve(bytes.slice());
  };
  return serverSource({
    checkpoint: async () => utf8Decode(await get('checkpoint')),
    tile: async (path) => get(path),
  });
}

async function checkpointOf(source: LogSource): Promise<Checkpoint> {
  const note = await source.checkpoint();
  return openCheckpoint(note, LOG_SIGNER.name, [LOG_SIGNER], verifyEd25519);
}

/** Check a log as served, and as files with one thread and with three; all have to say the same. */
async function checkEverywhere(files: LogFiles, options: TreeOptions = {}): Promise<CheckedTree> {
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-tree-'));
  try {
    await writeLog(directory, files);
    const tries: (() => Promise<CheckedTree>)[] = [
      async () => checkTree(sourceOf(files), await checkpointOf(sourceOf(files)), options),
      ...[1, 3].map((threads) => async () => {
        const source = directorySource(directory);
        return checkTree(source, await checkpointOf(source), { ...options, threads });
      }),
    ];
    const outcomes = await Promise.allSettled(tries.map((attempt) => attempt()));
    const [first, ...others] = outcomes.map((outcome) =>
      outcome.status === 'fulfilled'
        ? outcome.value
        : `${String(outcome.reason)} ${(outcome.reason as { code?: string }).code ?? ''}`,
    );
    for (const other of others) assert.deepEqual(other, first);
    const [{ status, ...outcome }] = outcomes as [PromiseSettledResult<CheckedTree>];
    if (status === 'rejected') throw (outcome as { reason: unknown }).reason;
    return (outcome as { value: CheckedTree }).value;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const rootAt = (leaves: readonly string[], size: number): Uint8Array =>
  rootOf(leaves.slice(0, size).map((leaf) => leafHash(utf8Encode(leaf))));

describe('checkTree', () => {
  it('accepts an honest log of every size, and has read each of its tiles', async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 600, 16_384, 17_000, 66_000]) {
      const leaves = sealedLeaves(size);
      const { counts, tiles } = await checkEverywhere(await served(leaves));
      assert.deepEqual(counts, size === 0 ? {} : { sealed: size });
      assert.equal(tiles, [...tilesOf(size)].length);
    }
  });

  it('counts leaves of all types', async () => {
    const leaves = [
      ...sealedLeaves(300),
      'opened/v1 3\n',
      'dummy/v1 4-290\n',
      'withheld/v1 291 hidden-campaign\n',
      `open/v1 snapshot ${'a'.repeat(64)}\n`,
      ...sealedLeaves(20, 'more'),
    ];
    const { counts } = await checkEverywhere(await served(leaves));
    assert.deepEqual(counts, { sealed: 320, opened: 1, dummy: 1, withheld: 1, snapshot: 1 });
  });

  it('goes on from any boundary of tiles, and makes the older root on the way', async () => {
    const leaves = sealedLeaves(66_000);
    const files = await served(leaves);
    for (const older of [1, 256, 300, 65_536, 65_600, 66_000]) {
      const start = Math.floor(older / 256) * 256;
      const options = { start, older, counted: older };
      const { olderRoot, counts } = await checkTree(
        sourceOf(files),
        await checkpointOf(sourceOf(files)),
        options,
      );
      assert.deepEqual(olderRoot, rootAt(leaves, older), `${older}`);
      assert.equal(counts.sealed ?? 0, leaves.length - older);
    }
    const whole = await checkEverywhere(files, { start: 0, older: 300 });
    assert.deepEqual(whole.olderRoot, rootAt(leaves, 300));
    assert.equal(whole.counts.sealed, leaves.length);
  });

  it('refuses a flipped bit in any kind of tile, and a tile that is missing', async () => {
    const size = 66_000;
    const honest = await served(sealedLeaves(size));
    for (const [path, at] of [
      ['/log/tile/entries/007', 40],
      ['/log/tile/entries/257.p/208', 77 * 207 + 40],
      ['/log/tile/0/007', 8191],
      ['/log/tile/0/257.p/208', 0],
      ['/log/tile/1/000', 5000],
      ['/log/tile/1/001.p/1', 31],
      ['/log/tile/2/000.p/1', 7],
    ] as const) {
      const changed = new Map(honest);
      flip(changed, path, at);
      const code = /^\/log\/tile\/entries/.test(path) ? /_invalid/ : /proof_invalid/;
      await assert.rejects(checkEverywhere(changed), { code }, path);
      const less = new Map(honest);
      less.delete(path);
      await assert.rejects(checkEverywhere(less), { code: 'proof_invalid' }, `${path} missing`);
    }
    await checkEverywhere(honest);
  });

  it('refuses tiles that fit each other but not the signed root', async () => {
    const files = await served(sealedLeaves(600));
    const other = await served(sealedLeaves(600, 'other'));
    const checkpoint = files.get('/log/checkpoint') ?? new Uint8Array();
    await assert.rejects(checkEverywhere(new Map(other).set('/log/checkpoint', checkpoint)), {
      code: 'proof_invalid',
    });
  });

  it('refuses leaves that are not in the grammar, though the log has signed them', async () => {
    const hex = 'a'.repeat(64);
    for (const leaf of [
      `sealed/v1 ${hex.toUpperCase()}\n`,
      `sealed/v1 ${hex.slice(1)}g\n`,
      `sealed/v2 ${hex}\n`,
      `sealed/v1 ${hex}\r`,
      `sealed/v1 ${hex}`,
      `sealed/v1 ${hex}\n\n`,
      'opened/v1 700\n', // itself
      'dummy/v1 5-700\n',
      'opened/v1 900\n',
      '\u00e9\n',
      '\n',
      '',
    ]) {
      const files = await served([...sealedLeaves(700), leaf, ...sealedLeaves(10, 'more')]);
      await assert.rejects(checkEverywhere(files), { code: 'leaf_invalid' }, JSON.stringify(leaf));
    }
    const honest = [...sealedLeaves(700), 'opened/v1 699\n', ...sealedLeaves(10, 'more')];
    await checkEverywhere(await served(honest));
  });

  it('refuses a bundle with less or more in it than its leaves', async () => {
    const leaves = sealedLeaves(300);
    const honest = await served(leaves);
    const bundle = honest.get('/log/tile/entries/000') ?? new Uint8Array();
    const changes: [string, Uint8Array][] = [
      ['one leaf more', encodeEntries(leaves.slice(0, 257).map(utf8Encode))],
      ['one leaf less', encodeEntries(leaves.slice(0, 255).map(utf8Encode))],
      ['a byte less', bundle.subarray(0, -1)],
      ['a byte more', new Uint8Array([...bundle, 10])],
      ['a length that leads out of it', bundle.with(bundle.length - 77, 1)],
      ['far too much', new Uint8Array([...bundle, ...new Uint8Array(200_000)])],
      ['nothing', new Uint8Array()],
    ];
    for (const [what, bytes] of changes) {
      const files = new Map(honest).set('/log/tile/entries/000', bytes);
      await assert.rejects(checkEverywhere(files), { name: 'ProtocolError' }, what);
    }
  });

  it('reads bundles of long leaves, up to what a bundle may hold', async () => {
    // Not leaves of ours, so refused in the end, but for that reason and not for their length.
    const long = Array.from({ length: 256 }, () => 'x'.repeat(65_535));
    await assert.rejects(checkEverywhere(await served(long)), { code: 'leaf_invalid' });
  });
});

describe('looking for leaves', () => {
  const leaves = sealedLeaves(700);
  const hashes = leaves.map((leaf) => toHex(leafHash(utf8Encode(leaf))));
  const [stranger = ''] = sealedLeaves(1, 'other').map((it) => toHex(leafHash(utf8Encode(it))));
  const wanted = new Set([hashes[3] ?? '', hashes[650] ?? '', stranger]);

  it('finds what is there, from a place on, and nothing else', async () => {
    const source = sourceOf(await served(leaves));
    const found = await findLeaves(source, 700, wanted);
    assert.deepEqual([...found.values()], [3, 650]);
    assert.deepEqual([...(await findLeaves(source, 700, wanted, 300)).values()], [650]);
    const all = await verifyLeaves(source, await checkpointOf(source), wanted);
    assert.deepEqual([...all.values()], [3, 650]);
  });

  it('says nothing of a log whose tiles do not make its root', async () => {
    const files = await served(leaves);
    const checkpoint = await checkpointOf(sourceOf(files));
    flip(files, '/log/tile/0/000', 3 * 32);
    await assert.rejects(verifyLeaves(sourceOf(files), checkpoint, wanted), {
      code: 'proof_invalid',
    });
  });
});
