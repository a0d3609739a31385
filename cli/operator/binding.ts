import { z } from 'zod';
import { signerFromSeed } from '../../platform/ed25519.ts';
import { toBase58, toHex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { hex64, parseShape, time } from '../../protocol/encoding/shape.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEnvelope, signEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import {
  encodeEnrolment,
  enrolmentText,
  parseEnrolment,
  type Enrolment,
  type EnrolmentFields,
  type IdentityProof,
} from '../../protocol/statement/enrolment.ts';
import { legacyOffchainMessage } from '../../protocol/statement/solana-offchain.ts';
import type { Context } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { findFile, readInputFile, writeAtomically } from '../home/files.ts';
import type { Home } from '../home/home.ts';

/** A validator identity's key, read from Solana's keypair file. Used once. */
export interface IdentityKey {
  readonly validator: string; // base58
  readonly signer: Signer;
}

const MAX_KEYPAIR_BYTES = 1024;
const keypairShape = z.array(z.int().min(0).max(255)).length(64);

/**
 * Read Solana's keypair file: a JSON array of 32 seed bytes and 32 public key bytes.
 *
 * @throws {@link ProtocolError} `key_invalid` when the two halves do not belong together.
 */
export async function readIdentity(path: string): Promise<IdentityKey> {
  const json = parseJson(await readInputFile(path, MAX_KEYPAIR_BYTES), MAX_KEYPAIR_BYTES);
  const bytes = Uint8Array.from(parseShape(keypairShape, json, 'key_invalid', 'keypair file'));
  const signer = signerFromSeed(bytes.slice(0, 32));
  if (toHex(bytes.subarray(32)) !== signer.publicKey) {
    throw new ProtocolError('key_invalid', `${path}: public and secret half do not match`);
  }
  return { validator: toBase58(bytes.subarray(32)), signer };
}

/** Let an identity sign the binding, as `solana sign-offchain-message` would. */
export function proveIdentity(fields: EnrolmentFields, identity: IdentityKey): IdentityProof {
  const message = legacyOffchainMessage(enrolmentText(fields, identity.validator));
  const signature = toBase58(identity.signer.sign(message));
  return { validator: identity.validator, scheme: 'solana-offchain-legacy', signature };
}

/** `IDENTITY=SIGNATURE`, as a person brings it back from the machine that holds the key. */
export function parseProof(text: string): IdentityProof {
  const [validator, signature, ...rest] = text.split('=');
  if (!validator || !signature || rest.length > 0) {
    throw new UsageError('--proof is IDENTITY=SIGNATURE, both in base58');
  }
  return { validator, scheme: 'solana-offchain-legacy', signature };
}

/** Sign the enrolment with the operator key. */
export function signEnrolment(enrolment: Enrolment, signer: Signer): Envelope {
  return signEnvelope(encodeEnrolment(enrolment), signer);
}

const draftShape = z.strictObject({ nonce: hex64, issuedAt: time });

/**
 * Nonce and time of this operator's binding, kept: identities may sign on another machine, on
 * another day, and further ones may join later.
 */
export async function draftFields(
  home: Home,
  context: Context,
  fixed: Omit<EnrolmentFields, 'nonce' | 'issuedAt'>,
): Promise<EnrolmentFields> {
  const path = home.path('enrolment.draft.json');
  const bytes = await findFile(path);
  if (bytes !== undefined) {
    const json = parseJson(bytes, 4096);
    return { ...fixed, ...parseShape(draftShape, json, 'encoding_invalid', path) };
  }
  const draft = { nonce: toHex(context.randomBytes(32)), issuedAt: formatTime(context.now()) };
  await writeAtomically(path, utf8Encode(`${JSON.stringify(draft)}\n`), 0o600);
  return { ...fixed, ...draft };
}

const FIELDS = ['network', 'origin', 'operator', 'openpgp', 'nonce', 'issuedAt'] as const;

const envelopePath = (home: Home): string => home.path('enrolment.intoto.json');

/** Remember the binding that the server has accepted. */
export async function saveBinding(home: Home, envelope: Uint8Array): Promise<void> {
  await writeAtomically(envelopePath(home), envelope);
}

/** @throws {@link CliError} before `enroll`. */
export async function ownBinding(home: Home): Promise<Enrolment> {
  const binding = await findBinding(home);
  if (binding !== undefined) return binding;
  throw new CliError(
    'no validator is bound to this operator yet',
    'run: sealdrop enroll --identity KEYPAIR.json --email ADDRESS',
  );
}

async function findBinding(home: Home): Promise<Enrolment | undefined> {
  const bytes = await findFile(envelopePath(home));
  return bytes && parseEnrolment(parseEnvelope(bytes).payload);
}

/**
 * Add proofs to those that were accepted before, so that an operator who enrols one more validator
 * goes on speaking for the others.
 *
 * @returns Sorted by validator; a new proof replaces the old one.
 */
export async function withEarlierProofs(
  home: Home,
  fields: EnrolmentFields,
  proofs: readonly IdentityProof[],
): Promise<readonly IdentityProof[]> {
  const before = await findBinding(home);
  // An identity signed exactly these fields; under others its proof would not hold.
  const isSame = before !== undefined && FIELDS.every((field) => before[field] === fields[field]);
  const all = new Map(
    [...(isSame ? before.proofs : []), ...proofs].map((proof) => [proof.validator, proof]),
  );
  return [...all.values()].sort((a, b) => (a.validator < b.validator ? -1 : 1));
}
