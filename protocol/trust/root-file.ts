import { z } from 'zod';
import { equalBytes } from '../encoding/bytes.ts';
import {
  ageRecipient,
  hex64,
  networkId,
  parseShape,
  personId,
  printableName,
  safeCount,
  time,
} from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { MAX_POLICY_LENGTH, parsePolicy } from '../log/policy.ts';
import type { Ed25519PublicKey } from '../signature/ed25519.ts';
import { publicKeyHex } from '../signature/key-shape.ts';
import { parseVerifierKey } from '../signature/verifier-key.ts';
import { parseTuf, TUF_SPEC_VERSION, tufKey, tufKeyId, tufSigningBytes } from './metadata.ts';
import { originText } from './origin.ts';
import { checkRules, formatVkey } from './root-rules.ts';
import type { TrustRoot } from './root.ts';

/** No envelope carries more signatures than this, twice over. */
const MAX_PEOPLE = 32;
/** Far more than anybody reads the names of. */
const MAX_VOUCHERS = 32;

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

const endorser = z.strictObject({ id: personId, name: printableName, key: publicKeyHex });
const reviewer = endorser.extend({ age: ageRecipient });
const custodian = z.strictObject({ key: publicKeyHex, age: ageRecipient });

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
    reviewers: z.array(reviewer).min(1).max(MAX_VOUCHERS).optional(),
    endorsers: z.array(endorser).min(1).max(MAX_VOUCHERS).optional(),
    endorsementThreshold: safeCount.min(1).optional(),
    custodian: custodian.optional(),
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
  const officers = byId(root.people);
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
      ...(root.reviewers.size > 0 && { reviewers: byId(root.reviewers) }),
      ...(root.endorsers.size > 0 && {
        endorsers: byId(root.endorsers),
        endorsementThreshold: root.endorsementThreshold,
      }),
      ...(root.custodian && { custodian: root.custodian }),
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
  const { people, reviewers, endorsers, endorsementThreshold, ...rest } = shape['x-sealdrop'];
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
    reviewers: new Map(reviewers?.map((it) => [it.id, it])),
    endorsers: new Map(endorsers?.map((it) => [it.id, it])),
    endorsementThreshold: endorsementThreshold ?? 0,
    snapshotKey: serverKey('snapshot'),
    timestampKey: serverKey('timestamp'),
  };
  if (!equalBytes(tufSigningBytes(buildRootSigned(root)), tufSigningBytes(signed))) {
    throw new ProtocolError('trust_invalid', 'keys and roles are not those of the people listed');
  }
  return root;
}

function byId<T extends { readonly id: string }>(parties: ReadonlyMap<string, T>): readonly T[] {
  return [...parties.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
