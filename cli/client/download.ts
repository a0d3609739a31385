import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { toHex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { HttpAnswer } from './http.ts';

/** Slower than this for long is a stalled transfer, not a slow line. */
const MIN_BYTES_PER_SECOND = 32_768;

/** How long moving `bytes` may take at most. */
export function transferTimeoutMs(bytes: number): number {
  return 60_000 + Math.ceil(bytes / MIN_BYTES_PER_SECOND) * 1000;
}

/**
 * Write a body to a new file, hashing on the way; nothing is left behind unless it is the expected
 * bytes.
 *
 * @param ask - Sends the request, once the file can be written.
 * @throws {@link ProtocolError} `commitment_mismatch` when they are others, `too_large` as soon as
 *   there are more than `size`.
 */
export async function writeVerified(
  ask: () => Promise<Pick<HttpAnswer, 'chunks'>>,
  path: string,
  expected: { readonly sha256: string; readonly size: number },
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of verifiedChunks(await ask(), expected)) await file.appendFile(chunk);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

/**
 * Pass a body on as it comes. Nothing of it may be believed before the end, which throws unless these
 * were the expected bytes.
 *
 * @throws {@link ProtocolError} as {@link writeVerified}.
 */
export async function* verifiedChunks(
  answer: Pick<HttpAnswer, 'chunks'>,
  expected: { readonly sha256: string; readonly size: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of answer.chunks()) {
    length += chunk.length;
    if (length > expected.size) {
      throw new ProtocolError('too_large', `the download is longer than ${expected.size} bytes`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (toHex(hash.digest()) !== expected.sha256 || length !== expected.size) {
    throw new ProtocolError(
      'commitment_mismatch',
      `the download is not the ${expected.size} bytes with SHA-256 ${expected.sha256}`,
    );
  }
}

/** SHA-256 and size of a file of any length, read once. */
export async function digestFile(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: toHex(hash.digest()), size };
}

/** A file as a request body that is read while it is sent. */
export async function fileBody(
  path: string,
): Promise<{ size: number; body: () => ReadableStream<Uint8Array> }> {
  const { size } = await stat(path);
  const body = (): ReadableStream<Uint8Array> =>
    Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  return { size, body };
}
