import { mkdir } from 'node:fs/promises';
import { BaseFetcher, Updater } from 'tuf-js';
import { z } from 'zod';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parseShape, safeCount, time } from '../../protocol/encoding/shape.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseTuf } from '../../protocol/trust/metadata.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { verifyTargets } from '../../protocol/trust/tuf.ts';
import { CliError } from '../errors.ts';
import { findFile, writeAtomically } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import type { Client } from './client.ts';
import { readBody } from './http.ts';
import type { Trust } from './trust.ts';

/** Which ciphertexts the officers have approved, as fresh as TUF makes it. */
export interface TrustedTargets {
  readonly version: number;
  /** RFC 3339 UTC. */
  readonly expires: string;
  /** SHA-256 → bytes. */
  readonly bundles: ReadonlyMap<string, number>;
  /** The file as signed. */
  readonly bytes: Uint8Array;
}

/** The part of a client that metadata comes through. */
type MetadataClient = Pick<Client, 'server' | 'tuf'>;

/**
 * Bring the TUF metadata up to date: fresh, not rolled back, not mixed, by enough officers.
 *
 * Roots are followed by `refreshTrust` alone, whose rules are stricter, so tuf-js gets the newest
 * one and may not move on from it. tuf-js judges dates by the machine's clock, and they are judged
 * here once more by the caller's.
 *
 * @param client - Logged in: the metadata is for enrolled callers.
 * @param now - Unix ms.
 * @throws {@link ProtocolError} `trust_invalid` for anything wrong with the metadata; else what
 *   reaching the server throws.
 */
export async function refreshTargets(
  home: Home,
  client: MetadataClient,
  trust: Trust,
  now: number,
): Promise<TrustedTargets> {
  const directory = home.path('tuf');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const rootBytes = trust.files.get(trust.root.version) ?? new Uint8Array();
  await writeAtomically(home.path('tuf', 'root.json'), rootBytes);

  const fetcher = new ClientFetcher(client);
  const updater = new Updater({
    metadataDir: directory,
    metadataBaseUrl: `${client.server}/tuf`,
    fetcher,
    config: { maxRootRotations: 0 },
  });
  try {
    await updater.refresh();
  } catch (error) {
    throw fetcher.failure ?? explain(error);
  }
  for (const role of ROLES) await requireFresh(home, role, now);
  await home.state.advanceTuf({
    timestamp: await versionOf(home, 'timestamp'),
    snapshot: await versionOf(home, 'snapshot'),
    targets: await versionOf(home, 'targets'),
  });
  return readTargets(await readMetadata(home, 'targets'), trust.root);
}

/** tuf-js asks for URLs; the client knows how to log in and what to do with an error. */
class ClientFetcher extends BaseFetcher {
  /** The first failure that was the network's or the server's; tuf-js keeps only its text. */
  failure: CliError | undefined;
  readonly #client: MetadataClient;

  constructor(client: MetadataClient) {
    super();
    this.#client = client;
  }

  override fetch(): never {
    throw new Error('metadata is read by downloadBytes, and targets are not fetched here');
  }

  override async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    try {
      const name = new URL(url).pathname.split('/').at(-1) ?? '';
      return Buffer.from(await readBody(await this.#client.tuf(name), maxLength));
    } catch (error) {
      if (error instanceof CliError) this.failure ??= error;
      throw error;
    }
  }
}

function readTargets(bytes: Uint8Array, root: TrustRoot): TrustedTargets {
  const { targets } = verifyTargets(bytes, root, verifyEd25519);
  const bundles = new Map(targets.bundles.map(({ sha256, size }) => [sha256, size]));
  return { version: targets.version, expires: targets.expires, bundles, bytes };
}

async function readMetadata(home: Home, role: string): Promise<Uint8Array> {
  const bytes = await findFile(home.path('tuf', `${role}.json`));
  if (bytes === undefined) throw new ProtocolError('trust_invalid', `there is no ${role}.json`);
  return bytes;
}

const ROLES = ['timestamp', 'snapshot', 'targets'] as const;
const versioned = z.looseObject({ version: safeCount.min(1), expires: time });

/** @throws {@link ProtocolError} `trust_invalid` from the second of `expires` on. */
async function requireFresh(home: Home, role: string, now: number): Promise<void> {
  const { signed } = parseTuf(await readMetadata(home, role));
  const { expires } = parseShape(versioned, signed, 'trust_invalid', role);
  if (now >= parseTime(expires)) throw new ProtocolError('trust_invalid', EXPIRED);
}

async function versionOf(home: Home, role: string): Promise<number> {
  const { signed } = parseTuf(await readMetadata(home, role));
  return parseShape(versioned, signed, 'trust_invalid', role).version;
}

const EXPIRED =
  'the trust metadata has expired: the server stopped renewing it, or shows an old state';

function explain(error: unknown): unknown {
  if (error instanceof ProtocolError || !(error instanceof Error)) return error;
  const message = error.message.includes('expired')
    ? EXPIRED
    : `the trust metadata is refused: ${error.message}`;
  return new ProtocolError('trust_invalid', message, { cause: error });
}
