import {
  askForBeacon,
  BEACON_TIMEOUT_MS,
  beaconSources,
  BeaconSourceError,
} from '../../platform/beacon.ts';
import { MAX_BEACON_BYTES, type FindBeacon } from '../../protocol/embargo/beacon.ts';
import type { DrandChain } from '../../protocol/plan/timelock.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { OptionSpec } from '../command.ts';
import { CliError, InterruptedError, TemporaryError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { readInputFile } from '../home/files.ts';
import { readBody, sendRequest, type NetworkContext } from './http.ts';

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
export function beaconFinder(context: NetworkContext, names: readonly string[] = []): FindBeacon {
  const sources = beaconSources(names, { relay: (name) => relay(context, name), file: beaconFile });
  return async (lock) => {
    try {
      return await askForBeacon(lock, sources);
    } catch (error) {
      throw explain(lock.round, error);
    }
  };
}

type Read = ReturnType<typeof beaconFile>;

function relay(context: NetworkContext, source: string): Read {
  const base = formatServerUrl(parseServerUrl(source));
  return async ({ hash }, round) => {
    const url = new URL(`${base}/${hash}/public/${round}`);
    const answer = await sendRequest(context, { method: 'GET', url, timeoutMs: BEACON_TIMEOUT_MS });
    return readBody(answer, MAX_BEACON_BYTES);
  };
}

function beaconFile(path: string): (chain: DrandChain, round: number) => Promise<Uint8Array> {
  return () => readInputFile(path, MAX_BEACON_BYTES);
}

/** @returns What tells every source's trouble; a bug of ours, or an interruption, as it is. */
function explain(round: number, error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const reasons: string[] = [];
  for (const each of error.errors as unknown[]) {
    if (!(each instanceof BeaconSourceError)) return each;
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
