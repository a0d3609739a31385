import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../../../protocol/encoding/bytes.ts';

/** A copy of a record with one file changed, and listed as it is now. */
export async function tamperWith(
  record: string,
  folder: string,
  path: string,
  change: (bytes: Buffer) => Buffer,
): Promise<string> {
  const copy = await mkdtemp(join(folder, 'copy-'));
  await cp(record, copy, { recursive: true });
  const bytes = await readFile(join(copy, path));
  const changed = change(Buffer.from(bytes));
  await writeFile(join(copy, path), changed);
  const index = await readFile(join(copy, 'record.json'), 'utf8');
  const entry = (it: Buffer): string =>
    `"path": "${path}",\n   "size": ${it.length},\n   "sha256": "${sha256Hex(it)}"`;
  assert.ok(index.includes(entry(bytes)));
  await writeFile(join(copy, 'record.json'), index.replace(entry(bytes), entry(changed)));
  return copy;
}
