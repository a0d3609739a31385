import type { Plan } from '../../protocol/plan/plan.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import {
  parseSnapshot,
  snapshotDigest,
  type StakeSnapshot,
} from '../../protocol/stake/snapshot.ts';
import { replayAdoption, tallyJson, type Adoption } from '../../protocol/record/adoption.ts';
import { inRevision, LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { snapshotPath, statementsFor } from '../../protocol/record/revisions.ts';
import {
  count,
  demand,
  forRevisions,
  tellRevisions,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { directivesFact } from './directives.ts';
import { enrolmentsFact } from './enrolments.ts';
import { requirePaths } from './folder.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { disclosureFact } from './openings.ts';
import { planFact } from './plan.ts';
import { revisionsFact } from './revisions.ts';
import { statementsFact } from './statements.ts';

/** By revision. */
const snapshotsFact: Fact<readonly StakeSnapshot[]> = {
  check: 'adoption.snapshot',
  async establish(audit) {
    const { all, plans } = await audit.get(planFact);
    for (const { revision } of plans) requireSnapshots(audit, plans, revision);
    return forRevisions(all, ({ plan }) => readSnapshot(audit, plans, plan));
  },
};

/** The count made anew, by revision: over what the log had before the next one, or the disclosure. */
const adoptionsFact: Fact<readonly Adoption[]> = {
  check: 'adoption.tally',
  async establish(audit) {
    const revisions = await audit.get(revisionsFact);
    const snapshots = await audit.get(snapshotsFact);
    const disclosure = await audit.get(disclosureFact);
    const enrolments = await audit.get(enrolmentsFact);
    const statements = await audit.get(statementsFact);
    return forRevisions(revisions, (revision, i) => {
      const snapshot = snapshots[i];
      if (snapshot === undefined) throw new Error('one for each revision');
      return replayAdoption({
        snapshot,
        milestones: revision.plan.milestones,
        enrolments: enrolments.filter(({ index }) => index < disclosure),
        statements: statementsFor(revision, statements).map(({ statement, line, index }) => {
          return { statement, acceptedAt: line.acceptedAt, index };
        }),
      });
    });
  },
};

export const adoptionChecks: readonly Check[] = [
  {
    id: 'adoption.snapshot',
    title: 'the stake snapshot is the one that the plan pins',
    async run(audit: Audit): Promise<string> {
      const snapshots = await audit.get(snapshotsFact);
      return tellRevisions(
        snapshots.map(({ point, total, stakes }) => {
          return `${point}, ${count(stakes.size, 'validator')}, ${String(total)} lamports`;
        }),
      );
    },
  },
  {
    id: 'adoption.tally',
    title: 'tally.json is what the statements add up to',
    async run(audit: Audit): Promise<string> {
      const { all } = await audit.get(planFact);
      const adoptions = await audit.get(adoptionsFact);
      const snapshots = await audit.get(snapshotsFact);
      return tellRevisions(
        await forRevisions(all, ({ plan }, i) =>
          checkTally(audit, plan, adoptions[i], snapshots[i]),
        ),
      );
    },
  },
  {
    id: 'adoption.gate',
    title: 'the campaign was disclosed for a reason that its rules allow',
    run: checkGate,
  },
];

async function checkTally(
  audit: Audit,
  plan: Plan,
  adoption: Adoption | undefined,
  snapshot: StakeSnapshot | undefined,
): Promise<string> {
  if (adoption === undefined || snapshot === undefined) throw new Error('one for each revision');
  const expected = tallyJson(plan, adoption, snapshot);
  const found = await audit.files.read(inRevision(plan.revision, RECORD.tally), LIMIT.list);
  demand(equalBytes(found, expected), 'the statements add up to something else');
  const { attested, total } = adoption.tally;
  return `${String(attested.stake)} of ${String(total.stake)} lamports attested`;
}

/** A later revision has a snapshot of its own only if it pins another one than those before it. */
function requireSnapshots(audit: Audit, plans: readonly Plan[], revision: number): void {
  const folder = inRevision(revision, 'stake/');
  const paths = plans.map((plan) => snapshotPath(plans, plan));
  requirePaths(
    audit,
    folder,
    paths.filter((path) => path.startsWith(folder)),
  );
}

async function readSnapshot(
  audit: Audit,
  plans: readonly Plan[],
  plan: Plan,
): Promise<StakeSnapshot> {
  const path = snapshotPath(plans, plan);
  const bytes = await audit.files.read(path, LIMIT.snapshot);
  demand(snapshotDigest(bytes) === plan.snapshot.sha256, `${path} is another snapshot`);
  const snapshot = parseSnapshot(bytes);
  demand(snapshot.network === plan.network, 'the snapshot is of another network');
  demand(snapshot.point === plan.snapshot.point, 'the snapshot is of another moment');
  return snapshot;
}

/**
 * Adoption comes before disclosure, unless officers said openly why it should not. Whenever a
 * revision was called adopted, by the server or by officers, its own gate had been passed.
 */
async function checkGate(audit: Audit): Promise<string> {
  const { directives } = await audit.get(directivesFact);
  const revisions = await audit.get(revisionsFact);
  const adoptions = await audit.get(adoptionsFact);
  const ledger = await audit.get(ledgerFact);
  const adopted = ledger.events.filter(({ type }) => type === 'adopted');
  const gates = await forRevisions(revisions, ({ plan, start, end }, i) => {
    const gate = plan.milestones.find(({ action }) => action === 'gate');
    const passed = adoptions[i]?.reached.get(gate?.name ?? '');
    const called = adopted.find(({ index }) => index > start && index < end);
    if (called !== undefined) {
      demand(passed !== undefined, 'the server says adopted, but the gate was never passed');
      demand(passed.index < called.index, 'the server says adopted before the gate was passed');
    }
    for (const { directive, envelope } of directives) {
      if (directive.from !== 'adopted') continue;
      const what = `directive ${directive.sequence}`;
      const index = leafOf(ledger, 'directive', envelope, what);
      if (index <= start || index > end) continue;
      const done = directive.to === 'disclosed' ? 'disclosed' : `left by ${directive.action}`;
      demand(passed !== undefined, `it was ${done} as adopted, but the gate was never passed`);
      demand(passed.index < index, `the gate was passed only after the decision: ${what}`);
      demand(called !== undefined, 'the log does not say when it was adopted');
    }
    return { gate, passed };
  });
  const last = directives.at(-1);
  if (last?.directive.to !== 'disclosed')
    return 'disclosed at its latest date, without a directive';
  const { action, from, reason } = last.directive;
  if (from !== 'adopted') return `${action} from ${from}: ${reason || 'no reason given'}`;
  const { gate, passed } = gates.at(-1) ?? {};
  return `more than ${gate?.num ?? 0}/${gate?.den ?? 0} at leaf ${passed?.index ?? 0}, ${passed?.acceptedAt ?? ''}`;
}
