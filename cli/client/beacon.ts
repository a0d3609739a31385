import { MAX_BEACON_BYTES, readBeacon, type Beacon } from '../../protocol/embargo/beacon.ts';
import { findChain, type DrandChain, type Timelock } from '../../protocol/embargo/timelock.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { OptionSpec } from '../command.ts';
import { CliError, InterruptedError, TemporaryError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { readInputFile } from '../home/files.ts';
import { readBody, sendRequest, type NetworkContext } from './http.ts';

/**
 * The signed round that something is locked to.
 *
 * @throws {@link TemporaryError} while no source has it, naming each.
 */
export type FindBeacon = (lock: Timelock) => Promise<Beacon>;

/** Relays of the League of Entropy. They are believed in nothing: the pinned key decides. */
const RELAYS = [
  'https://api.drand.sh',
  'https://api2.drand.sh',
  'https://api3.drand.sh',
  'https://drand.cloudflare.com',
];

/** How long one source may take; the others do not wait for it. */
const TIMEOUT_MS = 5_000;

export const BEACON_OPTION: OptionSpec = {
  flag: '--beacon <source>',
  description: 'drand relay, or a file with its answer; default: public relays',
  many: true,
};

/**
 * Look for beacons in several places at once: the first that verifies will do, whatever the others
 * say or leave unsaid. Nobody is asked before the round is over by the caller's clock.
 *
 * @param sources - Addresses of drand relays, or files; none for the public relays.
 * @throws {@link UsageError} for an address that is no server's.
 */
export function beaconFinder(context: NetworkContext, sources: readonly string[] = []): FindBeacon {
  const readers = (sources.length === 0 ? RELAYS : sources).map((name) => ({
    name,
    read: /^[a-z]+:\/\//i.test(name) ? relay(context, name) : beaconFile(name),
  }));
  return async ({ chain: hash, round }) => {
    const chain = findChain(hash);
    if (chain === undefined) throw new ProtocolError('beacon_invalid', 'an unknown drand chain');
    const attempts = readers.map(async ({ name, read }) => {
      try {
        return readBeacon(await read(chain, round), chain, round);
      } catch (error) {
        throw new SourceError(name, error);
      }
    });
    try {
      return await Promise.any(attempts);
    } catch (error) {
      throw explain(round, error);
    }
  };
}

type Read = (chain: DrandChain, round: number) => Promise<Uint8Array>;

function relay(context: NetworkContext, source: string): Read {
  const base = formatServerUrl(parseServerUrl(source));
  return async ({ hash }, round) => {
    const url = new URL(`${base}/${hash}/public/${round}`);
    const answer = await sendRequest(context, { method: 'GET', url, timeoutMs: TIMEOUT_MS });
    return readBody(answer, MAX_BEACON_BYTES);
  };
}

function beaconFile(path: string): Read {
  return () => readInputFile(path, MAX_BEACON_BYTES);
}

/** What went wrong at one place. */
class SourceError extends Error {
  readonly source: string;

  constructor(source: string, cause: unknown) {
    super('no beacon', { cause });
    this.source = source;
  }
}

/** @returns What tells every source's trouble; a bug of ours, or an interruption, as it is. */
function explain(round: number, error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const reasons: string[] = [];
  for (const each of error.errors as unknown[]) {
    if (!(each instanceof SourceError)) return each;
    const { source, cause } = each;
    const isTrouble = cause instanceof CliError || cause instanceof ProtocolError;
    if (!isTrouble || cause instanceof InterruptedError) return cause;
    reasons.push(`${source}: ${cause.message}`);
  }
  return new TemporaryError(
    `no beacon of drand round ${round}: ${reasons.join('; ')}`,
    'it is public: get it from any relay, and give its file with --beacon',
  );
}
