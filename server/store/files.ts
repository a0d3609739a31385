import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

import { flushFolder } from '../../platform/files.ts';
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
    async write(sha256, content, options) {
      const temporary = join(incoming, randomBytes(16).toString('hex'));
      try {
        const { digest, size } = await save(temporary, content, options);
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

/** Write a new file, and stop as soon as it is too long or begins with something else. */
async function save(
  path: string,
  content: Readable,
  { maxBytes, prefix = new Uint8Array() }: { maxBytes: number; prefix?: Uint8Array },
): Promise<{ digest: string; size: number }> {
  await using file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let size = 0;
  // A request whose body is refused half way must still be there to be answered.
  for await (const part of content.iterator({ destroyOnReturn: false })) {
    const chunk = Buffer.from(part as Uint8Array);
    const expected = prefix.subarray(size, size + chunk.length);
    if (!chunk.subarray(0, expected.length).equals(expected)) throw notAge();
    size += chunk.length;
    if (size > maxBytes) {
      throw new ServiceError('payload_too_large', `longer than ${maxBytes} bytes`);
    }
    hash.update(chunk);
    await file.appendFile(chunk);
  }
  if (size < prefix.length) throw notAge();
  await file.sync();
  return { digest: hash.digest('hex'), size };
}

function notAge(): ServiceError {
  return new ServiceError('refused', 'the content is not an age file');
}
