import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../cli/command.ts';
import { officerInitCommand } from '../../../cli/commands/officer-init.ts';
import { trustInitCommand } from '../../../cli/commands/trust-init.ts';
import { trustSignCommand } from '../../../cli/commands/trust-sign.ts';
import { writeNew } from '../../../cli/home/files.ts';
import { signerFromSeed, type KeyedSigner } from '../../../platform/ed25519.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../../protocol/signature/verifier-key.ts';
import { testContext, type TestContext } from './context.ts';

export const NETWORK = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
export const ORIGIN = '127.0.0.1/log';

/** Keys of a server that is not running, for what can be made without one. */
export interface ServerKeys {
  readonly log: KeyedSigner;
  readonly token: KeyedSigner;
  readonly snapshot: KeyedSigner;
  readonly timestamp: KeyedSigner;
}

export interface Officer {
  readonly id: string;
  readonly context: TestContext;
  /** Path of the public card. */
  readonly card: string;
}

/** Officers with homes of their own, in one temporary folder that goes away at the end. */
export interface Parties extends AsyncDisposable {
  readonly folder: string;
  readonly officers: readonly Officer[];
  readonly server: ServerKeys;
  readonly serverCard: string;
}

/** Run `officer init` for each of `ids`. */
export async function makeParties(...ids: readonly string[]): Promise<Parties> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-parties-'));
  const officers: Officer[] = [];
  for (const id of ids) {
    const context = await testContext({ home: join(folder, id) });
    const card = join(folder, `${id}.card.json`);
    await runCommand(officerInitCommand, { options: { id, out: card } }, context);
    officers.push({ id, context, card });
  }
  const [log, token, snapshot, timestamp] = [1, 2, 3, 4].map((byte) =>
    signerFromSeed(new Uint8Array(32).fill(byte)),
  ) as [KeyedSigner, KeyedSigner, KeyedSigner, KeyedSigner];
  const serverCard = join(folder, 'server.card.json');
  const card = {
    format: 'sealdrop-server-card/v1',
    origin: ORIGIN,
    logKey: formatVerifierKey(ORIGIN, NOTE_ED25519, log.publicKey),
    tokenKey: token.publicKey,
    snapshotKey: snapshot.publicKey,
    timestampKey: timestamp.publicKey,
  };
  await writeNew(serverCard, JSON.stringify(card));
  return {
    folder,
    officers,
    server: { log, token, snapshot, timestamp },
    serverCard,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Options of `trust init` by the first of the officers. */
export function trustInitOptions(
  { officers, serverCard }: Parties,
  out: string,
): Record<string, string | string[]> {
  return {
    network: NETWORK,
    server: serverCard,
    officer: officers.map(({ card }) => card),
    threshold: '2',
    shareThreshold: '2',
    expires: '365',
    out,
  };
}

/** Run `trust init` by the first officer and `trust sign` by the second; returns the folder. */
export async function makeTrust(parties: Parties): Promise<string> {
  const [first, second] = parties.officers;
  if (first === undefined || second === undefined) throw new Error('two officers are needed');
  const out = join(parties.folder, 'trust');
  await runCommand(trustInitCommand, { options: trustInitOptions(parties, out) }, first.context);
  await runCommand(trustSignCommand, { args: [out] }, second.context);
  return out;
}
