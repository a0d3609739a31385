import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hex64 } from '../../protocol/encoding/shape.ts';
import { INDEX_PATH } from '../../protocol/record/record-index.ts';
import { reportAudit } from '../audit/report.ts';
import {
  argument,
  findOption,
  flagOf,
  hasFlag,
  wholeNumber,
  type Command,
  type Context,
  type Input,
} from '../command.ts';
import { UsageError } from '../errors.ts';
import { hasErrorCode } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { reportComparison } from '../log/compare/report.ts';
import { auditLive } from '../log/live/follow.ts';
import { findLogKeys } from '../log/log-keys.ts';
import { isUrl, openSource } from '../log/open-source.ts';
import { readReceiptFile } from '../receipts/receipt-file.ts';

export const auditCommand: Command = {
  name: 'audit',
  group: 'auditor',
  summary: 'Check a record offline, follow a live log, or hold two views of a log together',
  args: [
    { name: 'source', description: 'record folder or server URL; with --compare also a file' },
    {
      name: 'other',
      description: 'with --compare: the other view, and where tiles are',
      optional: true,
      many: true,
    },
  ],
  options: [
    {
      flag: '--root-sha256 <hex>',
      description: 'record: SHA-256 of 1.root.json, from the foundation',
    },
    {
      flag: '--receipts <dir>',
      description:
        'record: receipts you kept, such as HOME/receipts: what they promise must be there',
    },
    {
      flag: '--key <vkey>',
      description: 'log: its verifier key; default: that of the trusted root',
    },
    { flag: '--full', description: 'URL: read all of it again, not only what is new' },
    { flag: '--follow', description: 'URL: look again and again, until Ctrl-C' },
    {
      flag: '--interval <seconds>',
      description: 'URL: with --follow, from one look to the next; 60 by default',
    },
    { flag: '--compare', description: 'prove whether two views of a log are of one history' },
    { flag: '--out <file>', description: 'with --compare: new file for evidence of a fork' },
  ],
  example: 'sealdrop audit ./record --root-sha256 HEX',

  async run(input, context) {
    if (hasFlag(input, 'compare')) {
      refuse(input, 'with --compare', ['rootSha256', 'receipts', 'full', 'follow', 'interval']);
      const home = openHome(context);
      const keys = await findLogKeys(home, findOption(input, 'key'));
      const out = findOption(input, 'out');
      await reportComparison(context, { home, keys, names: input.args, out });
      return;
    }
    if (input.args.length > 1) throw new UsageError('two views are for --compare');
    if (isUrl(argument(input, 0))) {
      refuse(input, 'for a URL', ['rootSha256', 'receipts', 'out']);
      await auditUrl(input, context);
    } else {
      refuse(input, 'for a record', ['key', 'full', 'follow', 'interval', 'out']);
      await auditRecordFolder(input, context);
    }
  },
};

/** @throws {@link UsageError} when an option was given that has no meaning here. */
function refuse({ options }: Input, where: string, names: readonly string[]): void {
  const given = names.find((name) => options[name] !== undefined && options[name] !== false);
  if (given === undefined) return;
  throw new UsageError(`${flagOf(given)} has no meaning ${where}`, 'see: sealdrop audit --help');
}

async function auditUrl(input: Input, context: Context): Promise<void> {
  const home = openHome(context);
  const keys = await findLogKeys(home, findOption(input, 'key'));
  if (!hasFlag(input, 'follow')) refuse(input, 'without --follow', ['interval']);
  const seconds = wholeNumber(findOption(input, 'interval') ?? '60', '--interval', 1, 86_400);
  await auditLive({
    context,
    home,
    keys,
    source: openSource(context, argument(input, 0)),
    full: hasFlag(input, 'full'),
    intervalMs: hasFlag(input, 'follow') ? seconds * 1000 : undefined,
  });
}

async function auditRecordFolder(input: Input, context: Context): Promise<void> {
  const rootSha256 = findOption(input, 'rootSha256');
  if (rootSha256 !== undefined && !hex64.safeParse(rootSha256).success) {
    throw new UsageError('--root-sha256 is 64 lower-case hex digits');
  }
  const directory = argument(input, 0);
  requireRecord(directory);
  const home = openHome(context);
  const folder = findOption(input, 'receipts');
  const receipts = folder === undefined ? [] : await readReceipts(folder);
  const results = await reportAudit(context.out, { directory, rootSha256, receipts, home });
  const passed = results.filter(({ status }) => status === 'pass').length;
  const skipped = results.filter(({ status }) => status === 'skip').map(({ id }) => id);
  context.out.line(`The record holds: ${passed} checks passed.`);
  const pinned = rootSha256 !== undefined;
  context.out.summary({ result: 'pass', pinned, passed, failed: 0, skipped });
}

/** A log that somebody keeps as files looks like a record that lost everything else. */
function requireRecord(directory: string): void {
  const has = (name: string): boolean => existsSync(join(directory, name));
  if (has(INDEX_PATH) || !has('checkpoint')) return;
  throw new UsageError(
    `${directory} is the folder of a log, not a record`,
    `run: sealdrop log verify ${directory}; or name the record around it`,
  );
}

async function readReceipts(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR')) return [];
    throw error;
  });
  const names = found.filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new UsageError(`${folder} holds no receipts`);
  return Promise.all(
    names.map(async (name) => (await readReceiptFile(join(folder, name))).receipt),
  );
}
