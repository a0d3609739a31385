import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { flushFolder, writeFileDurably } from '../../../platform/files.ts';
import { readFileBoundedSync } from '../../../platform/read-file.ts';
import { equalBytes, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { ServiceError } from '../../services/error.ts';
import { serial } from '../../services/serial.ts';
import type { HeadStore } from '../../services/log/store.ts';

const MAX_HEAD_BYTES = 4096;

/**
 * The last signed head, as the file `head` in a folder of its own: the text of a checkpoint, without
 * a signature.
 *
 * It stays out of the database, and may be on another disk, because its only use is to contradict a
 * database or tiles that were taken back to an older day. Whoever calls this holds the folder's lock,
 * so that comparing and swapping is one step.
 */
export function headStore(folder: string): HeadStore {
  const directory = resolve(folder);
  const path = join(directory, 'head');
  const steps = serial();

  function read(origin: string): Checkpoint | undefined {
    let bytes: Uint8Array;
    try {
      bytes = readFileBoundedSync(path, MAX_HEAD_BYTES);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    return parseCheckpoint(utf8Decode(bytes), origin);
  }

  return {
    find: (origin) => Promise.try(read, origin),

    create: (head) =>
      steps.run(path, async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await flushFolder(dirname(directory));
        await writeFileDurably(path, encode(head), { overwrite: false });
      }),

    advance: (from, to) =>
      steps.run(path, async () => {
        const head = read(from.origin);
        if (head === undefined || !isSame(head, from)) {
          throw new ServiceError('conflict', 'log head has moved');
        }
        await writeFileDurably(path, encode(to));
      }),
  };
}

function encode(head: Checkpoint): Uint8Array {
  return utf8Encode(formatCheckpoint(head));
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.size === b.size && equalBytes(a.root, b.root);
}
