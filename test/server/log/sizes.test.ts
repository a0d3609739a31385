import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import express from 'express';

import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { concatBytes, equalBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeEntries } from '../../../protocol/log/entries.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { logRoutes } from '../../../server/http/log-routes.ts';
import { notFound, problems } from '../../../server/http/problem.ts';
import { publishedLog } from '../../../server/services/log/published.ts';
import { openSequencer } from '../../../server/services/log/sequencer.ts';
import { LOG_SIGNER, numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';
import type { OpenLog } from '../../support/log.ts';

/** Published one after the other, each from the one before it. */
const SIZES = [0, 1, 255, 256, 257, 600, 65_793, 70_000];

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** A tree computed from the definition in C2SP tlog-tiles, by none of the code under test. */
function expectedTiles(entries: readonly Uint8Array[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const name = (level: string, n: number, width: number): string => {
    const index = n < 1000 ? '' : `x${String(Math.floor(n / 1000)).padStart(3, '0')}/`;
    const partial = width === 256 ? '' : `.p/${width}`;
    return `tile/${level}/${index}${String(n % 1000).padStart(3, '0')}${partial}`;
  };
  const cut = <T>(
    items: readonly T[],
    level: string,
    encode: (part: readonly T[]) => Uint8Array,
  ): void => {
    for (let n = 0; n * 256 < items.length; n++) {
      const part = items.slice(n * 256, n * 256 + 256);
      files.set(name(level, n, part.length), encode(part));
    }
  };
  cut(entries, 'entries', encodeEntries);
  let hashes = entries.map(leafHash);
  for (let level = 0; hashes.length > 0; level++) {
    cut(hashes, String(level), (part) => concatBytes(...part));
    const parents: Uint8Array[] = [];
    for (let n = 0; (n + 1) * 256 <= hashes.length; n++) {
      parents.push(rootOf(hashes.slice(n * 256, n * 256 + 256)));
    }
    hashes = parents;
  }
  return files;
}

describe('tlog-tiles over HTTP, at every size on the way to 70,000 leaves', () => {
  const cleanup = new AsyncDisposableStack();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let log: OpenLog;
  let server: Server;
  let published = 0;
  /** Of every size published so far. */
  const partials = new Map<string, Uint8Array>();
  const leaves = Array.from({ length: 70_000 }, (_, n) => utf8Encode(numberedLeaf(n)));

  async function get(path: string, method = 'GET'): Promise<Answer> {
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ agent, port, path: `/log/${path}`, method });
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body = Buffer.concat((await incoming.toArray()) as Buffer[]);
    return { status: incoming.statusCode, headers: incoming.headers, body };
  }

  before(async () => {
    const directory = cleanup.use(await temporaryFolder());
    log = cleanup.use(openLog(directory.path));
    const app = express()
      .use(logRoutes({ log: publishedLog(LOG_SIGNER.name, log.deps.files) }))
      .use(notFound)
      .use(problems(log.deps.logger));
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  after(async () => {
    agent.destroy();
    server.close();
    await cleanup.disposeAsync();
  });

  for (const size of SIZES) {
    it(`serves ${size} leaves whole, byte for byte, and nothing beyond`, async () => {
      // One batch: how a size was reached must not matter.
      const sequencer = await openSequencer({ ...log.deps, maxBatch: 70_000 });
      for (let first = published; first < size; first += 10_000) {
        await log.enqueue(first, Math.min(10_000, size - first));
      }
      await sequencer.sequenceOnce();
      published = size;

      const { body: note } = await get('checkpoint');
      const checkpoint = openCheckpoint(
        Buffer.from(note).toString(),
        LOG_SIGNER.name,
        [LOG_SIGNER],
        verifyEd25519,
      );
      assert.equal(checkpoint.size, size);
      const entries = leaves.slice(0, size);
      assert.deepEqual(checkpoint.root, rootOf(entries.map(leafHash)));

      const tiles = expectedTiles(entries);
      for (const [path, bytes] of tiles) {
        const { status, headers, body } = await get(path);
        assert.equal(status, 200, path);
        assert.ok(equalBytes(body, bytes), `${path} is another one`);
        assert.equal(headers['content-type'], 'application/octet-stream');
        assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
        assert.equal(headers['access-control-allow-origin'], '*');
      }
      for (const path of beyond(size)) {
        const { status, headers } = await get(path);
        assert.equal(status, 404, path);
        assert.equal(headers['cache-control'], 'no-store', path);
      }
      // Whoever still has an older checkpoint finds its partial tiles, on every level.
      for (const [path, bytes] of partials) {
        assert.ok(equalBytes((await get(path)).body, bytes), `${path} of an older size`);
      }
      for (const [path, bytes] of tiles) if (path.includes('.p/')) partials.set(path, bytes);
    });
  }

  it('keeps what it has published when the next checkpoint is only being prepared', async () => {
    await log.enqueue(published, 5);
    const sequencer = await openSequencer({
      ...log.deps,
      heads: { ...log.deps.heads, advance: () => Promise.reject(new Error('power cut')) },
    });
    await assert.rejects(sequencer.sequenceOnce(), { message: 'power cut' });
    const path = pathOf('0', 273, 117);
    assert.ok((await log.deps.files.readTile({ level: 0, index: 273, width: 117 })) !== undefined);
    assert.equal((await get(path)).status, 404, 'stored, and not served');
    assert.equal((await get(pathOf('entries', 273, 117))).status, 404);
    assert.equal((await get(pathOf('0', 273, 112))).status, 200);
    const head = await get(pathOf('0', 273, 112), 'HEAD');
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.body.length],
      [200, '3584', 0],
    );
    assert.equal((await get(path, 'HEAD')).status, 404);
  });
});

function pathOf(level: string, n: number, width: number): string {
  return `tile/${level}/${String(n).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`;
}

/** One leaf more, one tile more and one level more than there are. */
function beyond(size: number): string[] {
  const paths: string[] = [];
  for (const level of ['0', '1', '2', '3', 'entries']) {
    const count = level === 'entries' ? size : Math.floor(size / 256 ** Number(level));
    const [n, width] = [Math.floor(count / 256), count % 256];
    paths.push(pathOf(level, n, width + 1), pathOf(level, n, 256), pathOf(level, n + 1, 1));
  }
  return paths;
}
