import { generateSeed, signerFromSeed, type KeyedSigner } from '../../platform/ed25519.ts';
import { generateContactKey } from '../../protocol/contact/contact-key.ts';
import type { ContactKey } from '../../protocol/contact/contact-key.ts';
import type { AgeKey } from '../../protocol/embargo/age.ts';
import { generateKey } from '../../protocol/embargo/age.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import { parseVerifierKey } from '../../protocol/signature/verifier-key.ts';
import { encodeTuf, signTuf } from '../../protocol/trust/metadata.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { buildRootSigned } from '../../protocol/trust/root-file.ts';
import { buildTargets } from '../../protocol/trust/tuf.ts';
import type { ServerCard } from '../../server/card.ts';

/** An officer with all secret halves. */
export interface TestOfficer {
  readonly id: string;
  readonly root: KeyedSigner;
  readonly signing: KeyedSigner;
  readonly age: AgeKey;
  readonly openpgp: ContactKey;
}

export const NETWORK = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];
const YEAR_MS = 365 * 86_400_000;

export async function makeOfficers(count = 5): Promise<TestOfficer[]> {
  return Promise.all(
    NAMES.slice(0, count).map(async (id) => ({
      id,
      root: signerFromSeed(generateSeed()),
      signing: signerFromSeed(generateSeed()),
      age: await generateKey(),
      openpgp: await generateContactKey(
        { name: id, email: `${id}@foundation.example` },
        new Date('2026-01-01T00:00:00Z'),
      ),
    })),
  );
}

/** Officers as a root of trust lists them. */
export function peopleOf(officers: readonly TestOfficer[]): TrustRoot['people'] {
  return new Map(
    officers.map((it) => [
      it.id,
      {
        id: it.id,
        root: it.root.publicKey,
        signing: it.signing.publicKey,
        age: it.age.recipient,
        openpgp: it.openpgp.publicKey.replaceAll('\r\n', '\n'),
      },
    ]),
  );
}

/** A root of trust that names these officers and this server, three of five by default. */
export function makeRoot(
  officers: readonly TestOfficer[],
  card: ServerCard,
  options: { readonly now: number; readonly threshold?: number; readonly version?: number },
): TrustRoot {
  const { now, threshold = 3, version = 1 } = options;
  return {
    version,
    expires: formatTime(now + YEAR_MS),
    network: NETWORK,
    origin: card.origin,
    people: peopleOf(officers),
    directiveThreshold: threshold,
    shareThreshold: threshold,
    reviewers: new Map(),
    endorsers: new Map(),
    endorsementThreshold: 0,
    ...(card.custodian && {
      custodian: { ...card.custodian, key: parseEd25519PublicKey(card.custodian.key) },
    }),
    logKey: parseVerifierKey(card.logKey),
    tokenKey: parseEd25519PublicKey(card.tokenKey),
    witnesses: [],
    snapshotKey: parseEd25519PublicKey(card.snapshotKey),
    timestampKey: parseEd25519PublicKey(card.timestampKey),
  };
}

/** `root.json`, signed by everybody. */
export function signRoot(root: TrustRoot, officers: readonly TestOfficer[]): Uint8Array {
  const signed = buildRootSigned(root);
  return encodeTuf(signed, signTuf(signed, ...officers.map((it) => it.root)));
}

/** Targets metadata signed by these officers, as text. */
export function signTargets(
  version: number,
  bundles: readonly { readonly sha256: string; readonly size: number }[],
  officers: readonly TestOfficer[],
  now: number,
): Uint8Array {
  const signed = buildTargets({ version, expires: formatTime(now + YEAR_MS), bundles });
  return encodeTuf(signed, signTuf(signed, ...officers.map((it) => it.signing)));
}
