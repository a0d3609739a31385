import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { findFile } from '../home/files.ts';
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
 * here once more by the caller's. It works on copies: nothing is kept before everything is verified.
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
  await using copies = await copyMetadata(home, trust);
  await runUpdater(client, copies.path);
  const metadata = await copies.read();
  for (const role of ROLES) requireFresh(metadata[role], role, now);
  const targets = readTargets(metadata.targets, trust.root);
  await home.state.advanceTuf({
    timestamp: versionOf(metadata.timestamp, 'timestamp'),
    snapshot: versionOf(metadata.snapshot, 'snapshot'),
    targets: versionOf(metadata.targets, 'targets'),
  });
  await copies.keep();
  return targets;
}

const ROLES = ['timestamp', 'snapshot', 'targets'] as const;
type Role = (typeof ROLES)[number];

/** A folder for tuf-js to work in, with what this home has kept. */
interface Copies extends AsyncDisposable {
  readonly path: string;
  /** What is there now. @throws {@link ProtocolError} `trust_invalid` unless all roles are. */
  read(): Promise<Readonly<Record<Role, Uint8Array>>>;
  /** Let this home have them. Not durably: what is lost or torn is fetched again. */
  keep(): Promise<void>;
}

async function copyMetadata(home: Home, { files, root }: Trust): Promise<Copies> {
  await mkdir(home.directory, { recursive: true, mode: 0o700 });
  const path = await mkdtemp(home.path('.tuf-'));
  const read = async (role: Role): Promise<Uint8Array> => {
    const bytes = await findFile(join(path, `${role}.json`));
    if (bytes === undefined) throw new ProtocolError('trust_invalid', `there is no ${role}.json`);
    return bytes;
  };
  await writeFile(join(path, 'root.json'), files.get(root.version) ?? new Uint8Array());
  for (const role of ROLES) {
    const kept = await findFile(keptPath(home, role));
    if (kept !== undefined) await writeFile(join(path, `${role}.json`), kept);
  }
  return {
    path,
    read: async () => ({
      timestamp: await read('timestamp'),
      snapshot: await read('snapshot'),
      targets: await read('targets'),
    }),
    async keep() {
      await mkdir(home.path('tuf'), { recursive: true, mode: 0o700 });
      for (const role of ROLES) await rename(join(path, `${role}.json`), keptPath(home, role));
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const keptPath = (home: Home, role: Role): string => home.path('tuf', `${role}.json`);

async function runUpdater(client: MetadataClient, metadataDir: string): Promise<void> {
  const fetcher = new ClientFetcher(client);
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: `${client.server}/tuf`,
    fetcher,
    config: { maxRootRotations: 0 },
  });
  try {
    await updater.refresh();
  } catch (error) {
    throw fetcher.failure ?? explain(error);
  }
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

/**
 * Until when the targets are good that this home has from before; RFC 3339 UTC. Nobody is asked.
 *
 * @returns `undefined` when there are none, or none that this root's officers have signed.
 */
export async function findTargetsExpiry(home: Home, root: TrustRoot): Promise<string | undefined> {
  const bytes = await findFile(home.path('tuf', 'targets.json'));
  try {
    return bytes && readTargets(bytes, root).expires;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function readTargets(bytes: Uint8Array, root: TrustRoot): TrustedTargets {
  const { targets } = verifyTargets(bytes, root, verifyEd25519);
  const bundles = new Map(targets.bundles.map(({ sha256, size }) => [sha256, size]));
  return { version: targets.version, expires: targets.expires, bundles, bytes };
}

const versioned = z.looseObject({ version: safeCount.min(1), expires: time });

/** @throws {@link ProtocolError} `trust_invalid` from the second of `expires` on. */
function requireFresh(bytes: Uint8Array, role: Role, now: number): void {
  const { signed } = parseTuf(bytes);
  const { expires } = parseShape(versioned, signed, 'trust_invalid', role);
  if (now >= parseTime(expires)) throw new ProtocolError('trust_invalid', EXPIRED);
}

function versionOf(bytes: Uint8Array, role: Role): number {
  const { signed } = parseTuf(bytes);
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
