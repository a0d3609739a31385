import { writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OutputExistsError, withOutputDirectory } from '../../platform/files.ts';
import { fileName, parseShape } from '../../protocol/encoding/shape.ts';
import { hasErrorCode } from '../home/files.ts';

/**
 * Write verified files to a new folder, which appears whole or not at all.
 *
 * @param out - Absent or empty.
 * @throws {@link ProtocolError} `bundle_invalid` for a name that is more than a file name.
 */
export async function writeFiles(
  out: string,
  files: Iterable<readonly [string, Uint8Array]>,
): Promise<void> {
  await mkdir(dirname(resolve(out)), { recursive: true });
  const fill = (directory: string): void => {
    for (const [name, bytes] of files) {
      const path = join(directory, parseShape(fileName, name, 'bundle_invalid', 'file name'));
      writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
    }
  };
  await withOutputDirectory(out, (directory) => Promise.try(fill, directory));
}

/**
 * Refuse an output folder that is taken, before any work goes into filling it.
 *
 * @throws {@link OutputExistsError}
 */
export async function requireFree(out: string): Promise<void> {
  try {
    if ((await readdir(out)).length === 0) return;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    if (!hasErrorCode(error, 'ENOTDIR')) throw error;
  }
  throw new OutputExistsError(`${out} is there already`);
}
