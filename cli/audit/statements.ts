import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { treeReader } from '../../protocol/log/tree-reader.ts';
import type { Ed25519PublicKey } from '../../protocol/signature/ed25519.ts';
import {
  parseOperatorStatement,
  verifyOperatorStatement,
  type VerifiedOperatorStatement,
} from '../../protocol/statement/operator.ts';
import { contradictionError, findContradicted } from '../log/testimony.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { parseStatementLines, type StatementLine } from '../../protocol/record/lines.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { enrolmentsFact } from './enrolments.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { checkpointFact, tilesFact } from './log.ts';
import { planFact } from './plan.ts';
import { olderTiles } from './record-log.ts';

export interface RecordedStatement {
  readonly statement: VerifiedOperatorStatement;
  readonly line: StatementLine;
  /** Of its sealed leaf. */
  readonly index: number;
}

/** statements.jsonl as it stands: nothing is verified. */
export const statementLinesFact: Fact<readonly StatementLine[]> = {
  check: 'statements.signatures',
  async establish(audit) {
    return parseStatementLines(await audit.files.read(RECORD.statements, LIMIT.list));
  },
};

/** What operators said, each signed by an operator who had enrolled before, about this campaign. */
export const statementsFact: Fact<readonly RecordedStatement[]> = {
  check: 'statements.signatures',
  establish: readStatements,
};

export const statementChecks: readonly Check[] = [
  {
    id: 'statements.signatures',
    title: 'every statement is signed by an operator enrolled before, about this very campaign',
    async run(audit: Audit): Promise<string> {
      const statements = await audit.get(statementsFact);
      const kinds = Map.groupBy(statements, ({ statement }) => statement.kind);
      const parts = [...kinds].map(([kind, those]) => `${those.length} ${kind}`);
      return parts.join(', ') || 'no statement';
    },
  },
  {
    id: 'statements.order',
    title: 'statements stand as the log has them, and each operator’s counters rise',
    run: checkOrder,
  },
  {
    id: 'statements.checkpoints',
    title: 'every checkpoint that an operator says to have seen is one of this log',
    run: checkCheckpoints,
  },
];

async function readStatements(audit: Audit): Promise<readonly RecordedStatement[]> {
  const { plans, last } = await audit.get(planFact);
  const enrolments = await audit.get(enrolmentsFact);
  const ledger = await audit.get(ledgerFact);
  const enrolledAt = new Map<string, { operator: Ed25519PublicKey; index: number }>();
  for (const { enrolment, index } of enrolments.toReversed()) {
    enrolledAt.set(enrolment.operator, { operator: enrolment.operator, index });
  }
  return (await audit.get(statementLinesFact)).map((line) => {
    const what = `statement ${line.seq}`;
    const [signature] = line.envelope.signatures;
    const enrolled = enrolledAt.get(signature?.keyid ?? '');
    demand(enrolled !== undefined, `${what} is by nobody who enrolled`);
    // What it is of, it says itself; when that was in force is for the order of the log.
    const { plan, statement } = within(what, () => {
      const { revision } = parseOperatorStatement(line.envelope.payload);
      const plan = plans[revision - 1] ?? last.plan;
      const { envelope } = line;
      return {
        plan,
        statement: verifyOperatorStatement(envelope, audit.verify, enrolled.operator, plan),
      };
    });
    if (statement.kind === 'attest') {
      const isPlanned = plan.bundles.some(({ variant }) => variant === statement.variant);
      demand(isPlanned, `${what} attests a variant that the plan does not have`);
    }
    const index = leafOf(ledger, 'statement', line.envelope, what);
    demand(enrolled.index < index, `${what} was logged before its operator enrolled`);
    return { statement, line, index };
  });
}

async function checkOrder(audit: Audit): Promise<string> {
  const statements = await audit.get(statementsFact);
  const counters = new Map<string, number>();
  for (const [i, { statement, line, index }] of statements.entries()) {
    const before = statements[i - 1];
    const what = `statement ${line.seq}`;
    demand(line.seq === i + 1, `${what} is not number ${i + 1}`);
    demand(before === undefined || before.index < index, `${what} is not in the log’s order`);
    const { operator, counter } = statement;
    demand(counter > (counters.get(operator) ?? 0), `${what} does not raise its counter`);
    counters.set(operator, counter);
  }
  return `by ${count(counters.size, 'operator')}`;
}

/** Each is testimony of what a stranger was shown, at no cost to anybody. */
async function checkCheckpoints(audit: Audit): Promise<string> {
  const statements = await audit.get(statementsFact);
  const checkpoint = await audit.get(checkpointFact);
  const enrolments = await audit.get(enrolmentsFact);
  await audit.get(tilesFact);
  const bindings = new Map(enrolments.map((it) => [it.enrolment.operator, it.envelope]));
  const note = utf8Decode(await audit.files.read(RECORD.checkpoint, LIMIT.small));
  const contradicted = await findContradicted(
    statements.map(({ statement, line }) => ({
      what: `statement ${line.seq}`,
      statement,
      envelope: line.envelope,
      enrolment: bindings.get(statement.operator),
    })),
    { checkpoint, note },
    treeReader(olderTiles(audit.files, checkpoint.size)),
  );
  if (contradicted.length > 0) throw await contradictionError(contradicted, audit.keep);
  const sizes = new Set(statements.map(({ statement }) => statement.checkpoint.size));
  return count(sizes.size, 'checkpoint');
}
