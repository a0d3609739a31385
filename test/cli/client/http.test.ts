import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connectTo } from '../../../cli/client/connect.ts';
import { digestFile } from '../../../cli/client/download.ts';
import { readBody, sendRequest } from '../../../cli/client/http.ts';
import { collectPages, type Page } from '../../../cli/client/pages.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { testContext } from '../support/context.ts';
import { listen } from '../support/static-server.ts';

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail('it should have failed'),
    (error: unknown) => error,
  );

describe('a request', () => {
  it('follows no redirect', async () => {
    let asked = 0;
    await using server = await listen((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await using context = await testContext();
    const error = await failure(connectTo(context, server.url).checkpoint());
    assert.match(String(error), /redirect, which is never followed/);
    assert.equal(exitCodeOf(error), 1);
    assert.equal(asked, 1);
  });

  it('stops reading at the limit, however long the answer goes on', async () => {
    let isCut = false;
    await using server = await listen((_request, response) => {
      response.on('close', () => {
        isCut = true;
      });
      const more = (): void => {
        while (!isCut && response.write('x'.repeat(65_536)));
        if (!isCut) response.once('drain', more);
      };
      more();
    });
    await using context = await testContext();
    const answer = await sendRequest(context, { method: 'GET', url: new URL(server.url) });
    await assert.rejects(readBody(answer, 1_000_000), { code: 'too_large' });
  });

  it('turns a problem into its status, code and detail', async () => {
    const problem = {
      type: 'urn:sealdrop:problem:not_released',
      title: 'not released',
      status: 425,
      detail: 'it is before the release time',
    };
    await using server = await listen((_request, response) => {
      response
        .writeHead(425, { 'content-type': 'application/problem+json', 'retry-after': '7' })
        .end(JSON.stringify(problem));
    });
    await using context = await testContext();
    const error = await failure(connectTo(context, server.url).releaseKey('SDX-2026-7KQ4'));
    assert.deepEqual(
      { ...(error as object), message: (error as Error).message },
      {
        name: 'ProblemError',
        message: problem.detail,
        status: 425,
        code: 'not_released',
        retryAfterMs: 7000,
        advice: 'wait for the release time and repeat the command',
      },
    );
    assert.equal(exitCodeOf(error), 3);
  });

  it('takes the status of an error page that is no problem document', async () => {
    await using server = await listen((_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    });
    await using context = await testContext();
    const error = await failure(connectTo(context, server.url).commitments());
    assert.match(String(error), /answered 502/);
    assert.equal(exitCodeOf(error), 5);
  });

  it('refuses an answer of another shape', async () => {
    await using server = await listen((_request, response) => {
      response.end('{"commitments":[],"extra":1}');
    });
    await using context = await testContext();
    await assert.rejects(connectTo(context, server.url).commitments(), {
      code: 'encoding_invalid',
    });
  });

  it('names the host that cannot be reached, and may be retried', async () => {
    const gone = createServer();
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    await using context = await testContext();
    const error = await failure(connectTo(context, `http://127.0.0.1:${port}`).checkpoint());
    assert.match(
      String(error),
      new RegExp(`cannot reach 127\\.0\\.0\\.1:${port} \\(ECONNREFUSED\\)`),
    );
    assert.equal(exitCodeOf(error), 5);
  });

  it('gives up on a server that is too slow, also in the middle of an answer', async () => {
    await using server = await listen((request, response) => {
      if (request.url === '/half') response.write('half of it');
    });
    await using context = await testContext();
    for (const path of ['/silent', '/half']) {
      const url = new URL(path, server.url);
      const asking = async (): Promise<unknown> =>
        readBody(await sendRequest(context, { method: 'GET', url, timeoutMs: 50 }), 100);
      const error = await failure(asking());
      assert.match(String(error), /too slow/);
      assert.equal(exitCodeOf(error), 5);
    }
  });

  it('ends when the person interrupts it', async () => {
    const interrupt = new AbortController();
    await using server = await listen(() => {
      interrupt.abort();
    });
    await using context = await testContext({ signal: interrupt.signal });
    const error = await failure(connectTo(context, server.url).checkpoint());
    assert.equal(exitCodeOf(error), 130);
  });

  it('reads lists to their end, and refuses one that has none', async () => {
    const queries: (string | undefined)[] = [];
    let endless = false;
    await using server = await listen((request, response) => {
      queries.push(request.url);
      const after = Number(/after=(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
      const seqs = endless ? [1] : [after + 1, after + 2].filter((seq) => seq <= 3);
      const event = { at: '2026-11-20T14:00:00.000Z', type: 'created', detail: '' };
      response.end(JSON.stringify({ events: seqs.map((seq) => ({ ...event, seq })) }));
    });
    await using context = await testContext();
    const client = connectTo(context, server.url);
    const events = await client.events('SDX-2026-7KQ4');
    assert.deepEqual(
      events.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.equal(queries.length, 3);
    endless = true;
    await assert.rejects(client.events('SDX-2026-7KQ4'), { code: 'encoding_invalid' });
  });

  it('reads no list beyond a limit, though its positions rise for ever', async () => {
    let asked = 0;
    const page = (query: string): Promise<Page<number>> => {
      asked += 1;
      return Promise.resolve({ entries: [Number(query.slice('?after='.length)) + 1], bytes: 10 });
    };
    const position = (seq: number): number => seq;
    await assert.rejects(collectPages(page, position, { maxBytes: 1000 }), { code: 'too_large' });
    assert.equal(asked, 101);
  });
});

describe('a download', () => {
  const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
  const digest = sha256Hex(bytes);

  it('is kept only as exactly the expected bytes', async () => {
    let served = bytes;
    await using server = await listen((_request, response) => {
      response.end(served);
    });
    await using context = await testContext();
    const client = connectTo(context, server.url);
    const path = join(context.home, 'bundle.age');
    await client.downloadBlob(digest, bytes.length, path);
    assert.deepEqual(new Uint8Array(await readFile(path)), bytes);

    const changed = bytes.with(7, 0);
    for (const [wrong, code] of [
      [changed, 'commitment_mismatch'],
      [bytes.subarray(1), 'commitment_mismatch'],
      [new Uint8Array([...bytes, 0]), 'too_large'],
    ] as const) {
      served = wrong;
      const target = `${path}.${code}`;
      await assert.rejects(client.downloadBlob(digest, bytes.length, target), { code });
      await assert.rejects(access(target), { code: 'ENOENT' });
    }
  });

  it('leaves nothing behind when the connection breaks', async () => {
    await using server = await listen((_request, response) => {
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    });
    await using context = await testContext();
    const path = join(context.home, 'bundle.age');
    const error = await failure(
      connectTo(context, server.url).downloadBlob(digest, bytes.length, path),
    );
    assert.equal(exitCodeOf(error), 5);
    await assert.rejects(access(path), { code: 'ENOENT' });
  });

  it('replaces no file', async () => {
    await using server = await listen((_request, response) => {
      response.end(bytes);
    });
    await using context = await testContext();
    const path = join(context.home, 'bundle.age');
    await writeFile(path, 'mine');
    await assert.rejects(connectTo(context, server.url).downloadBlob(digest, bytes.length, path), {
      code: 'EEXIST',
    });
    assert.equal(await readFile(path, 'utf8'), 'mine');
  });
});

describe('an upload', () => {
  it('streams the file as it is', async () => {
    const received: Buffer[] = [];
    await using server = await listen((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => response.writeHead(201).end());
    });
    await using context = await testContext();
    const path = join(context.home, 'bundle.age');
    await writeFile(path, Buffer.alloc(1_000_000, 'sealed'));
    const { sha256, size } = await digestFile(path);
    assert.equal(size, 1_000_000);
    await connectTo(context, server.url).uploadBlob(path, sha256);
    assert.equal(sha256Hex(Buffer.concat(received)), sha256);
  });
});
