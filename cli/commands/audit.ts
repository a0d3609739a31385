import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../protocol/encoding/json.ts';
import { hex64, parseShape } from '../../protocol/encoding/shape.ts';
import { reportAudit } from '../audit/report.ts';
import { argument, findOption, type Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { hasErrorCode, readInputFile } from '../home/files.ts';

const MAX_RECEIPT_BYTES = 262_144;

const receiptJson = z.strictObject({
  format: z.literal('sealdrop-receipt/v1'),
  receipt: z.string().max(4096),
  opening: z.string(),
});

export const auditCommand: Command = {
  name: 'audit',
  group: 'auditor',
  summary: 'Check a record from its files alone, offline',
  args: [{ name: 'record', description: 'folder that record or drill --out wrote' }],
  options: [
    { flag: '--root-sha256 <hex>', description: 'SHA-256 of 1.root.json, from the foundation' },
    {
      flag: '--receipts <dir>',
      description: 'receipts you kept, such as HOME/receipts: what they promise must be there',
    },
  ],
  example: 'sealdrop audit ./record --root-sha256 HEX',

  async run(input, context) {
    const rootSha256 = findOption(input, 'rootSha256');
    if (rootSha256 !== undefined && !hex64.safeParse(rootSha256).success) {
      throw new UsageError('--root-sha256 is 64 lower-case hex digits');
    }
    const directory = argument(input, 0);
    if (/^https?:/.test(directory)) {
      throw new UsageError(
        'an audit reads files, not a server',
        'run: sealdrop record ID --out DIR, then audit DIR; or: sealdrop log verify URL',
      );
    }
    const folder = findOption(input, 'receipts');
    const receipts = folder === undefined ? [] : await readReceipts(folder);
    const results = await reportAudit(context.out, { directory, rootSha256, receipts });
    const passed = results.filter(({ status }) => status === 'pass').length;
    const skipped = results.filter(({ status }) => status === 'skip').map(({ id }) => id);
    context.out.line(`The record holds: ${passed} checks passed.`);
    const pinned = rootSha256 !== undefined;
    context.out.summary({ result: 'pass', pinned, passed, failed: 0, skipped });
  },
};

async function readReceipts(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR')) return [];
    throw error;
  });
  const names = found.filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new UsageError(`${folder} holds no receipts`);
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readInputFile(join(folder, name), MAX_RECEIPT_BYTES);
      const json = parseJson(bytes, MAX_RECEIPT_BYTES);
      return parseShape(receiptJson, json, 'encoding_invalid', name).receipt;
    }),
  );
}
