import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';

import { ProtocolError } from '../protocol/errors.ts';

/** Permission bits of everybody but the owner; Windows has none. */
const OTHERS = process.platform === 'win32' ? 0 : 0o077;

const MAX_SECRET_BYTES = 1024 * 1024;

/** A file that holds a secret is open to other users of the machine. */
export class ExposedSecretError extends Error {
  override readonly name = 'ExposedSecretError';
}

/**
 * Read a file, or whatever else can be read, up to `maxBytes` and not a block further.
 *
 * @throws {ProtocolError} `too_large`
 */
export async function readFileBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  await using file: FileHandle = await open(path, 'r');
  const { size } = await file.stat();
  const buffer = new GrowingBuffer(path, size, maxBytes);
  for (;;) {
    const { bytesRead } = await file.read(buffer.free);
    if (bytesRead === 0) return buffer.content();
    buffer.add(bytesRead);
  }
}

/** A named pipe must not make the whole process wait for its writer; Windows has none. */
const AT_ONCE = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0);

/**
 * As {@link readFileBounded}, at once, for small local files of our own; a named pipe is empty.
 *
 * Four system calls cost a few microseconds; the same four through Node's thread pool take
 * thirty times as long, and a command reads its few files a dozen times.
 */
export function readFileBoundedSync(path: string, maxBytes: number): Uint8Array {
  const file = openSync(path, AT_ONCE);
  try {
    return readOpened(file, path, maxBytes);
  } finally {
    closeSync(file);
  }
}

/**
 * Read a file of at most 1 MiB that only its owner has access to.
 *
 * @throws {ExposedSecretError} when anybody else has, naming the way out; not on Windows.
 */
export function readSecretFileSync(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    if ((fstatSync(file).mode & OTHERS) !== 0) {
      throw new ExposedSecretError(
        `${path} holds a secret but is open to other users; run: chmod 600 ${path}`,
      );
    }
    return readOpened(file, path, MAX_SECRET_BYTES);
  } finally {
    closeSync(file);
  }
}

function readOpened(file: number, path: string, maxBytes: number): Uint8Array {
  const buffer = new GrowingBuffer(path, fstatSync(file).size, maxBytes);
  for (;;) {
    const bytesRead = readSync(file, buffer.free);
    if (bytesRead === 0) return buffer.content();
    buffer.add(bytesRead);
  }
}

const MAX_CALL_BYTES = 2 ** 30;

/** A size from `stat` is a first guess only: pipes and devices have none, and files grow. */
class GrowingBuffer {
  #bytes: Uint8Array;
  #length = 0;
  readonly #path: string;
  readonly #maxBytes: number;

  constructor(path: string, size: number, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
  }

  /** Where to read to next; never empty, and never more than one system call may read. */
  get free(): Uint8Array {
    return this.#bytes.subarray(this.#length, this.#length + MAX_CALL_BYTES);
  }

  /** @throws {ProtocolError} `too_large` */
  add(bytesRead: number): void {
    this.#length += bytesRead;
    if (this.#length > this.#maxBytes) {
      const name = basename(this.#path);
      throw new ProtocolError('too_large', `${name} is longer than ${this.#maxBytes} bytes`);
    }
    if (this.#length < this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(2 * this.#length + 1024, this.#maxBytes + 1));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
