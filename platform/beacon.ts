import { readBeacon, type Beacon } from '../protocol/embargo/beacon.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { findChain, type DrandChain, type Timelock } from '../protocol/plan/timelock.ts';

/** Relays of the League of Entropy. They are believed in nothing: the pinned key decides. */
export const BEACON_RELAYS: readonly string[] = [
  'https://api.drand.sh',
  'https://api2.drand.sh',
  'https://api3.drand.sh',
  'https://drand.cloudflare.com',
];

/** How long one source may take; the others do not wait for it. */
export const BEACON_TIMEOUT_MS = 5_000;

/** Reads what one place has of a round, at most `MAX_BEACON_BYTES` of it. */
type ReadBeacon = (chain: DrandChain, round: number) => Promise<Uint8Array>;

interface BeaconSource {
  readonly name: string;
  readonly read: ReadBeacon;
}

/** What went wrong at one place. */
export class BeaconSourceError extends Error {
  override readonly name = 'BeaconSourceError';
  readonly source: string;

  constructor(source: string, cause: unknown) {
    super('no beacon', { cause });
    this.source = source;
  }
}

/**
 * Places to look for beacons: addresses of drand relays, or files with an answer of one.
 *
 * @param names - None for the public relays.
 */
export function beaconSources(
  names: readonly string[],
  readers: {
    readonly relay: (address: string) => ReadBeacon;
    readonly file: (path: string) => ReadBeacon;
  },
): readonly BeaconSource[] {
  return (names.length === 0 ? BEACON_RELAYS : names).map((name) => ({
    name,
    read: /^[a-z]+:\/\//i.test(name) ? readers.relay(name) : readers.file(name),
  }));
}

/**
 * Look for a beacon in several places at once: the first that verifies will do, whatever the others
 * say or leave unsaid. Nobody should ask before the round is over.
 *
 * @throws {@link AggregateError} of one {@link BeaconSourceError} a source; {@link ProtocolError}
 *   `beacon_invalid` for a chain that is not pinned.
 */
export async function askForBeacon(
  { chain: hash, round }: Timelock,
  sources: readonly BeaconSource[],
): Promise<Beacon> {
  const chain = findChain(hash);
  if (chain === undefined) throw new ProtocolError('beacon_invalid', 'an unknown drand chain');
  return Promise.any(
    sources.map(async ({ name, read }) => {
      try {
        return readBeacon(await read(chain, round), chain, round);
      } catch (error) {
        throw new BeaconSourceError(name, error);
      }
    }),
  );
}
