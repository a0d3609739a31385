import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withOutputDirectory } from '../../platform/files.ts';
import { assembleRecord } from '../../protocol/record/assemble.ts';
import type { Archivist } from './archivist.ts';
import { downloadRecord } from './download.ts';
import { RECORD } from '../../protocol/record/layout.ts';

/**
 * Write a campaign's record to a new folder, which appears whole or not at all.
 *
 * @param out - Absent or empty.
 * @throws As {@link downloadRecord}; `OutputExistsError` when something is there.
 */
export async function writeRecord(archivist: Archivist, id: string, out: string): Promise<void> {
  await withOutputDirectory(out, async (directory) => {
    const bundles = join(directory, dirname(RECORD.bundle('')));
    await mkdir(bundles);
    const parts = await downloadRecord(archivist, id, bundles);
    const isThere = new Set([...parts.ciphertexts.keys()].map(RECORD.bundle));
    for (const [path, bytes] of assembleRecord(parts)) {
      if (isThere.has(path)) continue;
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes, { flag: 'wx' });
    }
  });
}
