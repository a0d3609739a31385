import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBounded } from '../../platform/read-file.ts';
import { toHex } from '../../protocol/encoding/bytes.ts';
import { CliError, UsageError } from '../errors.ts';
import { hasErrorCode } from '../home/files.ts';

/** The files of a record, whether on disk or in memory. Paths are relative, with `/`. */
export interface RecordFiles {
  /** Size in bytes of every regular file. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Whatever else was found: links, devices, folders that hold nothing. */
  readonly strangers: readonly string[];
  /** @throws {@link AbsentFileError}; `too_large` above `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /** SHA-256 in hex. */
  digest(path: string): Promise<string>;
  /** Where they are on disk, for whoever reads many of them by itself: only those in `sizes`. */
  readonly directory?: string;
}

/** A record lacks a file. */
export class AbsentFileError extends Error {
  override readonly name = 'AbsentFileError';

  constructor(path: string) {
    super(`${path} is missing`);
  }
}

/** The layout is five folders deep at most (`log/tile/0/x001/234.p/5` is the deepest). */
const MAX_DEPTH = 12;
const MAX_FILES = 2_000_000;

/** Look at a record on disk. No link in it is followed and nothing but regular files is opened. */
export async function openRecordDirectory(directory: string): Promise<RecordFiles> {
  const sizes = new Map<string, number>();
  const strangers: string[] = [];

  async function walk(folder: string, depth: number): Promise<void> {
    const entries = await readdir(join(directory, folder), { withFileTypes: true });
    if (entries.length === 0 || depth > MAX_DEPTH) strangers.push(`${folder}/`);
    if (depth > MAX_DEPTH) return;
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await walk(path, depth + 1);
      else if (!entry.isFile()) strangers.push(path);
      else sizes.set(path, (await lstat(join(directory, path))).size);
      if (sizes.size > MAX_FILES) throw new CliError(`${directory} holds too many files`);
    }
  }

  const found = await stat(directory).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (found?.isDirectory() !== true) {
    throw new UsageError(`${directory} is not a folder`, 'name the folder that record wrote');
  }
  await walk('', 0);
  const present = (path: string): string => {
    if (!sizes.has(path)) throw new AbsentFileError(path);
    return join(directory, path);
  };
  return {
    sizes,
    strangers,
    directory,
    read: async (path, maxBytes) => readFileBounded(present(path), maxBytes),
    async digest(path) {
      const hash = createHash('sha256');
      const stream: AsyncIterable<Buffer> = createReadStream(present(path));
      for await (const chunk of stream) hash.update(chunk);
      return toHex(hash.digest());
    },
  };
}
