import { dropBundle, dropPlan, hostile, status } from '../support/attacks.ts';
import type { CaseOptions, HostileCase } from '../support/cases.ts';
import {
  ack,
  fetchPatch,
  inbox,
  prefetch,
  trustAdd,
  trustRefresh,
  verifyNotice,
  type Flow,
} from '../support/flows.ts';

type Options = CaseOptions & Pick<HostileCase, 'spendsCounter'>;

const ELSEWHERE = { location: 'http://127.0.0.1:9/elsewhere' };

const away = (flow: Flow, path: string, code: number, options?: Options): HostileCase =>
  hostile(
    flow,
    `${code} from ${path}`,
    status(path, code, ELSEWHERE),
    1,
    /redirect, which is never followed/,
    options,
  );

/** Another address is another server, whatever it answers: none is ever asked. */
export const redirects: readonly HostileCase[] = [
  away(trustAdd, '/tuf/1.root.json', 301),
  away(trustRefresh, '/tuf/3.root.json', 302),
  away(verifyNotice, '/v1/commitments/{commitmentA}', 307),
  away(verifyNotice, '/log/checkpoint', 308),
  away(verifyNotice, '/log/{tile}', 302),
  away(prefetch, 'POST /v1/auth/challenge', 307),
  away(prefetch, 'POST /v1/auth/token', 308),
  away(prefetch, '/v1/campaigns/{A}/plan', 303, { before: dropPlan }),
  away(prefetch, '/tuf/timestamp.json', 302),
  away(prefetch, '/blobs/sha256/{bundleA}', 302, { before: dropBundle }),
  away(inbox, '/v1/inbox', 301),
  away(ack, 'POST /v1/campaigns/{A}/statements', 307, { spendsCounter: true }),
  away(fetchPatch, '/v1/campaigns/{A}/shares', 302),
];
