/** Every protocol failure a caller may need to tell apart. Stable: others depend on it. */
export type ProtocolErrorCode =
  | 'too_large' // longer than the stated limit; nothing after the limit was looked at
  | 'encoding_invalid' // not the one encoding of a value: text, hex, base64, JSON, time, number
  | 'document_invalid' // a sealed document or COMMITMENT breaks its grammar
  | 'commitment_mismatch' // bytes do not hash to what was committed to
  | 'envelope_invalid' // not a DSSE envelope as docs/spec/statements.md allows it
  | 'statement_invalid' // the signed statement has another shape or context than required
  | 'key_invalid' // not a usable public key: encoding, small order, wrong algorithm
  | 'signature_invalid' // a signature that does not verify, or by a key that has no say here
  | 'threshold_unmet' // too few distinct people signed
  | 'trust_invalid' // a root of trust that breaks its rules or does not follow from the one before
  | 'plan_invalid' // a plan that contradicts itself or the root of trust
  | 'transition_refused' // a campaign may not move that way from where it is
  | 'directives_forked' // two valid directives with one number: officers signed two histories
  | 'binding_invalid' // an operator's enrolment whose identity proofs do not hold
  | 'stake_invalid' // a stake amount that is not an exact decimal
  | 'snapshot_invalid' // a stake snapshot that breaks its grammar
  | 'note_invalid' // not a signed note
  | 'checkpoint_invalid' // not a checkpoint of the expected log
  | 'checkpoint_contradicted' // somebody signed to have seen a checkpoint that the log never had
  | 'policy_invalid' // a witness policy that breaks its grammar
  | 'quorum_unmet' // too few witnesses cosigned, or too long ago
  | 'proof_invalid' // an inclusion or consistency proof that does not hold
  | 'leaf_invalid' // not a leaf of our log
  | 'share_invalid' // a share that is not the one its officer was given
  | 'key_mismatch' // a release or closing key that does not belong to its recipient
  | 'timelock_invalid' // a share that is not locked to the round planned, or that its beacon does not open
  | 'beacon_invalid' // a drand beacon of another round, or not signed by the pinned chain
  | 'bundle_invalid' // a bundle whose contents are not what was approved
  | 'message_invalid'; // a mail that is not from an officer, or says more than was signed

/** Input broke a protocol rule. A bug of ours throws a plain `Error` instead. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  /** `message` may reach an outsider: no key material, no embargoed content. */
  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
