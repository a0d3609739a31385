import type { Policy } from '../log/policy.ts';
import type { Ed25519PublicKey } from '../signature/ed25519.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import { isServerHolder } from './server-holder.ts';

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

/** Somebody well known who repeats commitments in public. */
export interface Endorser {
  readonly id: string;
  /** As people know them: 1 to 100 printable ASCII characters. */
  readonly name: string;
  /** Signs endorsements and nothing else. */
  readonly key: Ed25519PublicKey;
}

/** A firm that vouches for a patch before it is released; `name` is the firm's, `key` signs reviews. */
export interface Reviewer extends Endorser {
  /** age recipient of drafts. */
  readonly age: string;
}

/** The server as holder of shares; its keys for that are apart from all others of its. */
export interface Custodian {
  /** Signs the shares that it publishes, and nothing else. */
  readonly key: Ed25519PublicKey;
  /** age recipient of its shares. */
  readonly age: string;
}

/** Who is trusted, with which keys, and how many of them it takes. The content of `root.json`. */
export interface TrustRoot {
  /** From 1; each root follows the one before. */
  readonly version: number;
  /** RFC 3339 UTC. See `checkNotExpired`. */
  readonly expires: string;
  readonly network: string;
  /** Name of the service and of its log. */
  readonly origin: string;
  readonly people: ReadonlyMap<string, Officer>;
  /** M: people that a directive, a root or a release takes. */
  readonly directiveThreshold: number;
  /** t: people whose shares make a key. */
  readonly shareThreshold: number;
  /** Firms by id. Which of them a campaign asks for is in its plan. */
  readonly reviewers: ReadonlyMap<string, Reviewer>;
  readonly endorsers: ReadonlyMap<string, Endorser>;
  /** k: endorsers whose word makes a commitment endorsed; 0 exactly when there are none. */
  readonly endorsementThreshold: number;
  /** Only with it can a plan give shares to the server. */
  readonly custodian?: Custodian | undefined;
  readonly logKey: NoteVerifier;
  readonly tokenKey: Ed25519PublicKey;
  readonly witnesses: readonly NoteVerifier[];
  /** How many of them, and which, make a quorum; without one none is asked for. */
  readonly witnessPolicy?: Policy | undefined;
  readonly snapshotKey: Ed25519PublicKey;
  readonly timestampKey: Ed25519PublicKey;
}

/** Keys that sign directives, releases and targets, each with the person it belongs to. */
export function signingKeys(root: TrustRoot): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...root.people.values()].map(({ id, signing }) => [signing, id]));
}

/** The key with which the holder of a share publishes it: an officer's, or the custodian's. */
export function holderKey(root: TrustRoot, holder: string): Ed25519PublicKey | undefined {
  return isServerHolder(holder) ? root.custodian?.key : root.people.get(holder)?.signing;
}

/** The age recipient to which a holder's shares are encrypted. */
export function holderRecipient(root: TrustRoot, holder: string): string | undefined {
  return isServerHolder(holder) ? root.custodian?.age : root.people.get(holder)?.age;
}

/** Keys that sign roots, each with the person it belongs to. */
export function rootKeys(root: TrustRoot): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...root.people.values()].map((officer) => [officer.root, officer.id]));
}
