import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { openAge } from '../../platform/age.ts';
import { generateKey, seal } from '../../protocol/embargo/age.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';

interface Vector {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Uint8Array;
}

/** Fields, an empty line, and the age file. */
function parseVector(name: string, bytes: Uint8Array): Vector {
  const split = Buffer.from(bytes).indexOf('\n\n');
  const lines = Buffer.from(bytes.subarray(0, split)).toString('latin1').split('\n');
  const fields = new Map(lines.map((line) => line.split(': ', 2) as [string, string]));
  const rest = bytes.subarray(split + 2);
  const file = fields.get('compressed') === 'zlib' ? inflateSync(rest) : rest;
  return { name, fields, file: new Uint8Array(file) };
}

/** What came of a file: the digest of its content, or the code of the refusal. */
async function outcomeOf(opening: Promise<Uint8Array>): Promise<string> {
  return opening.then(sha256Hex, (error: unknown) => (error as { code: string }).code);
}

describe('openAge', () => {
  const all = Object.entries(vectors).map(([name, bytes]) => parseVector(name, bytes));

  it('comes to the verdict of every age test vector for the keys that we use', async () => {
    const ours = all.filter(({ fields }) => fields.get('identity')?.startsWith('AGE-SECRET-KEY-1'));
    const opened = new Set<string>();
    for (const { name, fields, file } of ours) {
      const outcome = await outcomeOf(openAge(file, fields.get('identity') ?? ''));
      // An armoured file is text around an age file, and we have none.
      const isOpen = fields.get('expect') === 'success' && !fields.has('armored');
      assert.equal(outcome, isOpen ? fields.get('payload') : 'bundle_invalid', name);
      if (isOpen) opened.add(name);
    }
    assert.ok(ours.length > 60, `${ours.length} vectors`);
    for (const name of ['x25519', 'stream_three_chunks']) assert.ok(opened.has(name), name);
  });

  it('refuses the files of all other keys', async () => {
    const { identity } = await generateKey();
    for (const { name, file } of all) {
      assert.equal(await outcomeOf(openAge(file, identity)), 'bundle_invalid', name);
    }
  });

  it('opens, around every boundary of chunks, what the library seals; and nothing cut, changed or longer', async () => {
    const { identity, recipient } = await generateKey();
    const chunk = 64 * 1024;
    for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 5, 65 * chunk]) {
      const plaintext = new Uint8Array(size).map((_, i) => i % 251);
      const sealed = await seal(plaintext, [recipient]);
      assert.deepEqual(await openAge(sealed, identity), plaintext, `${size}`);
      const payload = sealed.length - size - 16 * Math.max(1, Math.ceil(size / chunk));
      const tail = Buffer.alloc(16);
      const changes = [
        ['cut by a byte', sealed.subarray(0, -1)],
        ['without its payload', sealed.subarray(0, payload)],
        ['cut within its header', sealed.subarray(0, 100)],
        ['with a byte more', new Uint8Array([...sealed, 0])],
        ['with an empty chunk more', new Uint8Array(Buffer.concat([sealed, tail]))],
        ['with another last byte', sealed.with(sealed.length - 1, (sealed.at(-1) ?? 0) ^ 1)],
        ['with another first byte', sealed.with(payload, (sealed[payload] ?? 0) ^ 1)],
        ['with another nonce', sealed.with(payload - 1, (sealed[payload - 1] ?? 0) ^ 1)],
      ] as const;
      for (const [what, changed] of changes) {
        assert.equal(await outcomeOf(openAge(changed, identity)), 'bundle_invalid', what);
      }
      if (size <= chunk) continue;
      const atBoundary = sealed.subarray(0, payload + chunk + 16);
      assert.equal(await outcomeOf(openAge(atBoundary, identity)), 'bundle_invalid', `${size}`);
    }
  });

  it('does not say why, and refuses a malformed identity as such', async () => {
    const { identity, recipient } = await generateKey();
    const sealed = await seal(Uint8Array.of(1), [recipient]);
    assert.equal(await outcomeOf(openAge(sealed, identity.toLowerCase())), 'key_invalid');
    const error = await openAge(sealed.subarray(0, -1), identity).catch((it: unknown) => it);
    assert.ok(error instanceof Error && error.cause === undefined);
  });
});
