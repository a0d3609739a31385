import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signerFromSeed } from '../../../../platform/ed25519.ts';
import { fromHex, sha256Hex, utf8Decode, utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { parseEntries } from '../../../../protocol/log/entries.ts';
import { formatTilePath } from '../../../../protocol/log/tile-path.ts';
import { tilesOf } from '../../../../protocol/log/tiles.ts';
import { noteSigner } from '../../../../protocol/signature/note.ts';
import { formatVerifierKey } from '../../../../protocol/signature/verifier-key.ts';
import type { TestServer } from '../../../support/test-server.ts';
import { publish, type LogFiles } from '../../log/support/served-log.ts';
import { urlOf } from '../../operator/support/meddling.ts';

export function vkeyOf({ root }: TestServer, publicKey = root.logKey.publicKey): string {
  const { name, type } = root.logKey;
  return formatVerifierKey(name, type, publicKey);
}

/** Sign another log with the server's own key, as its owner can: all its leaves but this one. */
export async function publishWithout(
  files: LogFiles,
  server: TestServer,
  dropped: string,
): Promise<void> {
  const leaves = await leavesOf(server.url);
  assert.ok(leaves.includes(dropped));
  const kept = leaves.filter((leaf) => leaf !== dropped);
  await publish(files, kept, await logSigner(server));
}

/** The log's own key, as somebody has it who owns the server. */
export async function logSigner({
  dataDirectory,
  root,
}: TestServer): Promise<ReturnType<typeof noteSigner>> {
  const seed = await readFile(join(dataDirectory, 'keys', 'log.seed'), 'utf8');
  return noteSigner(root.origin, signerFromSeed(fromHex(seed.trim(), 32)));
}

/** The leaf that a receipt file is about. */
export function leafOf(text: string): string {
  const { opening } = JSON.parse(text) as { opening: string };
  const digest = Buffer.from(opening, 'base64');
  return `sealed/v1 ${sha256Hex(digest)}\n`;
}

async function leavesOf(url: string): Promise<string[]> {
  const get = async (path: string): Promise<Uint8Array> => {
    const answer = await fetch(`${url}/log/${path}`);
    assert.equal(answer.status, 200);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const [, size = ''] = utf8Decode(await get('checkpoint')).split('\n');
  const leaves: string[] = [];
  for (const tile of tilesOf(Number(size))) {
    if (tile.level !== 'entries') continue;
    const entries = parseEntries(await get(formatTilePath(tile)), tile.width);
    leaves.push(...entries.map(utf8Decode));
  }
  return leaves;
}

/** The real server, but for its log. */
export function servedFrom(files: LogFiles): typeof fetch {
  return (input, init) => {
    const { pathname } = new URL(urlOf(input));
    if (!pathname.startsWith('/log/')) return fetch(input, init);
    const bytes = files.get(pathname);
    const problem = utf8Encode('{}');
    return Promise.resolve(
      new Response(new Uint8Array(bytes ?? problem), { status: bytes === undefined ? 404 : 200 }),
    );
  };
}
