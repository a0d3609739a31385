import { z } from 'zod';
import { equalBytes, sha256Hex } from '../encoding/bytes.ts';
import {
  ageRecipient,
  hex64,
  networkId,
  parseShape,
  personId,
  publicKeyHex,
  safeCount,
  time,
} from '../encoding/shape.ts';
import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import { MAX_POLICY_LENGTH, parsePolicy } from '../log/policy.ts';
import type { Policy } from '../log/policy.ts';
import type { Ed25519PublicKey, VerifyEd25519 } from '../signature/ed25519.ts';
import { formatVerifierKey, parseVerifierKey } from '../signature/note.ts';
import type { NoteVerifier } from '../signature/note.ts';
import {
  countPeople,
  parseTuf,
  TUF_SPEC_VERSION,
  tufKey,
  tufKeyId,
  tufSigningBytes,
  verifyTufSignatures,
} from './metadata.ts';
import { originText } from './origin.ts';

/** One person and the keys that are theirs, one a purpose. */
export interface Officer {
  readonly id: string;
  /** Signs roots, kept offline. */
  readonly root: Ed25519PublicKey;
  /** Signs directives, releases, shares and TUF targets. */
  readonly signing: Ed25519PublicKey;
  /** age recipient of shares and drafts. */
  readonly age: string;
  /** Armored OpenPGP public key: mails and `SHA256SUMS.asc`. Parsed where it is used. */
  readonly openpgp: string;
}

/** Who is trusted, with which keys, and how many of them it takes. The content of `root.json`. */
export interface TrustRoot {
  /** From 1; each root follows the one before. */
  readonly version: number;
  /** RFC 3339 UTC. See {@link checkNotExpired}. */
  readonly expires: string;
  readonly network: string;
  /** Name of the service and of its log. */
  readonly origin: string;
  readonly people: ReadonlyMap<string, Officer>;
  /** M: people that a directive, a root or a release takes. */
  readonly directiveThreshold: number;
  /** t: people whose shares make a key. */
  readonly shareThreshold: number;
  readonly logKey: NoteVerifier;
  readonly tokenKey: Ed25519PublicKey;
  readonly witnesses: readonly NoteVerifier[];
  /** How many of them, and which, make a quorum; without one none is asked for. */
  readonly witnessPolicy?: Policy | undefined;
  readonly snapshotKey: Ed25519PublicKey;
  readonly timestampKey: Ed25519PublicKey;
}

/** No envelope carries more signatures than this, twice over. */
const MAX_PEOPLE = 32;

const ARMOR =
  /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:(?!-----)[\x20-\x7e\n])+-----END PGP PUBLIC KEY BLOCK-----\n?$/;

const vkey = z.string().max(400).transform(parseVerifierKey);
const serverRole = z.strictObject({ keyids: z.tuple([hex64]), threshold: z.literal(1) });
const key = z.strictObject({
  keytype: z.literal('ed25519'),
  scheme: z.literal('ed25519'),
  keyval: z.strictObject({ public: publicKeyHex }),
});
const person = z.strictObject({
  id: personId,
  keys: z.strictObject({
    root: publicKeyHex,
    signing: publicKeyHex,
    age: ageRecipient,
    openpgp: z.string().max(16_384).regex(ARMOR),
  }),
});

/** What cannot be derived from the rest is looked at closely; {@link parseRoot} derives the rest. */
const rootShape = z.looseObject({
  version: safeCount.min(1),
  expires: time,
  keys: z.record(hex64, key),
  roles: z.looseObject({ snapshot: serverRole, timestamp: serverRole }),
  'x-sealdrop': z.strictObject({
    network: networkId,
    origin: originText,
    people: z.array(person).min(1).max(MAX_PEOPLE),
    directiveThreshold: safeCount.min(1),
    shareThreshold: safeCount.min(1),
    logKey: vkey,
    tokenKey: publicKeyHex,
    witnesses: z.array(vkey).max(64),
    witnessPolicy: z.string().max(MAX_POLICY_LENGTH).transform(parsePolicy).optional(),
  }),
});

/**
 * Build the `signed` part of `root.json`: TUF root metadata and, signed with it, `x-sealdrop`.
 *
 * @throws {@link ProtocolError} `trust_invalid` for a root that breaks the rules of
 *   {@link parseRoot}.
 */
export function buildRootSigned(root: TrustRoot): object {
  checkRules(root);
  const officers = [...root.people.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const role = (threshold: number, ...keys: readonly Ed25519PublicKey[]): object => ({
    keyids: keys.map(tufKeyId).sort(),
    threshold,
  });
  const rootKeys = officers.map((officer) => officer.root);
  const targetsKeys = officers.map((officer) => officer.signing);
  const tufKeys = [...rootKeys, ...targetsKeys, root.snapshotKey, root.timestampKey];
  return {
    _type: 'root',
    spec_version: TUF_SPEC_VERSION,
    version: root.version,
    expires: root.expires,
    consistent_snapshot: true,
    keys: Object.fromEntries(tufKeys.map((it) => [tufKeyId(it), tufKey(it)])),
    roles: {
      root: role(root.directiveThreshold, ...rootKeys),
      targets: role(root.directiveThreshold, ...targetsKeys),
      snapshot: role(1, root.snapshotKey),
      timestamp: role(1, root.timestampKey),
    },
    'x-sealdrop': {
      network: root.network,
      origin: root.origin,
      people: officers.map(({ id, ...keys }) => ({ id, keys })),
      directiveThreshold: root.directiveThreshold,
      shareThreshold: root.shareThreshold,
      logKey: formatVkey(root.logKey),
      tokenKey: root.tokenKey,
      witnesses: root.witnesses.map(formatVkey),
      ...(root.witnessPolicy && { witnessPolicy: root.witnessPolicy.text }),
    },
  };
}

/** The bytes that officers sign: canonical JSON of what {@link buildRootSigned} makes. */
export function rootSigningBytes(signed: object): Uint8Array {
  return tufSigningBytes(signed);
}

/**
 * Read `root.json` and check every rule but its signatures and its date.
 *
 * TUF's keys and roles have to be exactly those that follow from the people in `x-sealdrop`: they
 * are built anew and compared. So a TUF client, which counts keys, counts people without knowing.
 *
 * @throws {@link ProtocolError} `trust_invalid`; `too_large`, `encoding_invalid` or `key_invalid`
 *   for what it is made of.
 * @see docs/spec/trust.md, "Root"
 */
export function parseRoot(bytes: Uint8Array): TrustRoot {
  const { signed } = parseTuf(bytes);
  const shape = parseShape(rootShape, signed, 'trust_invalid', 'root');
  const { people, ...rest } = shape['x-sealdrop'];
  const serverKey = (role: 'snapshot' | 'timestamp'): Ed25519PublicKey => {
    const found = shape.keys[shape.roles[role].keyids[0]];
    if (found === undefined) throw new ProtocolError('trust_invalid', `no key for ${role}`);
    return found.keyval.public;
  };
  const root: TrustRoot = {
    version: shape.version,
    expires: shape.expires,
    ...rest,
    people: new Map(people.map(({ id, keys }) => [id, { id, ...keys }])),
    snapshotKey: serverKey('snapshot'),
    timestampKey: serverKey('timestamp'),
  };
  if (!equalBytes(tufSigningBytes(buildRootSigned(root)), tufSigningBytes(signed))) {
    throw new ProtocolError('trust_invalid', 'keys and roles are not those of the people listed');
  }
  return root;
}

/**
 * Verify the first root that a party ever sees, against the digest it was told out of band.
 *
 * @param pin - SHA-256 of the file, lower-case hex.
 * @throws {@link ProtocolError} `trust_invalid` for another file, and as {@link parseRoot};
 *   `signature_invalid` or `threshold_unmet` when its own people did not sign it.
 */
export function verifyInitialRoot(
  bytes: Uint8Array,
  pin: string,
  verify: VerifyEd25519,
): TrustRoot {
  if (sha256Hex(bytes) !== pin) {
    throw new ProtocolError('trust_invalid', 'the root is not the one that was pinned');
  }
  const root = parseRoot(bytes);
  const signers = verifyTufSignatures(parseTuf(bytes), verify, rootKeys(root).keys());
  countPeople(signers, rootKeys(root), root.directiveThreshold);
  return root;
}

/**
 * Verify that a root follows the one that is trusted: thresholds of the old people and of the new.
 *
 * @throws {@link ProtocolError} `trust_invalid` for a version that is not the next, another network
 *   or origin, or a key that changes its owner or purpose; `signature_invalid`, `threshold_unmet`.
 * @see TUF specification 1.0.34, section 5.3
 */
export function verifyNextRoot(
  bytes: Uint8Array,
  previous: TrustRoot,
  verify: VerifyEd25519,
): TrustRoot {
  const root = parseRoot(bytes);
  demand(root.version === previous.version + 1, 'the version is not the next one');
  demand(root.network === previous.network, 'the network may not change');
  demand(root.origin === previous.origin, 'the origin may not change');
  const purposes = purposeOfKeys(previous);
  for (const [publicKey, purpose] of purposeOfKeys(root)) {
    demand((purposes.get(publicKey) ?? purpose) === purpose, 'a key changed owner or purpose');
  }
  const [before, after] = [rootKeys(previous), rootKeys(root)];
  const all = new Set([...before.keys(), ...after.keys()]);
  const signers = verifyTufSignatures(parseTuf(bytes), verify, all);
  countPeople(signers, before, previous.directiveThreshold);
  countPeople(signers, after, root.directiveThreshold);
  return root;
}

/**
 * Check that a root may still be relied on.
 *
 * @param now - Unix ms.
 * @throws {@link ProtocolError} `trust_invalid` from the second of `expires` on.
 */
export function checkNotExpired(root: TrustRoot, now: number): void {
  demand(now < parseTime(root.expires), 'the root has expired');
}

/** Keys that sign directives, releases and targets, each with the person it belongs to. */
export function signingKeys(root: TrustRoot): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...root.people.values()].map(({ id, signing }) => [signing, id]));
}

function rootKeys(root: TrustRoot): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...root.people.values()].map((officer) => [officer.root, officer.id]));
}

function checkRules(root: TrustRoot): void {
  const { people, directiveThreshold, shareThreshold } = root;
  const n = people.size;
  demand(
    [...people].every(([id, officer]) => id === officer.id),
    'a person under another id',
  );
  demand(directiveThreshold <= n, 'more people needed than there are');
  demand(shareThreshold <= n, 'more shares needed than there are');
  demand(2 * directiveThreshold > n, 'two halves could decide against each other');
  demand(directiveThreshold + shareThreshold > n, 'those left out could open the patch');
  demand(root.logKey.name === root.origin, 'the log has another name than the origin');
  checkWitnessPolicy(root);
  const keys = keysWithPurpose(root).map(([publicKey]) => publicKey);
  demand(new Set(keys).size === keys.length, 'one key for two purposes or people');
}

/** Client and server go by the same text, so it must be about this log and these witnesses. */
function checkWitnessPolicy({ witnessPolicy, witnesses, logKey }: TrustRoot): void {
  if (witnessPolicy === undefined) return;
  const vkeysOf = (verifiers: readonly NoteVerifier[]): string =>
    verifiers.map(formatVkey).sort().join(' ');
  const listed = witnessPolicy.witnesses.map(({ verifier }) => verifier);
  demand(vkeysOf(listed) === vkeysOf(witnesses), 'the witness policy names other witnesses');
  const logs = witnessPolicy.logs.map(({ verifier }) => formatVkey(verifier));
  demand(
    logs.length === 0 || logs.join() === formatVkey(logKey),
    'the witness policy is about another log',
  );
}

/** Every key of every kind, with whom it belongs to and what for. */
function keysWithPurpose(root: TrustRoot): readonly (readonly [string, string])[] {
  const officers = [...root.people.values()].flatMap(({ id, ...keys }) =>
    Object.entries(keys).map(([purpose, publicKey]) => [publicKey, `${purpose} of ${id}`] as const),
  );
  const witnesses = root.witnesses.map((it) => [it.publicKey, `witness ${it.name}`] as const);
  return [
    ...officers,
    ...witnesses,
    [root.logKey.publicKey, 'log'],
    [root.tokenKey, 'token'],
    [root.snapshotKey, 'snapshot'],
    [root.timestampKey, 'timestamp'],
  ];
}

const purposeOfKeys = (root: TrustRoot): ReadonlyMap<string, string> =>
  new Map(keysWithPurpose(root));

const formatVkey = ({ name, type, publicKey }: NoteVerifier): string =>
  formatVerifierKey(name, type, publicKey);

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('trust_invalid', `root of trust: ${otherwise}`);
}
