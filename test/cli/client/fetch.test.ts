import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { sturdyFetch } from '../../../cli/client/fetch.ts';

describe('fetch', () => {
  // With the fetch of Node 24.21 this ends the process at the first request.
  it('survives a server that closes the connection while we still read', async () => {
    const body = Buffer.alloc(200_000, 'x');
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n');
          socket.end(body);
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const response = await sturdyFetch(`http://127.0.0.1:${port}/`);
      let length = 0;
      for await (const chunk of response.body ?? []) {
        length += (chunk as Uint8Array).length;
        await wait(2);
      }
      assert.equal(length, body.length);
    }
    server.close();
  });
});
