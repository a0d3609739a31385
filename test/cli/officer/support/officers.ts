import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import { generateContactKey, type ContactKey } from '../../../../protocol/contact/contact-key.ts';
import { generateKey } from '../../../../protocol/embargo/age.ts';
import { sha256Hex } from '../../../../protocol/encoding/bytes.ts';
import { parsePolicy } from '../../../../protocol/log/policy.ts';
import type { Ed25519PublicKey } from '../../../../protocol/signature/ed25519.ts';
import {
  formatVerifierKey,
  parseVerifierKey,
} from '../../../../protocol/signature/verifier-key.ts';
import { encodeTuf, signTuf } from '../../../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot } from '../../../../protocol/trust/root-file.ts';
import type { TrustRoot } from '../../../../protocol/trust/root.ts';
import { buildTargets } from '../../../../protocol/trust/tuf.ts';
import { vouchersOf } from '../../../protocol/trust/network.ts';
import { openHome } from '../../../../cli/home/home.ts';
import type { NewOfficerKeys } from '../../../../cli/home/keys.ts';

/** A network that does not exist. */
export const NETWORK = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
export const NOW = Date.parse('2026-11-16T09:00:00Z'); // a Monday
const CREATED = new Date('2023-01-01T00:00:00Z');

/** Keys of the server that a root names. */
export interface ServerKeys {
  readonly origin: string;
  readonly logKey: string;
  readonly tokenKey: Ed25519PublicKey;
  readonly snapshotKey: Ed25519PublicKey;
  readonly timestampKey: Ed25519PublicKey;
}

export interface TestOfficer {
  readonly keys: NewOfficerKeys;
  readonly rootSeed: Uint8Array;
  readonly contact: ContactKey;
}

/** Officers under one root of trust, signed by all of them. */
export interface Officers {
  readonly officers: ReadonlyMap<string, TestOfficer>;
  readonly root: TrustRoot;
  readonly rootBytes: Uint8Array;
  /** An empty first targets file, as the server starts with. */
  readonly targetsBytes: Uint8Array;
}

/** Server keys for tests that never meet a server. */
export function looseServerKeys(origin = 'patches.example.org/log'): ServerKeys {
  const key = (): Ed25519PublicKey => signerFromSeed(generateSeed()).publicKey;
  return {
    origin,
    logKey: formatVerifierKey(origin, 1, key()),
    tokenKey: key(),
    snapshotKey: key(),
    timestampKey: key(),
  };
}

export async function makeOfficers(
  server: ServerKeys,
  {
    ids = ['ada', 'bo', 'cy'],
    directiveThreshold = 2,
    shareThreshold = 2,
    expires = '2027-11-16T00:00:00Z',
    network = NETWORK,
    witnessPolicy = undefined as string | undefined,
    vouchers = vouchersOf([], []),
  } = {},
): Promise<Officers> {
  const officers = new Map<string, TestOfficer>();
  const people: TrustRoot['people'] extends ReadonlyMap<string, infer P> ? Map<string, P> : never =
    new Map();
  for (const id of ids) {
    const [seed, rootSeed] = [generateSeed(), generateSeed()];
    const age = await generateKey();
    const contact = await generateContactKey({ name: id, email: `${id}@example.org` }, CREATED);
    const keys = { id, seed, ageIdentity: age.identity, openpgp: contact.privateKey };
    officers.set(id, { keys, rootSeed, contact });
    people.set(id, {
      id,
      root: signerFromSeed(rootSeed).publicKey,
      signing: signerFromSeed(seed).publicKey,
      age: age.recipient,
      openpgp: contact.publicKey,
    });
  }
  const policy = witnessPolicy === undefined ? undefined : parsePolicy(witnessPolicy);
  const signed = buildRootSigned({
    version: 1,
    expires,
    network,
    people,
    directiveThreshold,
    shareThreshold,
    ...vouchers,
    witnesses: policy?.witnesses.map(({ verifier }) => verifier) ?? [],
    witnessPolicy: policy,
    ...server,
    logKey: parseVerifierKey(server.logKey),
  });
  const rootSigners = [...officers.values()].map(({ rootSeed }) => signerFromSeed(rootSeed));
  const rootBytes = encodeTuf(signed, signTuf(signed, ...rootSigners));
  const targets = buildTargets({ version: 1, expires, bundles: [] });
  const signers = [...officers.values()].map(({ keys }) => signerFromSeed(keys.seed));
  const targetsBytes = encodeTuf(targets, signTuf(targets, ...signers));
  return { officers, root: parseRoot(rootBytes), rootBytes, targetsBytes };
}

/** Put an officer's keys and the pinned root into a home, as `officer init` and `trust add` would. */
export async function moveIn(
  home: string,
  { officers, rootBytes }: Officers,
  id?: string,
  server = 'https://patches.example.org',
): Promise<void> {
  const opened = openHome({ home, now: Date.now, sleep: () => Promise.resolve() });
  const officer = id === undefined ? undefined : officers.get(id);
  if (officer !== undefined) {
    const root = { id: officer.keys.id, seed: officer.rootSeed };
    await opened.writeOfficerKeys(officer.keys, root);
  }
  await opened.writeConfig({ server, rootSha256: sha256Hex(rootBytes) });
  await mkdir(join(home, 'trust'), { recursive: true });
  await writeFile(join(home, 'trust', '1.root.json'), rootBytes);
}
