import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { encodeDirective, parseDirective } from '../../../protocol/campaign/directive.ts';
import { envelopeJson, envelopeOf } from '../../support/story.ts';
import { editJson, fromThen, hostile, serve } from '../support/attacks.ts';
import type { HostileCase, Prepare } from '../support/cases.ts';
import { fetchPatch, logVerify, prefetch, trustRefresh, verifyNotice } from '../support/flows.ts';
import { forgeCheckpoint, forgeTuf, nextRoot, rootSigners } from '../support/forge.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import type { Site } from '../support/site.ts';

const DIRECTIVES = '/v1/campaigns/{A}/directives';
type Completed = { completed: { envelope: unknown; completedAt: string }[] };

/** Make the older file of a role the one that a fresh file points to. */
const pointTo = (name: 'snapshot' | 'targets', site: Site): object => {
  const path = `/tuf/{${name}Then}`;
  fromThen(path)(site);
  const { signed } = JSON.parse(utf8Decode(site.read(path))) as { signed: { version: number } };
  return { meta: { [`${name}.json`]: { version: signed.version } } };
};

/** Our memory of the campaign says that its plan had a second revision. */
const sawSecondRevision: Prepare = async (home, { campaigns: { A } }) => {
  const path = join(home, 'state.json');
  type State = { campaigns: Record<string, { sequence: number; revision: number }> };
  const state = JSON.parse(await readFile(path, 'utf8')) as State;
  Object.assign(state.campaigns[A.sealed.id] ?? {}, { sequence: 3, revision: 2 });
  await writeFile(path, JSON.stringify(state));
};

const lostSecondRoot: Prepare = (home) => rm(join(home, 'trust', '2.root.json'));

/** Another directive in place of the last, signed by as many officers as it takes. */
const fork = editJson(DIRECTIVES, ({ completed, ...rest }: Completed & object, { repository }) => {
  const last = completed.at(-1);
  const directive = parseDirective(envelopeOf(last?.envelope).payload);
  const payload = encodeDirective({ ...directive, reason: 'another history' });
  const signers = repository.officers.slice(0, 3).map(({ signing }) => signing);
  const envelope = envelopeJson(signEnvelope(payload, ...signers));
  return { ...rest, completed: [...completed.slice(0, -1), { ...last, envelope }] };
});

const drop = (count: number): ReturnType<typeof editJson> =>
  editJson(DIRECTIVES, ({ completed, ...rest }: Completed) => ({
    ...rest,
    completed: completed.slice(0, completed.length - count),
  }));

const resigned =
  (version: number) =>
  (site: Site): void => {
    const signed = { ...nextRoot(site.repository), version };
    const signatures = signTuf(signed, ...rootSigners(site.repository));
    site.put('/tuf/3.root.json', encodeTuf(signed, signatures));
  };

/** Older states of every role, each of them signed for real. */
export const rollback: readonly HostileCase[] = [
  hostile(prefetch, 'an older timestamp', fromThen('/tuf/timestamp.json'), 6, /timestamp/),
  hostile(
    prefetch,
    'an older snapshot behind a fresh timestamp',
    (site) => {
      const older = pointTo('snapshot', site);
      forgeTuf(site, { timestamp: (it) => ({ ...it, version: it.version + 1, ...older }) });
    },
    6,
    /snapshot/,
  ),
  hostile(
    prefetch,
    'older targets behind a fresh snapshot',
    (site) => {
      const older = pointTo('targets', site);
      forgeTuf(site, { snapshot: (it) => ({ ...it, version: it.version + 1, ...older }) });
    },
    6,
    /targets/,
  ),
  hostile(
    prefetch,
    'everything as it was',
    (site) => {
      site.turnBackTo(site.repository.then);
    },
    6,
    /was seen before/,
  ),
  hostile(
    trustRefresh,
    'the first root as the third',
    (site) => {
      site.put('/tuf/3.root.json', site.read('/tuf/1.root.json'));
    },
    6,
    /version is not the next/,
  ),
  hostile(
    trustRefresh,
    'the second root again',
    (site) => {
      site.put('/tuf/3.root.json', site.read('/tuf/2.root.json'));
    },
    6,
    /version is not the next/,
  ),
  hostile(trustRefresh, 'a root signed anew with an older version', resigned(1), 6, /version/),
  hostile(trustRefresh, 'a root that skips a version', resigned(4), 6, /version is not the next/),
  hostile(
    trustRefresh,
    'no second root, after ours was lost',
    (site) => {
      site.remove('/tuf/2.root.json');
    },
    6,
    /root version 2 was seen before/,
    { exchange: lostSecondRoot },
  ),
  hostile(
    prefetch,
    'an older checkpoint',
    fromThen('/log/checkpoint'),
    6,
    /entries before and now/,
    {
      leavesEvidence: true,
    },
  ),
  hostile(verifyNotice, 'an older checkpoint', fromThen('/log/checkpoint'), 6, /entries before/, {
    leavesEvidence: true,
  }),
  hostile(logVerify, 'an older checkpoint', fromThen('/log/checkpoint'), 6, /entries before/, {
    leavesEvidence: true,
  }),
  hostile(
    prefetch,
    'an empty log, signed',
    (site) => {
      forgeCheckpoint(site, () => ({ size: 0, root: EMPTY_ROOT }));
    },
    6,
    /now shows 0/,
    { leavesEvidence: true },
  ),
  hostile(prefetch, 'directives without the last', drop(1), 6, /directive 4 was seen before/),
  hostile(prefetch, 'directives as they were', fromThen(DIRECTIVES), 6, /directive 4 was seen/),
  hostile(prefetch, 'no directives', drop(4), 6, /was seen before/),
  hostile(
    prefetch,
    'another directive under the same number',
    fork,
    6,
    /two different directives.* both are kept in/,
    {
      leavesEvidence: true,
    },
  ),
  hostile(fetchPatch, 'directives as they were', fromThen(DIRECTIVES), 6, /directive 4 was seen/),
  hostile(
    fetchPatch,
    'another directive under the same number',
    fork,
    6,
    /two different.* both are kept in/,
    {
      leavesEvidence: true,
    },
  ),
  hostile(
    prefetch,
    'an older revision of the plan',
    serve('/v1/x', ''),
    6,
    /two different directives/,
    {
      exchange: sawSecondRevision,
    },
  ),
];
