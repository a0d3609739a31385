import { randomBytes } from 'node:crypto';

import { generateSeed, signerFromSeed, type KeyedSigner } from '../../platform/ed25519.ts';
import type { ContactKey } from '../../protocol/contact/contact-key.ts';
import { generateContactKey } from '../../protocol/contact/contact-key.ts';
import { fromHex, toBase58 } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodeSnapshot } from '../../protocol/stake/snapshot.ts';
import type { EnrolmentFields } from '../../protocol/statement/enrolment.ts';
import { encodeEnrolment, enrolmentText } from '../../protocol/statement/enrolment.ts';
import { legacyOffchainMessage } from '../../protocol/statement/solana-offchain.ts';
import { NETWORK } from './officers.ts';

/** A validator's identity key, and its stake in lamports. */
export interface TestValidator {
  readonly key: KeyedSigner;
  /** Base58. */
  readonly identity: string;
  readonly voteAccount: string;
  readonly stake: bigint;
}

export interface TestOperator {
  readonly key: KeyedSigner;
  readonly openpgp: ContactKey;
  readonly email: string;
  readonly validators: readonly TestValidator[];
}

export function makeValidator(stake: bigint): TestValidator {
  const key = signerFromSeed(generateSeed());
  return { key, identity: base58Of(key), voteAccount: toBase58(randomBytes(32)), stake };
}

let sharedContact: Promise<ContactKey> | undefined;

/**
 * An operator of these validators. All share one OpenPGP key unless given their own: making one
 * takes longer than everything else.
 */
export async function makeOperator(
  validators: readonly TestValidator[],
  options: { readonly email?: string; readonly openpgp?: ContactKey } = {},
): Promise<TestOperator> {
  sharedContact ??= generateContactKey(
    { name: 'operator', email: 'operator@validators.example' },
    new Date('2026-01-01T00:00:00Z'),
  );
  const key = signerFromSeed(generateSeed());
  return {
    key,
    openpgp: options.openpgp ?? (await sharedContact),
    email: options.email ?? `op-${key.publicKey.slice(0, 8)}@validators.example`,
    validators,
  };
}

/** The snapshot that these validators make. */
export function snapshotOf(validators: readonly TestValidator[], point = 'epoch 650'): Uint8Array {
  return encodeSnapshot({
    network: NETWORK,
    point,
    source: 'a test',
    rows: validators.map(({ identity, voteAccount, stake }) => ({ identity, voteAccount, stake })),
  });
}

/** An enrolment, each part of which a test can replace before it is signed. */
export function enrolmentEnvelope(
  operator: TestOperator,
  options: {
    readonly origin: string;
    readonly now: number;
    readonly fields?: Partial<EnrolmentFields>;
    /** Who signs for each validator; its own key by default. */
    readonly signerOf?: (validator: TestValidator) => KeyedSigner;
    readonly by?: KeyedSigner;
  },
): Envelope {
  const { origin, now, fields = {}, by = operator.key } = options;
  const signerOf = options.signerOf ?? ((it: TestValidator) => it.key);
  const claimed: EnrolmentFields = {
    network: NETWORK,
    origin,
    operator: operator.key.publicKey,
    openpgp: operator.openpgp.fingerprint,
    nonce: randomBytes(32).toString('hex'),
    issuedAt: formatTime(now),
    ...fields,
  };
  const proofs = operator.validators
    .map((validator) => {
      const message = legacyOffchainMessage(enrolmentText(claimed, validator.identity));
      return {
        validator: validator.identity,
        scheme: 'solana-offchain-legacy' as const,
        signature: toBase58(signerOf(validator).sign(message)),
      };
    })
    .sort((a, b) => (a.validator < b.validator ? -1 : 1));
  return signEnvelope(encodeEnrolment({ ...claimed, proofs }), by);
}

function base58Of(key: KeyedSigner): string {
  return toBase58(fromHex(key.publicKey, 32));
}
