import type { Ed25519PublicKey } from '../signature/ed25519.ts';

/**
 * Which operator speaks for each validator identity: identity in base58 → operator key.
 *
 * One operator may speak for many identities; an identity has one operator.
 */
export type Bindings = ReadonlyMap<string, Ed25519PublicKey>;

/** As much of a verified enrolment as decides who speaks for whom. */
interface Binding {
  readonly operator: Ed25519PublicKey;
  readonly proofs: readonly { readonly validator: string }[];
}

/**
 * Bind identities to operators.
 *
 * The identity proves possession each time, so when two operators hold a proof of the same one, the
 * later enrolment decides and the earlier operator's word no longer counts for it, whatever was said
 * before. The log's order is what "later" means, because everybody sees the same one.
 *
 * @param enrolments - Verified, in the order of their leaves in the log.
 * @see docs/spec/stake.md, "Bindings"
 */
export function bindIdentities(enrolments: Iterable<Binding>): Bindings {
  const bindings = new Map<string, Ed25519PublicKey>();
  for (const { operator, proofs } of enrolments) {
    for (const { validator } of proofs) bindings.set(validator, operator);
  }
  return bindings;
}
