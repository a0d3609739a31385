import {
  INDEX_PATH,
  MAX_INDEX_BYTES,
  parseRecordIndex,
} from '../../protocol/record/record-index.ts';
import type { RecordIndex } from '../../protocol/record/record-index.ts';
import { isRecordPath } from '../../protocol/record/layout.ts';
import { count, demand, type Audit, type Check, type Fact } from './check.ts';

export const indexFact: Fact<RecordIndex> = {
  check: 'files.index',
  async establish(audit) {
    return parseRecordIndex(await audit.files.read(INDEX_PATH, MAX_INDEX_BYTES));
  },
};

/** The index and the folder say the same, and nothing is there that has no meaning. */
export const fileChecks: readonly Check[] = [
  {
    id: 'files.index',
    title: 'record.json lists every file once, in order, and nothing is there but listed files',
    async run(audit: Audit): Promise<string> {
      const { files } = await audit.get(indexFact);
      const listed = new Set(files.map(({ path }) => path));
      const [stranger] = audit.files.strangers;
      demand(stranger === undefined, `${stranger ?? ''} is not a regular file, or an empty folder`);
      for (const path of audit.files.sizes.keys()) {
        demand(listed.has(path) || path === INDEX_PATH, `${path} is not listed`);
      }
      for (const path of listed) demand(audit.files.sizes.has(path), `${path} is missing`);
      return count(files.length, 'file');
    },
  },
  {
    id: 'files.digests',
    title: 'every file has the size and SHA-256 that record.json states',
    run: checkDigests,
  },
  {
    id: 'files.layout',
    title: 'every file has a place in the layout of a record',
    async run(audit: Audit): Promise<string> {
      const { files } = await audit.get(indexFact);
      for (const { path } of files) demand(isRecordPath(path), `${path} is no part of a record`);
      return 'no file without a meaning';
    },
  },
];

async function checkDigests(audit: Audit): Promise<string> {
  const { files } = await audit.get(indexFact);
  const wrong: string[] = [];
  let bytes = 0;
  for (const { path, size, sha256 } of files) {
    const actual = audit.files.sizes.get(path);
    if (actual === undefined) continue; // files.index says so
    if (actual !== size || (await audit.files.digest(path)) !== sha256) wrong.push(path);
    bytes += actual;
  }
  demand(wrong.length === 0, `changed: ${wrong.slice(0, 10).join(', ')}`);
  return count(bytes, 'byte');
}
