import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { verifyFork } from '../../../protocol/log/fork.ts';
import { fromBase64 } from '../../../protocol/encoding/bytes.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { verifyEnrolment } from '../../../protocol/statement/enrolment.ts';
import {
  verifySignedByOperator,
  type VerifiedOperatorStatement,
} from '../../../protocol/statement/operator.ts';
import type { TestimonyEvidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { openState, type WitnessedState } from '../signed-state.ts';

/** A signed statement against a signed log. */
export interface ProvenContradiction {
  readonly statement: VerifiedOperatorStatement;
  /** Validators of the statement that have vouched for its operator, as the file shows. */
  readonly vouched: readonly string[];
  readonly state: WitnessedState;
  /** Root of the log at the size that the statement names; undefined when it is not that long. */
  readonly ours: Uint8Array | undefined;
}

/**
 * Check evidence of a named checkpoint that the log never had, from its file alone.
 *
 * @throws {@link ProtocolError} `proof_invalid` when the log has that very checkpoint, or the proof
 *   shows nothing; `signature_invalid` when the operator or the log did not sign.
 */
export function verifyTestimony(evidence: TestimonyEvidence, keys: LogKeys): ProvenContradiction {
  const state = openState(evidence.shown, keys);
  const statement = verifySignedByOperator(
    parseEnvelope(utf8Encode(evidence.statement)),
    verifyEd25519,
  );
  const vouched = vouchedBy(evidence, statement, keys);
  const { size, root } = statement.checkpoint;
  const { proof } = evidence;
  if (size > state.checkpoint.size) {
    if (proof.length > 0) throw new ProtocolError('proof_invalid', 'a proof of nothing');
    return { statement, vouched, state, ours: undefined };
  }
  const ours = verifyFork({ size, root: fromBase64(root) }, state.checkpoint, proof);
  return { statement, vouched, state, ours };
}

function vouchedBy(
  { enrolment }: TestimonyEvidence,
  { operator, network, validators }: VerifiedOperatorStatement,
  { log }: LogKeys,
): readonly string[] {
  if (enrolment === undefined) return [];
  const binding = verifyEnrolment(parseEnvelope(utf8Encode(enrolment)), verifyEd25519);
  const isTheirs =
    binding.operator === operator && binding.network === network && binding.origin === log.name;
  if (!isTheirs) throw new ProtocolError('proof_invalid', 'the enrolment is of another operator');
  const bound = new Set(binding.proofs.map(({ validator }) => validator));
  return validators.filter((validator) => bound.has(validator));
}
