import { join } from 'node:path';
import { readFileBounded } from '../../platform/read-file.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { toBase64, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { openCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { parseVerifierKey, type NoteVerifier } from '../../protocol/signature/note.ts';
import { refreshCheckpoint } from '../client/checkpoint.ts';
import type { Client } from '../client/client.ts';
import { connectTo } from '../client/connect.ts';
import { loadTrust } from '../client/trust.ts';
import { argument, findOption, type Command, type Context } from '../command.ts';
import { UsageError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { openHome, type Home } from '../home/home.ts';
import { LIMIT } from '../record/layout.ts';
import { readLog } from '../record/read-log.ts';

/** Where a log is read from. */
type LogSource = Pick<Client, 'checkpoint' | 'tile'>;

export const logVerifyCommand: Command = {
  name: 'log verify',
  group: 'auditor',
  summary: 'Check a whole log: signature, root, every tile and every leaf',
  args: [{ name: 'source', description: 'server URL, or a folder with checkpoint and tile/' }],
  options: [
    { flag: '--key <vkey>', description: 'the log’s key; default: that of the trusted root' },
  ],
  example: 'sealdrop log verify ./record/log --key "$(cat ./record/keys/log.vkey)"',

  async run(input, context) {
    const home = openHome(context);
    const text = argument(input, 0);
    const url = /^https?:/.test(text) ? formatServerUrl(parseServerUrl(text)) : undefined;
    const source = url === undefined ? directorySource(text) : connectTo(context, url);
    const given = findOption(input, 'key');
    const checkpoint =
      given === undefined
        ? await trustedCheckpoint(home, source, url)
        : await checkpointUnder(parseKey(given), source);
    const { leaves, tiles } = await readLog(source, checkpoint);
    report(context, checkpoint, {
      tiles: tiles.length,
      ...Object.fromEntries(
        [...Map.groupBy(leaves, ({ type }) => type)].map(([type, those]) => [type, those.length]),
      ),
    });
  },
};

/** The checkpoint under the trusted root; from the server itself also held against the last one. */
async function trustedCheckpoint(
  home: Home,
  source: LogSource,
  url: string | undefined,
): Promise<Checkpoint> {
  const config = await home.findConfig();
  if (config === undefined) {
    throw new UsageError('no root is trusted here', 'give --key with the log’s verifier key');
  }
  const { root } = await loadTrust(home);
  if (url === config.server) return (await refreshCheckpoint(home, source, root)).checkpoint;
  return checkpointUnder(root.logKey, source);
}

async function checkpointUnder(key: NoteVerifier, source: LogSource): Promise<Checkpoint> {
  return openCheckpoint(await source.checkpoint(), key.name, [key], verifyEd25519);
}

function parseKey(text: string): NoteVerifier {
  try {
    return parseVerifierKey(text.trim());
  } catch (error) {
    throw new UsageError('--key is not a verifier key', 'one looks like name+1a2b3c4d+AX…', {
      cause: error,
    });
  }
}

function directorySource(directory: string): LogSource {
  return {
    checkpoint: async () =>
      utf8Decode(await readFileBounded(join(directory, 'checkpoint'), LIMIT.small)),
    tile: (path) => readFileBounded(join(directory, path), LIMIT.tile),
  };
}

function report(
  { out }: Context,
  { origin, size, root }: Checkpoint,
  counts: Readonly<Record<string, number>>,
): void {
  out.line(`${origin}: ${size} leaves, every one under the signed root`);
  out.line(`root ${toBase64(root)}`);
  for (const [what, number] of Object.entries(counts))
    out.line(`${String(number).padStart(8)} ${what}`);
  out.summary({ origin, size, root: toBase64(root), counts });
}
