import { z } from 'zod';
import { endorserCard, officerCard, reviewerCard, serverCard } from '../../protocol/api/card.ts';
import { readRecipientKey } from '../../protocol/contact/contact-key.ts';
import { fingerprintOf, readContactKey, readPublicKey } from '../../protocol/contact/key.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import type { Endorser, Officer, Reviewer, TrustRoot } from '../../protocol/trust/root.ts';
import { readInputFile } from '../home/files.ts';
import type { OfficerKeys, OfficerRootKey } from '../home/keys.ts';

export type OfficerCard = z.infer<typeof officerCard>;
export type ServerCard = z.infer<typeof serverCard>;
export type ReviewerCard = z.infer<typeof reviewerCard>;
export type EndorserCard = z.infer<typeof endorserCard>;

const MAX_CARD_BYTES = 131_072;

/** @throws {@link ProtocolError} `trust_invalid` for another shape, or a key nobody could use. */
export async function readOfficerCard(path: string, now: Date): Promise<OfficerCard> {
  const card = await readCard(path, officerCard);
  await readRecipientKey(card.openpgp, now);
  return card;
}

export function readServerCard(path: string): Promise<ServerCard> {
  return readCard(path, serverCard);
}

export async function readReviewerCard(path: string): Promise<Reviewer> {
  const { id, name, key, age } = await readCard(path, reviewerCard);
  return { id, name, key: parseEd25519PublicKey(key), age };
}

export async function readEndorserCard(path: string): Promise<Endorser> {
  const { id, name, key } = await readCard(path, endorserCard);
  return { id, name, key: parseEd25519PublicKey(key) };
}

/** The card of whoever is to read a draft. */
export function readHandoverCard(path: string): Promise<OfficerCard | ReviewerCard> {
  return readCard(path, z.discriminatedUnion('format', [officerCard, reviewerCard]));
}

async function readCard<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const json = parseJson(await readInputFile(path, MAX_CARD_BYTES), MAX_CARD_BYTES);
  return parseShape(schema, json, 'trust_invalid', `card ${path}`);
}

/** The server as holder of shares, as the root lists it; absent unless its card offers that. */
export function custodianOf({ custodian }: ServerCard): Pick<TrustRoot, 'custodian'> {
  if (custodian === undefined) return {};
  return { custodian: { key: parseEd25519PublicKey(custodian.key), age: custodian.age } };
}

/** A card as the root lists it. */
export function officerOf({ id, root, signing, age, openpgp }: OfficerCard): Officer {
  return {
    id,
    root: parseEd25519PublicKey(root),
    signing: parseEd25519PublicKey(signing),
    age,
    openpgp,
  };
}

/**
 * Check that a root lists exactly the keys of this home for its officer, so that nobody signs
 * somebody else's key under their own name.
 *
 * @throws {@link ProtocolError} `trust_invalid` naming the key that differs.
 */
export async function requireOwnKeys(
  root: TrustRoot,
  keys: OfficerKeys,
  rootKey: OfficerRootKey,
): Promise<void> {
  const other = await findForeignKey(root, keys, rootKey);
  if (other === undefined) return;
  if (other === 'id') {
    throw new ProtocolError('trust_invalid', `${keys.id} is not among the people of this root`);
  }
  throw new ProtocolError(
    'trust_invalid',
    `the ${other} key listed for ${keys.id} is not the one in this home; do not sign it`,
  );
}

/**
 * What a root lists for the officer of this home that is not of this home.
 *
 * @returns `id` when the root does not know the officer, the first purpose whose key differs, or
 *   nothing when all are the same.
 */
export async function findForeignKey(
  root: TrustRoot,
  keys: OfficerKeys,
  rootKey: OfficerRootKey,
): Promise<'id' | 'root' | 'signing' | 'age' | 'openpgp' | undefined> {
  const listed = root.people.get(keys.id);
  if (listed === undefined) return 'id';
  const listedOpenpgp = fingerprintOf(await readPublicKey(listed.openpgp));
  const ownOpenpgp = fingerprintOf(await readContactKey(keys.openpgp));
  const checks = {
    root: rootKey.id === keys.id && listed.root === rootKey.signer.publicKey,
    signing: listed.signing === keys.signer.publicKey,
    age: listed.age === (await recipientOf(keys.ageIdentity)),
    openpgp: listedOpenpgp === ownOpenpgp,
  };
  return (['root', 'signing', 'age', 'openpgp'] as const).find((purpose) => !checks[purpose]);
}
