import type { OperatorStatementKind } from '../../../protocol/statement/operator.ts';
import { ServiceError } from '../error.ts';
import type { Acceptance, Receipted } from '../sealing.ts';

/** By one operator about one campaign: each stays for ever. */
export const MAX_STATEMENTS = 200;

export function tooManyStatements(): ServiceError {
  return new ServiceError('too_many_requests', `${MAX_STATEMENTS} statements are enough`);
}

/** A statement on its way into the database. */
export interface NewStatement {
  readonly campaign: string;
  readonly operator: string;
  readonly kind: OperatorStatementKind;
  readonly revision: number;
  readonly counter: number;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly envelope: string;
  readonly entry: Receipted;
}

/** The answer to a statement, and whether it is new. */
export interface Addition {
  readonly acceptance: Acceptance;
  readonly added: boolean;
}

interface StoredStatement {
  readonly seq: number;
  readonly acceptedAt: string;
  readonly envelope: string;
}

export interface StatementStore {
  /** The answer given to this very envelope, and the highest counter so far; 0 when there is none. */
  findStatement(
    statement: Pick<NewStatement, 'campaign' | 'operator' | 'digest' | 'counter'>,
  ): Promise<{
    readonly known: Acceptance | undefined;
    readonly lastCounter: number;
  }>;
  countStatements(campaign: string, operator: string): Promise<number>;
  /**
   * Add a statement, unless the same is there: then that one's answer is returned.
   *
   * @throws {@link ServiceError} `conflict` when the counter is not above the last one,
   *   `too_many_requests` beyond {@link MAX_STATEMENTS}.
   */
  addStatement(statement: NewStatement): Promise<Addition>;
  listStatements(
    campaign: string,
    after: number,
    limit: number,
  ): Promise<readonly StoredStatement[]>;
  /** Every kind with its operator and counter, in order of acceptance. */
  listKinds(
    campaign: string,
    operator?: string,
  ): Promise<readonly { operator: string; kind: OperatorStatementKind; counter: number }[]>;
}
