import { parseInstant, parseTime } from '../../protocol/encoding/time.ts';
import { thresholdOf } from '../../protocol/plan/splits.ts';
import type { Action } from '../../protocol/campaign/transitions.ts';
import { releaseDigest } from '../../protocol/embargo/approval.ts';
import { publishedFor, type LoggedRevision } from '../../protocol/record/revisions.ts';
import { announcedFact, type Announced } from './announced.ts';
import { demand, type Audit, type Check } from './check.ts';
import { directivesFact, type DirectiveChain } from './directives.ts';
import { ledgerFact, leafOf, type Ledger, type LoggedEvent } from './ledger.ts';
import { disclosureFact } from './openings.ts';
import { publishedFact, type Published } from './published.ts';
import { inForceAt, revisionsFact } from './revisions.ts';
import { statementsFact } from './statements.ts';

export const orderChecks: readonly Check[] = [
  {
    id: 'order.log',
    title: 'in the log everything comes after what had to be there first',
    run: checkLogOrder,
  },
  {
    id: 'order.times',
    title: 'the server’s times agree with the log, with each other and with the release time',
    run: checkTimes,
  },
];

/**
 * The order of the leaves is the one thing about time that the server could not arrange
 * afterwards, so it decides; times are held against it.
 */
async function checkLogOrder(audit: Audit): Promise<string> {
  const announced = await audit.get(announcedFact);
  const chain = await audit.get(directivesFact);
  const ledger = await audit.get(ledgerFact);
  const { publications } = await audit.get(publishedFact);
  const statements = await audit.get(statementsFact);
  const disclosure = await audit.get(disclosureFact);
  const revisions = await audit.get(revisionsFact);

  const leaves = leavesOf(chain, ledger);
  leaves.forEach((leaf, i) => {
    demand(i === 0 || (leaves[i - 1] ?? 0) < leaf, `directive ${i + 1} is logged before ${i}`);
  });
  const leafOfFirst = (action: Action): number | undefined =>
    leaves[chain.directives.findIndex(({ directive }) => directive.action === action)];
  const [commit, notify, arm] = [leafOfFirst('commit'), leafOfFirst('notify'), leafOfFirst('arm')];
  const last = chain.directives.at(-1);
  const disclosed = last?.directive.to === 'disclosed' ? leaves.at(-1) : undefined;

  const [first] = announced;
  precedes('the stake snapshot', first?.snapshot, 'the commit', commit);
  precedes('the commitment', first?.commitment, 'the notices', notify);
  precedes('the commitment', first?.commitment, 'the arming', arm);
  precedes('the decision to disclose', disclosed, 'the disclosure', disclosure);
  revisions.slice(1).forEach(({ plan, start }, i) => {
    const snapshot = announced[i + 1]?.snapshot;
    precedes('the stake snapshot', snapshot, `revision ${plan.revision}`, start);
  });
  for (const { publication, index } of publications) {
    const what = `the ${publication.kind} of ${publication.officer}`;
    const isClosing = publication.kind === 'share' && publication.key === 'closing';
    if (isClosing) precedes('the decision to disclose', disclosed, what, index);
    else precedes('the arming', arm, what, index);
    requireAnnounced(inForceAt(revisions, index), announced, what, index);
  }
  const releases = revisions.map((revision) => findRelease(revision, publications));
  for (const { statement, line, index } of statements) {
    const what = `statement ${line.seq}`;
    const isAdoption = statement.kind === 'attest' || statement.kind === 'revert';
    if (isAdoption) {
      const released = releasedWith(statement.subject.sha256, revisions, releases);
      demand(released !== undefined, `${what}, but the patch was never released`);
      precedes('the release', released, what, index);
    } else precedes('the notices', notify ?? arm, what, index);
    const revision = revisions[statement.revision - 1];
    if (revision !== undefined) requireAnnounced(revision, announced, what, index);
  }
  return leaves.map((leaf, i) => `${nameOf(chain, i)} ${leaf}`).join(', ');
}

function leavesOf({ directives }: DirectiveChain, ledger: Ledger): readonly number[] {
  return directives.map(({ envelope, directive }) =>
    leafOf(ledger, 'directive', envelope, `directive ${directive.sequence}`),
  );
}

function nameOf({ directives }: DirectiveChain, i: number): string {
  return directives[i]?.directive.action ?? '';
}

/** What is of a later revision comes after it was put in force and its commitment made public. */
function requireAnnounced(
  { plan: { revision }, start }: LoggedRevision,
  announced: readonly Announced[],
  what: string,
  index: number,
): void {
  if (revision === 1) return;
  precedes(`revision ${revision}`, start, what, index);
  const commitment = announced[revision - 1]?.commitment;
  precedes(`the commitment of revision ${revision}`, commitment, what, index);
}

/** The leaf with which enough officers' shares of a revision's release key were out. */
function findRelease(
  revision: LoggedRevision,
  publications: Published['publications'],
): number | undefined {
  const { plan } = revision;
  const officers = { release: new Set<string>(), 'break-glass': new Set<string>() };
  for (const { publication, index } of publishedFor(revision, publications)) {
    if (publication.kind !== 'share' || publication.key === 'closing') continue;
    const { key, officer } = publication;
    if (officers[key].add(officer).size === thresholdOf(plan, key)) return index;
  }
  return undefined;
}

/** The leaf with which a `release.txt` was out first, with whatever revision that has it. */
function releasedWith(
  release: string,
  revisions: readonly LoggedRevision[],
  releases: readonly (number | undefined)[],
): number | undefined {
  const found = revisions.flatMap(({ plan }, i) =>
    releaseDigest(plan) === release ? (releases[i] ?? []) : [],
  );
  return found.length === 0 ? undefined : Math.min(...found);
}

/** What never happened comes before nothing. */
function precedes(a: string, first?: number, b?: string, second?: number): void {
  if (first === undefined || second === undefined) return;
  demand(first < second, `${a} (leaf ${first}) is not before ${b ?? ''} (leaf ${second})`);
}

async function checkTimes(audit: Audit): Promise<string> {
  const chain = await audit.get(directivesFact);
  const ledger = await audit.get(ledgerFact);
  const { events } = ledger;
  const statements = await audit.get(statementsFact);

  for (const { directive, completedAt } of chain.directives) {
    const { sequence } = directive;
    const event = events.find(({ detail }) => isAbout(detail, sequence));
    demand(event !== undefined, `no event tells of directive ${sequence}`);
    demand(event.at === completedAt, `directive ${sequence} was completed at another time`);
  }
  // These two carry the time of the statement they follow from, and others may come in between.
  const onTheirOwn = events.filter(({ type }) => type !== 'milestone' && type !== 'adopted');
  requireRising([
    ...onTheirOwn.map(({ at, seq, index }) => ({ at, index, what: `event ${seq}` })),
    ...statements.map(({ line, index }) => {
      return { at: line.acceptedAt, index, what: `statement ${line.seq}` };
    }),
  ]);

  const leaves = leavesOf(chain, ledger);
  for (const { seq, at, index } of events.filter(isRelease)) {
    const decided = leaves.filter((leaf) => leaf < index).length;
    const { releaseTime, released } = chain.states[decided - 1] ?? chain.state;
    const isDue = parseInstant(at) >= parseTime(releaseTime) || released;
    demand(isDue, `event ${seq}, a release share, is before the release time`);
  }
  const released = events.filter(({ type }) => type === 'released').map(({ at }) => at);
  return `release time ${chain.state.releaseTime}, released ${released.join(' and ') || 'never'}`;
}

const isAbout = (detail: string, sequence: number): boolean =>
  detail === `directive ${sequence}` || detail.startsWith(`directive ${sequence},`);

const isRelease = ({ type, detail }: LoggedEvent): boolean =>
  type === 'released' || (type === 'share' && /^(?:release|break-glass)/.test(detail));

/** A clock that is put right may step back by this much; more would make its times worthless. */
const MAX_STEP_MS = 2000;

/** The log says what came first, and the times may not say otherwise. */
function requireRising(entries: { at: string; index: number; what: string }[]): void {
  let latest = -Infinity;
  for (const { at, what } of entries.sort((a, b) => a.index - b.index)) {
    const time = parseInstant(at);
    demand(time >= latest - MAX_STEP_MS, `${what} is earlier than what the log has before it`);
    latest = Math.max(latest, time);
  }
}
