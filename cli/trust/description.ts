import { fingerprintOf, readPublicKey } from '../../protocol/contact/key.ts';
import { formatVerifierKey } from '../../protocol/signature/verifier-key.ts';
import { describeQuorum } from '../../protocol/log/policy.ts';
import type { RootChange } from '../../protocol/trust/chain.ts';
import type { Custodian, Endorser, Reviewer, TrustRoot } from '../../protocol/trust/root.ts';

/** What a root says, for people and for `--json`. */
export interface RootDescription {
  readonly network: string;
  readonly origin: string;
  readonly version: number;
  readonly expires: string;
  readonly directiveThreshold: number;
  readonly shareThreshold: number;
  readonly people: readonly {
    readonly id: string;
    /** OpenPGP fingerprint, 40 upper-case hex digits. */
    readonly openpgp: string;
    readonly root: string;
    readonly signing: string;
    readonly age: string;
  }[];
  readonly reviewers: readonly Reviewer[];
  readonly endorsers: readonly Endorser[];
  readonly endorsementThreshold: number;
  /** The server's keys for holding shares; null where it may hold none. */
  readonly custodian: Custodian | null;
  readonly logKey: string;
  readonly tokenKey: string;
  readonly snapshotKey: string;
  readonly timestampKey: string;
  /** Note verifier keys. */
  readonly witnesses: readonly string[];
  /** Which of them it takes, in words; `none` where none is asked for. */
  readonly witnessQuorum: string;
}

export async function describeRoot(root: TrustRoot): Promise<RootDescription> {
  const people = [];
  for (const officer of byId(root.people)) {
    const openpgp = fingerprintOf(await readPublicKey(officer.openpgp));
    const { id, signing, age } = officer;
    people.push({ id, openpgp, root: officer.root, signing, age });
  }
  const { name, type, publicKey } = root.logKey;
  return {
    network: root.network,
    origin: root.origin,
    version: root.version,
    expires: root.expires,
    directiveThreshold: root.directiveThreshold,
    shareThreshold: root.shareThreshold,
    people,
    reviewers: byId(root.reviewers),
    endorsers: byId(root.endorsers),
    endorsementThreshold: root.endorsementThreshold,
    custodian: root.custodian ?? null,
    logKey: formatVerifierKey(name, type, publicKey),
    tokenKey: root.tokenKey,
    snapshotKey: root.snapshotKey,
    timestampKey: root.timestampKey,
    witnesses: root.witnesses.map((it) => formatVerifierKey(it.name, it.type, it.publicKey)),
    witnessQuorum: root.witnessPolicy === undefined ? 'none' : describeQuorum(root.witnessPolicy),
  };
}

function byId<T extends { readonly id: string }>(parties: ReadonlyMap<string, T>): readonly T[] {
  return [...parties.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The same as lines to read and to compare by voice. */
export function rootLines(root: RootDescription): string[] {
  const n = root.people.length;
  return [
    `network        ${root.network}`,
    `service        ${root.origin}`,
    `root version   ${root.version}, valid until ${root.expires}`,
    `decisions      ${root.directiveThreshold} of ${n} people`,
    `release key    ${root.shareThreshold} of ${n} shares`,
    ...(root.endorsers.length === 0
      ? []
      : [`endorsements   ${root.endorsementThreshold} of ${root.endorsers.length} endorsers`]),
    ...(root.custodian === null
      ? []
      : [
          'CUSTODIAN      campaigns may give the server a share of the release key',
          `  custody key  ${root.custodian.key}`,
          `  age          ${root.custodian.age}`,
        ]),
    `log key        ${root.logKey}`,
    `token key      ${root.tokenKey}`,
    `snapshot key   ${root.snapshotKey}`,
    `timestamp key  ${root.timestampKey}`,
    ...root.witnesses.map((vkey) => `witness        ${vkey}`),
    `witnesses      ${root.witnessQuorum} must cosign the log`,
    ...root.people.flatMap(({ id, openpgp, root: rootKey, signing, age }) => [
      `officer ${id}`,
      `  OpenPGP      ${openpgp.replace(/(.{4})(?!$)/g, '$1 ')}`,
      `  root key     ${rootKey}`,
      `  signing key  ${signing}`,
      `  age          ${age}`,
    ]),
    ...root.reviewers.flatMap(({ id, name, key, age }) => [
      `reviewer ${id}`,
      `  firm         ${name}`,
      `  key          ${key}`,
      `  age          ${age}`,
    ]),
    ...root.endorsers.flatMap(({ id, name, key }) => [
      `endorser ${id}`,
      `  name         ${name}`,
      `  key          ${key}`,
    ]),
  ];
}

/** One change as a line to read out; an armored key is too long for that and is left out. */
export function changeLine({ what, name, before, after }: RootChange): string {
  const short = (value: string | null): string =>
    value === null ? 'none' : value.startsWith('-----') ? 'an OpenPGP key' : value;
  const [old, current] = [short(before), short(after)];
  switch (what) {
    case 'person-added':
      return `officer ${name} is new, signing key ${current}`;
    case 'person-removed':
      return `officer ${name} is out, signing key was ${old}`;
    case 'person-key':
      return `key of ${name}: ${old} to ${current}`;
    case 'reviewer-added':
    case 'endorser-added':
      return `${what.replace('-added', '')} ${name} is new: ${current}`;
    case 'reviewer-removed':
    case 'endorser-removed':
      return `${what.replace('-removed', '')} ${name} is out, was ${old}`;
    case 'reviewer-changed':
    case 'endorser-changed':
      return `${what.replace('-changed', '')} ${name}: ${old} to ${current}`;
    case 'threshold':
      return `threshold of ${name}: ${old} to ${current}`;
    case 'server-key':
      return `${name} key of the server: ${old} to ${current}`;
    case 'witness-added':
      return `witness ${name} is new, key ${current}`;
    case 'witness-removed':
      return `witness ${name} is out, key was ${old}`;
    case 'witness-quorum':
      return `witnesses needed: ${current}, before ${old}`;
    case 'expires':
      return `valid until ${current}, before until ${old}`;
  }
}
