import type { Envelope } from '../../protocol/signature/dsse.ts';
import { verifyEnrolment, type Enrolment } from '../../protocol/statement/enrolment.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { parseEnvelopeFile } from '../../protocol/record/lines.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { pathsIn } from './folder.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { trustFact } from './trust.ts';

export interface RecordedEnrolment {
  readonly enrolment: Enrolment;
  readonly envelope: Envelope;
  /** Of its sealed leaf. */
  readonly index: number;
}

/** Every binding of validators to operators, each proved by the validators; by leaf. */
export const enrolmentsFact: Fact<readonly RecordedEnrolment[]> = {
  check: 'enrolments.proofs',
  establish: readEnrolments,
};

export const enrolmentChecks: readonly Check[] = [
  {
    id: 'enrolments.proofs',
    title: 'every operator is vouched for by each validator identity they speak for',
    async run(audit: Audit): Promise<string> {
      const enrolments = await audit.get(enrolmentsFact);
      const operators = new Set(enrolments.map(({ enrolment }) => enrolment.operator));
      const proofs = enrolments.reduce((sum, { enrolment }) => sum + enrolment.proofs.length, 0);
      return `${count(operators.size, 'operator')}, ${count(proofs, 'identity proof')}`;
    },
  },
];

async function readEnrolments(audit: Audit): Promise<readonly RecordedEnrolment[]> {
  const { newest } = await audit.get(trustFact);
  const ledger = await audit.get(ledgerFact);
  const recorded: (RecordedEnrolment & { path: string })[] = [];
  for (const path of pathsIn(audit, 'enrolments/')) {
    const bytes = await audit.files.read(path, LIMIT.small);
    const envelope = within(path, () => parseEnvelopeFile(bytes));
    const enrolment = within(path, () => verifyEnrolment(envelope, audit.verify));
    demand(enrolment.network === newest.network, `${path} is for another network`);
    demand(enrolment.origin === newest.origin, `${path} is for another service`);
    const index = leafOf(ledger, 'enrolment', envelope, path);
    recorded.push({ enrolment, envelope, index, path });
  }
  recorded.sort((a, b) => a.index - b.index);

  const seen = new Map<string, number>();
  for (const { enrolment, path } of recorded) {
    const nth = (seen.get(enrolment.operator) ?? 0) + 1;
    seen.set(enrolment.operator, nth);
    demand(path === RECORD.enrolment(enrolment.operator, nth), `${path} is in another’s place`);
  }
  return recorded;
}
