import { askForBeacon, BEACON_TIMEOUT_MS, beaconSources } from '../../platform/beacon.ts';
import { readFileBounded } from '../../platform/read-file.ts';
import { readResponse } from '../../platform/read-response.ts';
import { MAX_BEACON_BYTES, type FindBeacon } from '../../protocol/embargo/beacon.ts';

/** Beacons for the server's own shares, from the relays or files of its configuration. */
export function serverBeacons(
  names: readonly string[],
  fetch: typeof globalThis.fetch,
): FindBeacon {
  const sources = beaconSources(names, {
    relay:
      (address) =>
      async ({ hash }, round) => {
        const signal = AbortSignal.timeout(BEACON_TIMEOUT_MS);
        const url = `${address}/${hash}/public/${round}`;
        const response = await fetch(url, { redirect: 'error', signal });
        if (!response.ok) throw new Error(`the relay answers ${response.status}`);
        return readResponse(response, MAX_BEACON_BYTES, () => new Error('the answer is too long'));
      },
    file: (path) => () => readFileBounded(path, MAX_BEACON_BYTES),
  });
  return (lock) => askForBeacon(lock, sources);
}
