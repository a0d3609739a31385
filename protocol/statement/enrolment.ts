import { z } from 'zod';
import { fromBase58, fromHex, sha256Hex } from '../encoding/bytes.ts';
import { hex64, networkId, time } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import { parseEd25519PublicKey } from '../signature/ed25519.ts';
import type { Ed25519PublicKey, VerifyEd25519 } from '../signature/ed25519.ts';
import { publicKeyHex } from '../signature/key-shape.ts';
import { addressText, identityKey } from '../stake/identity.ts';
import { originText } from '../trust/origin.ts';
import { legacyOffchainMessage } from './solana-offchain.ts';
import { encodeStatement, parseStatementAbout } from './statement.ts';

/** One validator identity's own signature under the binding, made once, offline if wished. */
export interface IdentityProof {
  /** Identity in base58. */
  readonly validator: string;
  readonly scheme: 'solana-offchain-legacy';
  /** 64 bytes in base58, as `solana sign-offchain-message` prints it. */
  readonly signature: string;
}

/** What every identity signs, the identity itself aside. */
export interface EnrolmentFields {
  readonly network: string;
  /** Name of the service that is enrolled with: a proof is of no use at another one. */
  readonly origin: string;
  readonly operator: Ed25519PublicKey;
  /** Fingerprint of the operator's OpenPGP key, 40 upper-case hex digits. */
  readonly openpgp: string;
  /** 32 random bytes in hex. */
  readonly nonce: string;
  /** RFC 3339 UTC. */
  readonly issuedAt: string;
}

/** An operator key and OpenPGP key, bound to the validator identities that vouch for them. */
export interface Enrolment extends EnrolmentFields {
  /** Sorted by validator, unique, 1 to 1000. */
  readonly proofs: readonly IdentityProof[];
}

const SUBJECT = 'operator.pub';

const fields = {
  network: networkId,
  origin: originText,
  operator: publicKeyHex,
  openpgp: z.string().regex(/^[0-9A-F]{40}$/, 'an OpenPGP v4 fingerprint'),
  nonce: hex64,
  issuedAt: time,
};

const proof = z.strictObject({
  validator: addressText,
  scheme: z.literal('solana-offchain-legacy'),
  signature: z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{64,88}$/, 'a base58 signature'),
});

const enrolmentPredicate = z.strictObject({ ...fields, proofs: z.array(proof).min(1).max(1000) });

/**
 * The one line that a validator identity signs to bind itself to an operator.
 *
 * Printable ASCII, under 1000 bytes. It names what the signature layout leaves out: service,
 * purpose, network and signer. A verifier builds it anew and never parses what a client sent.
 */
export function enrolmentText(enrolment: EnrolmentFields, validator: string): string {
  const { network, origin, operator, openpgp, nonce, issuedAt } = enrolment;
  return (
    `sealdrop:v1:enrol network=${network} server=${origin} validator=${validator} ` +
    `operator=${operator} openpgp=${openpgp} nonce=${nonce} issued=${issuedAt}`
  );
}

/**
 * Write an enrolment as the payload that the operator key signs.
 *
 * @throws {@link ProtocolError} as {@link parseEnrolment} does.
 */
export function encodeEnrolment(enrolment: Enrolment): Uint8Array {
  const sha256 = sha256Hex(fromHex(enrolment.operator, 32));
  const payload = encodeStatement('enrolment', [{ name: SUBJECT, sha256 }], enrolment);
  parseEnrolment(payload);
  return payload;
}

/**
 * Read an enrolment. No signature is checked here: see {@link verifyEnrolment}.
 *
 * @throws {@link ProtocolError} `statement_invalid`; `key_invalid` for an unusable operator key.
 */
export function parseEnrolment(payload: Uint8Array): Enrolment {
  const { sha256, predicate } = parseStatementAbout(
    payload,
    'enrolment',
    SUBJECT,
    enrolmentPredicate,
  );
  const operator = parseEd25519PublicKey(predicate.operator);
  if (sha256 !== sha256Hex(fromHex(operator, 32))) {
    throw new ProtocolError('statement_invalid', 'the enrolment is about another operator key');
  }
  if (!isStrictlySorted(predicate.proofs.map(({ validator }) => validator))) {
    throw new ProtocolError('statement_invalid', 'identity proofs are sorted, one per validator');
  }
  return { ...predicate, operator };
}

/**
 * Verify that an operator key and every validator identity it claims agree to be bound.
 *
 * The envelope is signed by the operator key alone and each identity has signed its own
 * {@link enrolmentText}. Network and origin are returned for the caller to compare with its own.
 *
 * @throws {@link ProtocolError} `signature_invalid` or `threshold_unmet` for the envelope,
 *   `binding_invalid` for an identity whose proof does not hold or whose key is unusable.
 * @see docs/spec/statements.md, "Enrolment"
 */
export function verifyEnrolment(envelope: Envelope, verify: VerifyEd25519): Enrolment {
  const enrolment = parseEnrolment(envelope.payload);
  verifyEnvelope(envelope, verify, new Map([[enrolment.operator, 'operator']]), 1);
  for (const { validator, signature } of enrolment.proofs) {
    const message = legacyOffchainMessage(enrolmentText(enrolment, validator));
    if (!isSignedBy(validator, message, signature, enrolment.operator, verify)) {
      throw new ProtocolError('binding_invalid', `the proof of ${validator} does not hold`);
    }
  }
  return enrolment;
}

/** An identity may not be the operator key itself: the hot key must rest after this one use. */
function isSignedBy(
  validator: string,
  message: Uint8Array,
  signature: string,
  operator: Ed25519PublicKey,
  verify: VerifyEd25519,
): boolean {
  try {
    const key = identityKey(validator);
    return key !== operator && verify(key, message, fromBase58(signature, 64));
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
