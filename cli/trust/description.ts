import { fingerprintOf, readPublicKey } from '../../protocol/contact/key.ts';
import { formatVerifierKey } from '../../protocol/signature/note.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';

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
  readonly logKey: string;
  readonly tokenKey: string;
  readonly snapshotKey: string;
  readonly timestampKey: string;
}

export async function describeRoot(root: TrustRoot): Promise<RootDescription> {
  const people = [];
  for (const officer of [...root.people.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
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
    logKey: formatVerifierKey(name, type, publicKey),
    tokenKey: root.tokenKey,
    snapshotKey: root.snapshotKey,
    timestampKey: root.timestampKey,
  };
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
    `log key        ${root.logKey}`,
    `token key      ${root.tokenKey}`,
    `snapshot key   ${root.snapshotKey}`,
    `timestamp key  ${root.timestampKey}`,
    ...root.people.flatMap(({ id, openpgp, root: rootKey, signing, age }) => [
      `officer ${id}`,
      `  OpenPGP      ${openpgp.replace(/(.{4})(?!$)/g, '$1 ')}`,
      `  root key     ${rootKey}`,
      `  signing key  ${signing}`,
      `  age          ${age}`,
    ]),
  ];
}
