import { z } from 'zod';
import { signerFromSeed, type KeyedSigner } from '../../platform/ed25519.ts';
import { fromHex, toHex } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { hex64, parseShape, personId } from '../../protocol/encoding/shape.ts';
import { findSecret, writeNew } from './files.ts';

/** An officer's everyday keys. The root key is apart, see {@link OfficerRootKey}. */
export interface OfficerKeys {
  readonly id: string;
  /** Signs directives, releases, shares and TUF targets; logs in. */
  readonly signer: KeyedSigner;
  /** `AGE-SECRET-KEY-1…`: opens custody shares and drafts. */
  readonly ageIdentity: string;
  /** Armored OpenPGP private key: mails and SHA256SUMS.asc. */
  readonly openpgp: string;
}

/** Signs root.json and nothing else. Its file may be moved offline between uses. */
export interface OfficerRootKey {
  readonly id: string;
  readonly signer: KeyedSigner;
}

export interface OperatorKeys {
  readonly signer: KeyedSigner;
  /** Armored OpenPGP private key: opens mails. */
  readonly openpgp: string;
  readonly email: string;
}

/** Keys of a firm that reviews patches. */
export interface ReviewerKeys {
  readonly id: string;
  /** Signs reviews; logs in. */
  readonly signer: KeyedSigner;
  /** `AGE-SECRET-KEY-1…`: opens drafts. */
  readonly ageIdentity: string;
}

/** The key of somebody who repeats commitments in public. */
export interface EndorserKeys {
  readonly id: string;
  readonly signer: KeyedSigner;
}

/** The same with seeds in place of signers, as made and written once. */
export type NewOfficerKeys = Omit<OfficerKeys, 'signer'> & { readonly seed: Uint8Array };
export type NewOfficerRootKey = Omit<OfficerRootKey, 'signer'> & { readonly seed: Uint8Array };
export type NewReviewerKeys = Omit<ReviewerKeys, 'signer'> & { readonly seed: Uint8Array };
export type NewEndorserKeys = Omit<EndorserKeys, 'signer'> & { readonly seed: Uint8Array };
export type NewOperatorKeys = Omit<OperatorKeys, 'signer'> & { readonly seed: Uint8Array };

const officerJson = z.strictObject({
  format: z.literal('sealdrop-officer/v1'),
  id: personId,
  seed: hex64,
  ageIdentity: z.string().max(128),
  openpgp: z.string().max(65_536),
});
const officerRootJson = z.strictObject({
  format: z.literal('sealdrop-officer-root/v1'),
  id: personId,
  seed: hex64,
});
const reviewerJson = z.strictObject({
  format: z.literal('sealdrop-reviewer/v1'),
  id: personId,
  seed: hex64,
  ageIdentity: z.string().max(128),
});
const endorserJson = z.strictObject({
  format: z.literal('sealdrop-endorser/v1'),
  id: personId,
  seed: hex64,
});
const operatorJson = z.strictObject({
  format: z.literal('sealdrop-operator/v1'),
  seed: hex64,
  email: z.string().max(254),
  openpgp: z.string().max(65_536),
});

async function findKeys<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const bytes = await findSecret(path);
  if (bytes === undefined) return undefined;
  return parseShape(schema, parseJson(bytes, 262_144), 'encoding_invalid', `key file ${path}`);
}

async function writeKeys(path: string, json: object): Promise<void> {
  await writeNew(path, `${JSON.stringify(json, null, 2)}\n`, 0o600);
}

export async function findOfficerKeys(path: string): Promise<OfficerKeys | undefined> {
  const json = await findKeys(path, officerJson);
  if (json === undefined) return undefined;
  const { id, seed, ageIdentity, openpgp } = json;
  return { id, signer: signerFromSeed(fromHex(seed, 32)), ageIdentity, openpgp };
}

export async function writeOfficerKeys(path: string, keys: NewOfficerKeys): Promise<void> {
  await writeKeys(path, { format: 'sealdrop-officer/v1', ...keys, seed: toHex(keys.seed) });
}

export async function findOfficerRootKey(path: string): Promise<OfficerRootKey | undefined> {
  const json = await findKeys(path, officerRootJson);
  return json && { id: json.id, signer: signerFromSeed(fromHex(json.seed, 32)) };
}

export async function writeOfficerRootKey(path: string, key: NewOfficerRootKey): Promise<void> {
  await writeKeys(path, { format: 'sealdrop-officer-root/v1', ...key, seed: toHex(key.seed) });
}

export async function findReviewerKeys(path: string): Promise<ReviewerKeys | undefined> {
  const json = await findKeys(path, reviewerJson);
  if (json === undefined) return undefined;
  const { id, seed, ageIdentity } = json;
  return { id, signer: signerFromSeed(fromHex(seed, 32)), ageIdentity };
}

export async function writeReviewerKeys(path: string, keys: NewReviewerKeys): Promise<void> {
  await writeKeys(path, { format: 'sealdrop-reviewer/v1', ...keys, seed: toHex(keys.seed) });
}

export async function findEndorserKeys(path: string): Promise<EndorserKeys | undefined> {
  const json = await findKeys(path, endorserJson);
  return json && { id: json.id, signer: signerFromSeed(fromHex(json.seed, 32)) };
}

export async function writeEndorserKeys(path: string, keys: NewEndorserKeys): Promise<void> {
  await writeKeys(path, { format: 'sealdrop-endorser/v1', ...keys, seed: toHex(keys.seed) });
}

export async function findOperatorKeys(path: string): Promise<OperatorKeys | undefined> {
  const json = await findKeys(path, operatorJson);
  if (json === undefined) return undefined;
  const { seed, openpgp, email } = json;
  return { signer: signerFromSeed(fromHex(seed, 32)), openpgp, email };
}

export async function writeOperatorKeys(path: string, keys: NewOperatorKeys): Promise<void> {
  await writeKeys(path, { format: 'sealdrop-operator/v1', ...keys, seed: toHex(keys.seed) });
}
