import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { expectStatus, problemOf } from '../support/story.ts';
import { makeProof, tokenHash } from '../support/session.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

/** Looks like an age file from outside, which is all the server can see. */
function ageLike(size: number, fill = 7): Uint8Array {
  const bytes = new Uint8Array(size).fill(fill);
  bytes.set(utf8Encode('age-encryption.org/v1\n-> X25519 '));
  return bytes;
}

describe('ciphertext', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ env: { MAX_BLOB_BYTES: '400000' } });
  });
  after(() => world.close());

  const asOfficer = (): ReturnType<World['server']['client']> =>
    world.server.client(world.officer(0).signing);
  const put = (bytes: Uint8Array, name = sha256Hex(bytes)) =>
    asOfficer().put(`/blobs/sha256/${name}`, bytes);
  const filesIn = async (folder: string): Promise<string[]> => {
    const path = join(world.server.dataDirectory, 'blobs', folder);
    return (await readdir(path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  };

  it('is stored under its own digest, and storing it again changes nothing', async () => {
    const bytes = ageLike(1000);
    expectStatus(await put(bytes), 204);
    expectStatus(await put(bytes), 204);
    const answer = expectStatus(await asOfficer().get(`/blobs/sha256/${sha256Hex(bytes)}`), 200);
    assert.deepEqual(answer.bytes, bytes);
    assert.equal(answer.headers.get('etag'), `"${sha256Hex(bytes)}"`);
    assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  });

  it('is refused when it is other content, no age file, or too long; nothing is left', async () => {
    const before = await filesIn('');
    const other = await put(ageLike(1000, 8), sha256Hex(ageLike(1000, 9)));
    assert.deepEqual(problemOf(other), { status: 422, type: 'refused' });
    for (const plain of [
      utf8Encode('diff --git a/bank.rs b/bank.rs\n'),
      utf8Encode('age'),
      new Uint8Array(),
      utf8Encode('age-encryption.org/v1\n-> scrypt '),
    ]) {
      assert.deepEqual(problemOf(await put(plain)), { status: 422, type: 'refused' });
    }
    const long = await put(ageLike(400_001)).then(problemOf, () => undefined);
    if (long !== undefined) assert.deepEqual(long, { status: 413, type: 'payload_too_large' });
    const name = await put(ageLike(100), 'A'.repeat(64));
    assert.equal(name.status, 400);
    assert.deepEqual(await filesIn(''), before);
  });

  it('is refused as soon as more comes than was announced', async () => {
    const { server } = world;
    const bytes = ageLike(500_000);
    const path = `/blobs/sha256/${sha256Hex(bytes)}`;
    const officer = world.officer(0).signing;
    const token = await asOfficer().token();
    const dpop = makeProof(officer, 'PUT', `${server.url}${path}`, world.clock.now(), {
      claims: { ath: tokenHash(token) },
    });
    const status = await new Promise<number>((resolve, reject) => {
      const upload = request(
        `${server.url}${path}`,
        {
          method: 'PUT',
          headers: {
            authorization: `DPoP ${token}`,
            dpop,
            'content-type': 'application/octet-stream',
            'transfer-encoding': 'chunked',
          },
        },
        (answer) => {
          resolve(answer.statusCode ?? 0);
          answer.resume();
        },
      );
      upload.on('error', reject);
      upload.write(bytes.subarray(0, 450_000));
    });
    assert.equal(status, 413);
    assert.deepEqual(await filesIn('incoming'), []);
  });

  it('is refused from anybody but officers, and in any other dress', async () => {
    const bytes = ageLike(100);
    const path = `/blobs/sha256/${sha256Hex(bytes)}`;
    assert.equal((await world.server.client().put(path, bytes)).status, 401);
    assert.equal((await world.server.client(world.operator(0).key).put(path, bytes)).status, 403);
    const typed = await asOfficer().request('PUT', path, { bytes, type: 'text/plain' });
    assert.deepEqual(problemOf(typed), { status: 415, type: 'unsupported_media_type' });
    const encoded = await asOfficer().request('PUT', path, {
      bytes,
      headers: { 'content-encoding': 'gzip' },
    });
    assert.equal(encoded.status, 415);
  });

  it('leaves nothing behind when the sender goes away', async () => {
    const { server } = world;
    const bytes = ageLike(300_000, 3);
    const path = `/blobs/sha256/${sha256Hex(bytes)}`;
    const token = await asOfficer().token();
    const officer = world.officer(0).signing;
    const dpop = makeProof(officer, 'PUT', `${server.url}${path}`, world.clock.now(), {
      claims: { ath: tokenHash(token) },
    });
    await new Promise<void>((resolve) => {
      const upload = request(`${server.url}${path}`, {
        method: 'PUT',
        headers: {
          authorization: `DPoP ${token}`,
          dpop,
          'content-type': 'application/octet-stream',
          'content-length': bytes.length,
        },
      });
      upload.on('error', () => {
        resolve();
      });
      upload.write(bytes.subarray(0, 100_000), () => {
        upload.destroy(new Error('gone'));
      });
    });
    // The server notices when the socket closes; the next answer comes after that.
    while ((await filesIn('incoming')).length > 0) await asOfficer().get('/healthz');
    assert.equal((await asOfficer().get(path)).status, 404);
    expectStatus(await put(bytes), 204);
  });

  it('can be fetched in ranges that are never spliced from two versions', async () => {
    await world.story.arm();
    const { sha256, bytes } = world.story.sealed.bundle;
    const asOperator = world.server.client(world.operator(0).key);
    const part = await asOperator.request('GET', `/blobs/sha256/${sha256}`, {
      headers: { range: 'bytes=100-199', 'if-range': `"${sha256}"` },
    });
    assert.equal(part.status, 206);
    assert.deepEqual(part.bytes, bytes.slice(100, 200));
    const other = await asOperator.request('GET', `/blobs/sha256/${sha256}`, {
      headers: { range: 'bytes=100-199', 'if-range': `"${'0'.repeat(64)}"` },
    });
    assert.equal(other.status, 200);
    assert.deepEqual(other.bytes, bytes);
    const beyond = await asOperator.request('GET', `/blobs/sha256/${sha256}`, {
      headers: { range: `bytes=${bytes.length + 1}-` },
    });
    assert.equal(beyond.status, 416);
  });

  it('is for enrolled operators once armed, and public once disclosed', async () => {
    const path = `/blobs/sha256/${world.story.sealed.closing.sha256}`;
    assert.equal((await world.server.client().get(path)).status, 404);
    expectStatus(await world.server.client(world.operator(0).key).get(path), 200);
    await world.story.decide('leaked', { reason: 'it is out' });
    expectStatus(await world.server.client().get(path), 200);
  });
});
