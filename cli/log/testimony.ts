import { toBase64, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { findContradictions, type Contradiction } from '../../protocol/log/testimony.ts';
import type { TreeReader } from '../../protocol/log/tree-reader.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { VerifiedOperatorStatement } from '../../protocol/statement/operator.ts';
import type { TestimonyEvidence } from './evidence.ts';
import type { SignedState } from './succession.ts';

/** A statement whose signature is verified, and where it was found. */
export interface Testimony {
  /** Such as `statement 7`. */
  readonly what: string;
  readonly statement: Pick<VerifiedOperatorStatement, 'operator' | 'checkpoint'>;
  readonly envelope: Envelope;
  /** The one that binds its operator to validators. */
  readonly enrolment?: Envelope | undefined;
}

/** A statement that this log contradicts. */
export interface Contradicted {
  readonly operator: string;
  /** Who saw what in place of what, in one line. */
  readonly line: string;
  evidence(): TestimonyEvidence;
}

/** Keeps evidence. @returns Its path. */
export type KeepEvidence = (evidence: TestimonyEvidence) => Promise<string>;

/** A single operator can name as many checkpoints as he likes. */
const MAX_LINES = 5;
const MAX_KEPT = 100;

/**
 * Find the statements that name a checkpoint which the log never had.
 *
 * @param log - Its signature verified by the caller.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles are not those of the log.
 */
export async function findContradicted(
  testimonies: readonly Testimony[],
  log: SignedState,
  tree: Pick<TreeReader, 'hashes'>,
): Promise<readonly Contradicted[]> {
  const named = testimonies.map(({ statement }) => statement.checkpoint);
  const found = await findContradictions(named, log.checkpoint, tree);
  return testimonies.flatMap((testimony, i) => {
    const contradiction = found[i];
    if (contradiction === undefined) return [];
    const line = `${testimony.what}: ${describeContradiction(testimony.statement, contradiction, log)}`;
    const { envelope, enrolment } = testimony;
    const evidence = (): TestimonyEvidence => ({
      kind: 'contradicted',
      statement: textOf(envelope),
      enrolment: enrolment && textOf(enrolment),
      shown: log.note,
      proof: contradiction.proof,
    });
    return [{ operator: testimony.statement.operator, line, evidence }];
  });
}

/** Which operator saw what, and what the log has in its place. */
export function describeContradiction(
  { operator, checkpoint }: Testimony['statement'],
  { ours }: Pick<Contradiction, 'ours'>,
  { checkpoint: { size } }: Pick<SignedState, 'checkpoint'>,
): string {
  const instead =
    ours === undefined
      ? `this log has ${size} leaves`
      : `this log has the root ${toBase64(ours)} there`;
  return `operator ${operator} saw the root ${checkpoint.root} at size ${checkpoint.size}, and ${instead}`;
}

/**
 * What to tell of statements that the log contradicts, once their evidence is kept.
 *
 * It is the log that showed another history, or the operator who made it up: nobody can tell from the
 * statement alone.
 *
 * @returns An error with the code `checkpoint_contradicted`.
 */
export async function contradictionError(
  found: readonly Contradicted[],
  keep: KeepEvidence | undefined,
): Promise<ProtocolError> {
  const ordered = oneOfEachFirst(found);
  const kept: string[] = [];
  let failure: unknown;
  try {
    for (const contradicted of ordered.slice(0, MAX_KEPT)) {
      if (keep !== undefined) kept.push(await keep(contradicted.evidence()));
    }
  } catch (cause) {
    failure = cause;
  }
  const lines = ordered.slice(0, MAX_LINES).map(({ line }) => line);
  if (found.length > lines.length) lines.push(`${found.length - lines.length} more`);
  const [path] = kept;
  const where = path === undefined ? '' : `; kept: ${kept.length}, the first in ${path}`;
  const failed = failure === undefined ? '' : '; the evidence could not be written';
  return new ProtocolError(
    'checkpoint_contradicted',
    `the log showed somebody another history, or operators made it up: ${lines.join('; ')}${where}${failed}; ` +
      'ask them for the signed checkpoint that they saw, and run: sealdrop audit --compare',
    { cause: failure },
  );
}

/** Nobody hides what others have seen behind many of his own. */
function oneOfEachFirst(found: readonly Contradicted[]): readonly Contradicted[] {
  const first = new Set(
    [...Map.groupBy(found, ({ operator }) => operator).values()].map(([it]) => it),
  );
  return [...first, ...found.filter((it) => !first.has(it))].filter((it) => it !== undefined);
}

function textOf(envelope: Envelope): string {
  return utf8Decode(encodeEnvelope(envelope));
}
