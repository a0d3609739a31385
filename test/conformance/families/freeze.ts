import { DAY_MS, HOUR_MS } from '../../support/clock.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { hostile, nothing } from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { ack, fetchPatch, inbox, prefetch, trustAdd } from '../support/flows.ts';
import { forgeTuf, LONG_AGO, type Signed } from '../support/forge.ts';
import type { Site } from '../support/site.ts';

const expiring =
  (site: Site, days: number) =>
  (it: Signed): object => ({
    ...it,
    expires: formatTime(site.repository.clock.now + days * DAY_MS),
  });

const expired = (it: Signed): object => ({ ...it, version: it.version + 1, expires: LONG_AGO });

const noShares = (site: Site): void => {
  site.remove('/v1/campaigns/{A}/release-key');
  site.put('/v1/campaigns/{A}/shares', '{"shares":[]}');
};

/** The server goes on showing the same while the clock moves on, role by role. */
export const freeze: readonly HostileCase[] = [
  hostile(prefetch, 'a timestamp of three days ago', nothing, 6, /expired/, {
    later: 3 * DAY_MS,
  }),
  hostile(
    prefetch,
    'a snapshot of a month ago, its timestamp renewed',
    (site) => {
      const timestamp = expiring(site, 60);
      forgeTuf(site, { timestamp: (it) => ({ ...timestamp(it), version: it.version + 1 }) });
    },
    6,
    /expired/,
    { later: 30 * DAY_MS },
  ),
  hostile(
    prefetch,
    'targets of a year ago, snapshot and timestamp renewed',
    (site) => {
      const renewed = expiring(site, 450);
      const snapshot = (it: Signed): object => ({ ...renewed(it), version: it.version + 1 });
      forgeTuf(site, { snapshot, timestamp: renewed });
    },
    6,
    /expired/,
    { later: 400 * DAY_MS },
  ),
  hostile(prefetch, 'a root of two years ago', nothing, 6, /root has expired/, {
    later: 700 * DAY_MS,
  }),
  hostile(ack, 'a root of two years ago', nothing, 6, /root has expired/, { later: 700 * DAY_MS }),
  hostile(inbox, 'a root of two years ago', nothing, 6, /root has expired/, {
    later: 700 * DAY_MS,
  }),
  hostile(trustAdd, 'a root of two years ago', nothing, 6, /root has expired/, {
    later: 700 * DAY_MS,
  }),
  hostile(fetchPatch, 'still no shares an hour after T0', noShares, 6, /ALARM/, { later: HOUR_MS }),
  hostile(prefetch, 'everything as it was before T0, an hour after it', nothing, 6, /./, {
    later: 3 * HOUR_MS,
  }),
  hostile(
    prefetch,
    'a timestamp that was expired when it was signed',
    (site) => {
      forgeTuf(site, { timestamp: expired });
    },
    6,
    /expired/,
  ),
  hostile(
    prefetch,
    'a snapshot that was expired when it was signed',
    (site) => {
      forgeTuf(site, { snapshot: expired });
    },
    6,
    /expired/,
  ),
  hostile(
    prefetch,
    'targets that were expired when they were signed',
    (site) => {
      forgeTuf(site, { targets: expired });
    },
    6,
    /expired/,
  ),
];
