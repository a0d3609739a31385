import {
  by,
  dripping,
  dropBundle,
  dropPlan,
  endless,
  hostile,
  silent,
  stalled,
} from '../support/attacks.ts';
import type { CaseOptions, HostileCase } from '../support/cases.ts';
import {
  ack,
  fetchPatch,
  inbox,
  logVerify,
  prefetch,
  trustAdd,
  trustRefresh,
  verifyNotice,
  type Flow,
} from '../support/flows.ts';
import type { Handler } from '../support/site.ts';

type Spending = CaseOptions & Pick<HostileCase, 'spendsCounter'>;

/** Each kind of route, with the flow that asks it. */
const ROUTES: readonly (readonly [Flow, string, Spending?])[] = [
  [trustAdd, '/tuf/1.root.json'],
  [trustRefresh, '/tuf/3.root.json'],
  [verifyNotice, '/v1/commitments/{commitmentA}'],
  [verifyNotice, '/log/checkpoint'],
  [logVerify, '/log/{entries}'],
  [prefetch, 'POST /v1/auth/challenge'],
  [prefetch, 'POST /v1/auth/token'],
  [prefetch, '/v1/campaigns/{A}'],
  [prefetch, '/v1/campaigns/{A}/plan', { before: dropPlan }],
  [prefetch, '/v1/campaigns/{A}/directives'],
  [prefetch, '/tuf/timestamp.json'],
  [prefetch, '/blobs/sha256/{bundleA}', { before: dropBundle }],
  [inbox, '/v1/inbox'],
  [ack, 'POST /v1/campaigns/{A}/statements', { spendsCounter: true }],
  [fetchPatch, '/v1/campaigns/{A}/directives'],
  [fetchPatch, '/v1/campaigns/{A}/shares'],
];

/** Signatures over the plaintext are done without, and asked for again. */
const SIGNATURES: typeof ROUTES = [[prefetch, '/v1/campaigns/{A}/signatures']];

const each = (
  what: string,
  handler: Handler,
  exit: HostileCase['exit'],
  says: RegExp,
  routes: typeof ROUTES,
  options: CaseOptions = {},
): HostileCase[] =>
  routes.map(([flow, path, more]) =>
    hostile(flow, `${what} from ${path}`, by(path, handler), exit, says, { ...options, ...more }),
  );

const SLOW = { slow: true } as const;

/** At T0 slow directives are done without, so they end nothing. */
const patient = ROUTES.filter(
  ([flow, path]) => !(flow === fetchPatch && path.endsWith('/directives')),
);

/** Data without end, no data, and data that hardly moves, on each kind of route. */
export const flood: readonly HostileCase[] = [
  ...each('endless data', endless, 6, /longer than/, ROUTES),
  ...each('endless data', endless, 5, /longer than/, SIGNATURES),
  ...each('no answer', silent, 5, /too slow/, SIGNATURES, SLOW),
  ...each('no answer', silent, 5, /too slow/, patient, SLOW),
  ...each('half an answer', stalled, 5, /too slow/, patient.slice(0, 12), SLOW),
  ...each('a byte every ten seconds', dripping, 5, /too slow/, patient.slice(1, 12), SLOW),
];
