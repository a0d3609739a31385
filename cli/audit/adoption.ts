import { equalBytes } from '../../protocol/encoding/bytes.ts';
import {
  parseSnapshot,
  snapshotDigest,
  type StakeSnapshot,
} from '../../protocol/stake/snapshot.ts';
import { replayAdoption, tallyJson, type Adoption } from '../record/adoption.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { count, demand, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { enrolmentsFact } from './enrolments.ts';
import { requirePaths } from './folder.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { disclosureFact } from './openings.ts';
import { planFact } from './plan.ts';
import { statementsFact } from './statements.ts';

const snapshotFact: Fact<StakeSnapshot> = { check: 'adoption.snapshot', establish: readSnapshot };

/** The count made anew, over what the log had before the disclosure. */
export const adoptionFact: Fact<Adoption> = {
  check: 'adoption.tally',
  async establish(audit) {
    const { plan } = await audit.get(planFact);
    const snapshot = await audit.get(snapshotFact);
    const disclosure = await audit.get(disclosureFact);
    const enrolments = await audit.get(enrolmentsFact);
    const statements = await audit.get(statementsFact);
    return replayAdoption({
      snapshot,
      milestones: plan.milestones,
      enrolments: enrolments.filter(({ index }) => index < disclosure),
      statements: statements.map(({ statement, line, index }) => {
        return { statement, acceptedAt: line.acceptedAt, index };
      }),
    });
  },
};

export const adoptionChecks: readonly Check[] = [
  {
    id: 'adoption.snapshot',
    title: 'the stake snapshot is the one that the plan pins',
    async run(audit: Audit): Promise<string> {
      const { point, total, stakes } = await audit.get(snapshotFact);
      return `${point}, ${count(stakes.size, 'validator')}, ${String(total)} lamports`;
    },
  },
  {
    id: 'adoption.tally',
    title: 'tally.json is what the statements add up to',
    async run(audit: Audit): Promise<string> {
      const { plan } = await audit.get(planFact);
      const adoption = await audit.get(adoptionFact);
      const expected = tallyJson(plan, adoption, await audit.get(snapshotFact));
      const found = await audit.files.read(RECORD.tally, LIMIT.list);
      demand(equalBytes(found, expected), 'the statements add up to something else');
      const { attested, total } = adoption.tally;
      return `${String(attested.stake)} of ${String(total.stake)} lamports attested`;
    },
  },
  {
    id: 'adoption.gate',
    title: 'the campaign was disclosed for a reason that its rules allow',
    run: checkGate,
  },
];

async function readSnapshot(audit: Audit): Promise<StakeSnapshot> {
  const { plan } = await audit.get(planFact);
  const path = RECORD.snapshot(plan.snapshot.point);
  requirePaths(audit, 'stake/', [path]);
  const bytes = await audit.files.read(path, LIMIT.snapshot);
  demand(snapshotDigest(bytes) === plan.snapshot.sha256, `${path} is another snapshot`);
  const snapshot = parseSnapshot(bytes);
  demand(snapshot.network === plan.network, 'the snapshot is of another network');
  demand(snapshot.point === plan.snapshot.point, 'the snapshot is of another moment');
  return snapshot;
}

/** Adoption comes before disclosure, unless officers said openly why it should not. */
async function checkGate(audit: Audit): Promise<string> {
  const { plan } = await audit.get(planFact);
  const { directives } = await audit.get(directivesFact);
  const { reached } = await audit.get(adoptionFact);
  const ledger = await audit.get(ledgerFact);
  const adopted = ledger.events.find(({ type }) => type === 'adopted');
  const gate = plan.milestones.find(({ action }) => action === 'gate');
  const passed = reached.get(gate?.name ?? '');
  if (adopted !== undefined) {
    demand(passed !== undefined, 'the server says adopted, but the gate was never passed');
    demand(passed.index < adopted.index, 'the server says adopted before the gate was passed');
  }
  const last = directives.at(-1);
  if (last?.directive.to !== 'disclosed')
    return 'disclosed at its latest date, without a directive';
  const { action, from, reason } = last.directive;
  if (from !== 'adopted') return `${action} from ${from}: ${reason || 'no reason given'}`;
  demand(passed !== undefined, 'it was disclosed as adopted, but the gate was never passed');
  const disclosed = leafOf(ledger, 'directive', last.envelope, 'the last directive');
  demand(passed.index < disclosed, 'the gate was passed only after the decision to disclose');
  demand(adopted !== undefined, 'the log does not say when it was adopted');
  return `more than ${gate?.num ?? 0}/${gate?.den ?? 0} at leaf ${passed.index}, ${passed.acceptedAt}`;
}
