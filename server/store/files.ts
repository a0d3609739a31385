import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { ServiceError } from '../services/error.ts';

/** Immutable files, each under the SHA-256 of its content. */
export interface ContentFiles {
  pathOf(sha256: string): string;
  /**
   * Take in a stream; durable and complete under its name when this resolves, else nothing is left.
   *
   * @param options.prefix - What the content has to begin with.
   * @returns Its size in bytes.
   * @throws {@link ServiceError} `refused` for other content, `payload_too_large`
   */
  write(
    sha256: string,
    content: Readable,
    options: { readonly maxBytes: number; readonly prefix?: Uint8Array },
  ): Promise<number>;
}

/** @param directory - Made if absent; uploads under way are kept in `incoming/` below it. */
export async function contentFiles(directory: string): Promise<ContentFiles> {
  const incoming = join(directory, 'incoming');
  // Whatever a crash left half written was never acknowledged.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });

  const pathOf = (sha256: string): string => join(directory, sha256.slice(0, 2), sha256);
  return {
    pathOf,
    async write(sha256, content, { maxBytes, prefix = new Uint8Array() }) {
      const temporary = join(incoming, randomBytes(16).toString('hex'));
      try {
        const check = checking(maxBytes, prefix);
        await pipeline(content, check.stream, createWriteStream(temporary, { flags: 'wx', flush: true }));
        const { digest, size } = check.result();
        if (digest !== sha256) {
          throw new ServiceError('refused', 'the content has another SHA-256 than its name');
        }
        const folder = dirname(pathOf(sha256));
        await mkdir(folder, { recursive: true });
        await rename(temporary, pathOf(sha256));
        await flushFolder(folder);
        await flushFolder(directory);
        return size;
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

interface Check {
  readonly stream: Transform;
  result(): { readonly digest: string; readonly size: number };
}

/** Hash what flows by, and stop it as soon as it is too long or begins with something else. */
function checking(maxBytes: number, prefix: Uint8Array): Check {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const expected = prefix.subarray(size, size + chunk.length);
      if (!chunk.subarray(0, expected.length).equals(expected)) {
        done(new ServiceError('refused', 'the content is not an age file'));
        return;
      }
      size += chunk.length;
      if (size > maxBytes) {
        done(new ServiceError('payload_too_large', `longer than ${maxBytes} bytes`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const short = size < prefix.length;
      done(short ? new ServiceError('refused', 'the content is not an age file') : null);
    },
  });
  return { stream, result: () => ({ digest: hash.digest('hex'), size }) };
}

async function flushFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
