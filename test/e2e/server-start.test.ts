import assert from 'node:assert/strict';
import { it } from 'node:test';
import { listen } from '../../server/http/server.ts';

it('answers 503 from the moment the port is open, so that nobody hangs while it starts', async () => {
  const socket = await listen('127.0.0.1', 0);
  try {
    const answer = await fetch(`http://127.0.0.1:${socket.port}/readyz`, {
      signal: AbortSignal.timeout(5000),
    });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '1');
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  } finally {
    socket.close();
  }
});
