import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import express from 'express';
import helmet from 'helmet';

import { parseEntries } from '../../../protocol/log/entries.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth, tilesOf } from '../../../protocol/log/tiles.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { logRoutes } from '../../../server/http/log-routes.ts';
import { notFound, problems } from '../../../server/http/problem.ts';
import { publishedLog } from '../../../server/services/log/published.ts';
import { openSequencer } from '../../../server/services/log/sequencer.ts';
import { LOG_SIGNER, numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';
import type { OpenLog } from '../../support/log.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

describe('the log over HTTP', () => {
  let log: OpenLog;
  let server: Server;
  const cleanup = new AsyncDisposableStack();

  /** Sends the path as it is: `fetch` would tidy it up first. */
  async function get(path: string, method = 'GET'): Promise<Answer> {
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ port, path, method, headers: { 'Accept-Encoding': 'gzip, br' } });
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body = Buffer.concat((await incoming.toArray()) as Buffer[]);
    return { status: incoming.statusCode, headers: incoming.headers, body };
  }

  before(async () => {
    const directory = cleanup.use(await temporaryFolder());
    log = cleanup.use(openLog(directory.path));
    const app = express()
      .use(helmet())
      .use(logRoutes({ log: publishedLog(LOG_SIGNER.name, log.deps.files) }))
      .use(notFound)
      .use(problems(log.deps.logger));
    server = app.listen(0);
    await once(server, 'listening');
  });

  after(async () => {
    server.close();
    await cleanup.disposeAsync();
  });

  it('answers 404 before the first checkpoint', async () => {
    assert.equal((await get('/log/checkpoint')).status, 404);
    assert.equal((await get('/log/tile/0/000.p/1')).status, 404);
  });

  it('serves the checkpoint as published, fresh', async () => {
    const sequencer = await openSequencer({ ...log.deps, maxBatch: 300 });
    for (const [first, count] of [
      [0, 3],
      [3, 297],
    ] as const) {
      await log.enqueue(first, count);
      await sequencer.sequenceOnce();
      const { status, headers, body } = await get('/log/checkpoint');
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(headers['content-length'], String(body.length));
      assert.deepEqual(body, await readFile(join(log.folder, 'checkpoint')));
      assert.match(body.toString(), new RegExp(`^${LOG_SIGNER.name}\n${first + count}\n`));
    }
  });

  it('serves every tile and bundle that the checkpoint implies, for ever', async () => {
    for (const tile of tilesOf(300)) {
      const { status, headers, body } = await get(`/log/${formatTilePath(tile)}`);
      assert.equal(status, 200, formatTilePath(tile));
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(headers['content-encoding'], undefined);
      assert.deepEqual(body, await readFile(join(log.folder, formatTilePath(tile))));
    }
    const { body } = await get('/log/tile/entries/001.p/44');
    assert.deepEqual(
      parseEntries(body, 44).map(utf8Decode),
      Array.from({ length: 44 }, (_, i) => numberedLeaf(256 + i)),
    );
    // What an earlier checkpoint implied stays, cut out of the full tile.
    for (const path of ['tile/0/000.p/3', 'tile/entries/000.p/3']) {
      const { status, headers, body } = await get(`/log/${path}`);
      assert.deepEqual([status, headers['content-length']], [200, String(body.length)]);
      await assert.rejects(readFile(join(log.folder, path)), { code: 'ENOENT' });
      const full = await readFile(join(log.folder, path.replace('.p/3', '')));
      assert.deepEqual(body, full.subarray(0, path.includes('entries') ? 3 * 77 : 3 * 32));
    }
  });

  it('serves timestamps as they are kept, for ever, and which there are', async () => {
    assert.equal((await get('/log/timestamps/index')).status, 404);
    const { files } = log.deps;
    await files.writeTimestamp(300, utf8Encode('note'), Uint8Array.of(0x30, 0));
    await files.writeTimestamp(3, utf8Encode('older'), Uint8Array.of(0x30, 1));
    const forEver = 'public, max-age=31536000, immutable';
    for (const [name, type, cache] of [
      ['300.tsr', 'application/timestamp-reply', forEver],
      ['300.checkpoint', 'text/plain; charset=utf-8', forEver],
      ['index', 'text/plain; charset=utf-8', 'no-cache'],
    ] as const) {
      const { status, headers, body } = await get(`/log/timestamps/${name}`);
      assert.equal(status, 200, name);
      assert.equal(headers['content-type'], type);
      assert.equal(headers['cache-control'], cache);
      assert.deepEqual(body, await readFile(join(log.folder, 'timestamps', name)));
    }
    assert.equal((await get('/log/timestamps/index')).body.toString(), '3\n300\n');
    const { status, headers } = await get('/log/timestamps/44.tsr');
    assert.deepEqual([status, headers['cache-control']], [404, 'no-store']);
    for (const name of ['', '03.tsr', '3.TSR', '3', '3.tsr/', '%33.tsr', '../checkpoint', '.x']) {
      assert.equal((await get(`/log/timestamps/${name}`)).status, 400, name);
    }
  });

  it('lets pages of other sites read all of it, and adds no ETag', async () => {
    for (const path of [
      '/log/checkpoint',
      '/log/tile/0/000',
      '/log/tile/0/999',
      '/log/tile/x',
      '/log/timestamps/300.tsr',
      '/log/timestamps/x',
    ]) {
      const { headers } = await get(path);
      assert.equal(headers['access-control-allow-origin'], '*', path);
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', path);
      assert.equal(headers.etag, undefined);
    }
  });

  it('answers HEAD with the same headers and no body', async () => {
    const { status, headers, body } = await get('/log/tile/0/000', 'HEAD');
    assert.deepEqual([status, headers['content-length'], body.length], [200, '8192', 0]);
  });

  it('answers 404, which no cache may keep, for what the checkpoint does not imply', async () => {
    for (const path of [
      'tile/0/001',
      'tile/0/001.p/45',
      'tile/0/002.p/1',
      'tile/1/000',
      'tile/1/000.p/2',
      'tile/2/000.p/1',
      'tile/63/000',
      'tile/entries/001.p/45',
      'tile/0/x009/x007/x199/x254/x740/991',
      // Never the width of a checkpoint, and the tile is not full yet.
      'tile/0/001.p/4',
    ]) {
      const { status, headers } = await get(`/log/${path}`);
      assert.equal(status, 404, path);
      assert.equal(headers['cache-control'], 'no-store', path);
    }
  });

  it('does not show that the log is about to grow', async () => {
    const stored = (path: string): Promise<Buffer> => readFile(join(log.folder, path));
    const hashes = [leafHash(utf8Encode(numberedLeaf(300)))];
    const files = await tilesForGrowth(300, hashes, (level, index, width) =>
      stored(formatTilePath({ level, index, width })),
    );
    await log.deps.files.writeTiles(files);
    assert.equal((await stored('tile/0/001.p/45')).length, 45 * 32);
    assert.equal((await get('/log/tile/0/001.p/45')).status, 404);
    assert.equal((await get('/log/tile/0/001.p/44')).status, 200);
  });

  it('answers 400 to a path of any other spelling', async () => {
    for (const path of [
      'tile/',
      'tile/0/',
      'tile/0/0',
      'tile/0/0000',
      'tile/00/000',
      'tile/64/000',
      'tile/0/000/',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/0/000.p/03',
      'tile/0/x000/001',
      'tile/../checkpoint',
      'tile/0/../0/000',
      'tile/0/%2e%2e/0/000',
      'tile/%2e%2e/checkpoint',
      'tile/..%2fcheckpoint',
      'tile/0%2f000',
      'tile/0/%30%30%30',
      'tile/0/000%00',
      'tile/%zz',
      'tile/0/..\\..\\checkpoint',
      'tile/Entries/000',
      'tile//0/000',
    ]) {
      const { status, body } = await get(`/log/${path}`);
      assert.equal(status, 400, path);
      assert.ok(!body.includes('%') && !body.includes('..'), 'the path is not repeated');
    }
  });

  it('answers 404 beside its own paths', async () => {
    for (const path of [
      '/log',
      '/log/',
      '/log/checkpoint/',
      '/log/Checkpoint',
      '/LOG/checkpoint',
      '/log/tile',
      '/log/../sealdrop.sqlite',
      '/log/%2e%2e/sealdrop.sqlite',
      '/log/.checkpoint.0123456789abcdef',
    ]) {
      assert.equal((await get(path)).status, 404, path);
    }
  });
});
