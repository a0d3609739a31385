import { z } from 'zod';

import { concatBytes, equalBytes, fromBase64, toBase64, utf8Encode } from '../encoding/bytes.ts';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { hex64, parseShape } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from './ed25519.ts';

/** The one payload type: whatever anybody signs is an in-toto statement. */
export const STATEMENT_TYPE = 'application/vnd.in-toto+json';

const MAX_ENVELOPE_BYTES = 128 * 1024;
const MAX_SIGNATURES = 64;

export interface EnvelopeSignature {
  /** The signer's public key as claimed; whether it is one is checked when it is verified. */
  readonly keyid: Ed25519PublicKey;
  /** 64 bytes. */
  readonly sig: Uint8Array;
}

/** A DSSE envelope around an in-toto statement; signatures sorted by key id, one a key. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

const envelopeShape = z.strictObject({
  payloadType: z.literal(STATEMENT_TYPE),
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: hex64, sig: z.string().length(88) }))
    .min(1)
    .max(MAX_SIGNATURES),
});

/**
 * The bytes that are signed: type and payload, each behind its length, so that neither can flow
 * into the other and no signature made elsewhere fits.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
 */
export function preAuthEncoding(type: string, payload: Uint8Array): Uint8Array {
  const typeLength = utf8Encode(type).length;
  return concatBytes(utf8Encode(`DSSEv1 ${typeLength} ${type} ${payload.length} `), payload);
}

/**
 * Parse an envelope as transmitted. Nothing in it is verified yet.
 *
 * @param bytes - At most 128 KiB of JSON, with 1 to 64 signatures in the order of their key ids.
 * @throws {@link ProtocolError} `too_large`, `encoding_invalid` (JSON, base64) or
 *   `envelope_invalid` (shape, payload type, order, a key id twice).
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  return readEnvelope(parseJson(bytes, MAX_ENVELOPE_BYTES));
}

/**
 * {@link parseEnvelope} for one that came as a member of other JSON; it may be as long as it would be
 * on its own.
 *
 * @param json - As `parseJson` returned it.
 */
export function readEnvelope(json: unknown): Envelope {
  if (JSON.stringify(json).length > MAX_ENVELOPE_BYTES) throw tooLarge();
  const { payload, signatures } = parseShape(envelopeShape, json, 'envelope_invalid', 'envelope');
  if (signatures.some(({ keyid }, index) => keyid < (signatures[index - 1]?.keyid ?? ''))) {
    throw new ProtocolError('envelope_invalid', 'signatures are not sorted by key id');
  }
  return makeEnvelope(
    fromBase64(payload),
    signatures.map(({ keyid, sig }) => ({
      keyid: keyid as Ed25519PublicKey,
      sig: fromBase64(sig),
    })),
  );
}

/**
 * Write an envelope as compact JSON, signatures sorted by key id.
 *
 * @throws {@link ProtocolError} `envelope_invalid` or `too_large` for one that
 *   {@link parseEnvelope} would refuse.
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { payload, signatures } = makeEnvelope(envelope.payload, envelope.signatures);
  const bytes = encodeJson({
    payloadType: STATEMENT_TYPE,
    payload: toBase64(payload),
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) })),
  });
  if (bytes.length > MAX_ENVELOPE_BYTES) throw tooLarge();
  return bytes;
}

function tooLarge(): ProtocolError {
  return new ProtocolError('too_large', `envelope is longer than ${MAX_ENVELOPE_BYTES} bytes`);
}

/**
 * Sign a statement's payload with every one of `signers`.
 *
 * @throws {@link ProtocolError} `envelope_invalid` without a signer, or with one key twice.
 */
export function signEnvelope(payload: Uint8Array, ...signers: readonly Signer[]): Envelope {
  const message = preAuthEncoding(STATEMENT_TYPE, payload);
  const signatures = signers.map((signer) => ({
    keyid: signer.publicKey,
    sig: signer.sign(message),
  }));
  return makeEnvelope(payload, signatures);
}

/**
 * Join the signatures of two envelopes over the same payload. Verifies nothing: a bad signature
 * makes the whole envelope fail, so verify each part before merging.
 *
 * @returns One signature a key; where both have one, that of `a`.
 * @throws {@link ProtocolError} `envelope_invalid` for different payloads or too many signatures.
 */
export function mergeSignatures(a: Envelope, b: Envelope): Envelope {
  if (!equalBytes(a.payload, b.payload)) {
    throw new ProtocolError('envelope_invalid', 'envelopes hold different payloads');
  }
  const known = new Set(a.signatures.map(({ keyid }) => keyid));
  const added = b.signatures.filter(({ keyid }) => !known.has(keyid));
  return makeEnvelope(a.payload, [...a.signatures, ...added]);
}

/**
 * Verify every signature and count the people behind them.
 *
 * Strict: one signature by an unknown key, or one that does not verify, refuses the envelope. All
 * keys are looked up before the first signature is verified.
 *
 * @param signers - Keys that have a say here, each with the person it belongs to.
 * @param threshold - Distinct people needed, at least 1.
 * @returns The payload, and the people who signed it, sorted.
 * @throws {@link ProtocolError} `signature_invalid` or `threshold_unmet`
 */
export function verifyEnvelope(
  envelope: Envelope,
  verify: VerifyEd25519,
  signers: ReadonlyMap<Ed25519PublicKey, string>,
  threshold: number,
): { payload: Uint8Array; people: readonly string[] } {
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new RangeError('a threshold is at least 1');
  }
  const people = new Set<string>();
  for (const { keyid } of envelope.signatures) {
    const person = signers.get(keyid);
    if (person === undefined) {
      throw new ProtocolError('signature_invalid', 'signed by a key that has no say here');
    }
    people.add(person);
  }
  const message = preAuthEncoding(STATEMENT_TYPE, envelope.payload);
  for (const { keyid, sig } of envelope.signatures) {
    if (!verify(keyid, message, sig)) {
      throw new ProtocolError('signature_invalid', `signature of key ${keyid} does not verify`);
    }
  }
  if (people.size < threshold) {
    throw new ProtocolError(
      'threshold_unmet',
      `signed by ${people.size} of the ${threshold} people needed`,
    );
  }
  return { payload: envelope.payload, people: [...people].sort() };
}

/** Put signatures in their one order and check what both reading and writing must. */
function makeEnvelope(payload: Uint8Array, signatures: readonly EnvelopeSignature[]): Envelope {
  if (signatures.length < 1 || signatures.length > MAX_SIGNATURES) {
    throw new ProtocolError(
      'envelope_invalid',
      `an envelope has 1 to ${MAX_SIGNATURES} signatures`,
    );
  }
  if (new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length) {
    throw new ProtocolError('envelope_invalid', 'one key signed twice');
  }
  if (signatures.some(({ sig }) => sig.length !== 64)) {
    throw new ProtocolError('envelope_invalid', 'a signature has 64 bytes');
  }
  const sorted = signatures.toSorted((a, b) => (a.keyid < b.keyid ? -1 : 1));
  return { payload, signatures: sorted };
}
