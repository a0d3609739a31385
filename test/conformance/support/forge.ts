import { sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { formatCheckpoint, parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { noteSigner, signNote, type NoteSigner } from '../../../protocol/signature/note.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned } from '../../../protocol/trust/root-file.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { Repository } from './repository.ts';
import type { Site } from './site.ts';

// What somebody can make who holds keys that should not be his. Everything here is signed for real.

/** The `signed` part of metadata as JSON; a case changes what it likes. */
export interface Signed {
  readonly version: number;
  readonly expires: string;
  readonly [field: string]: unknown;
}

type Change = (signed: Signed) => object;

interface TufChanges {
  readonly targets?: Change;
  readonly snapshot?: Change;
  readonly timestamp?: Change;
  /** Who signs each; by default the right ones. */
  readonly signers?: {
    readonly targets?: readonly Signer[];
    readonly snapshot?: readonly Signer[];
    readonly timestamp?: readonly Signer[];
  };
}

export const LONG_AGO = formatTime(Date.parse('2026-01-02T00:00:00Z'));

/**
 * Publish TUF metadata anew from the role that changes upwards: whatever refers to a file that
 * changed gets its new digest and the next version, and a signature by the role's own key.
 */
export function forgeTuf(site: Site, changes: TufChanges): void {
  const { server, officers } = site.repository;
  const { signers = {} } = changes;
  const publish = (signed: Signed, by: readonly Signer[], path: string): object => {
    const bytes = encodeTuf(signed, signTuf(signed, ...by));
    site.put(path, bytes);
    return { version: signed.version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } };
  };
  const next = (path: string, change: Change | undefined, meta?: object): Signed => {
    const { signed } = JSON.parse(utf8Decode(site.read(path))) as { signed: Signed };
    const moved = meta === undefined ? signed : { ...signed, version: signed.version + 1, meta };
    return (change?.(moved) ?? moved) as Signed;
  };
  let targets: object | undefined;
  if (changes.targets !== undefined) {
    const signed = next('/tuf/{targets}', changes.targets);
    const by = signers.targets ?? officers.slice(0, 3).map(({ signing }) => signing);
    targets = publish(signed, by, `/tuf/${signed.version}.targets.json`);
  }
  let snapshot: object | undefined;
  if (targets !== undefined || changes.snapshot !== undefined) {
    const meta = targets && { 'targets.json': targets };
    const signed = next('/tuf/{snapshot}', changes.snapshot, meta);
    const by = signers.snapshot ?? [server.snapshot];
    snapshot = publish(signed, by, `/tuf/${signed.version}.snapshot.json`);
  }
  const meta = snapshot && { 'snapshot.json': snapshot };
  const signed = next('/tuf/timestamp.json', changes.timestamp, meta);
  publish(signed, signers.timestamp ?? [server.timestamp], '/tuf/timestamp.json');
}

/** The `signed` part of a root that would follow the newest, with changes that keep it valid. */
export function nextRoot({ root }: Repository, changes: Partial<TrustRoot> = {}): Signed {
  return buildRootSigned({ ...root, version: root.version + 1, ...changes }) as Signed;
}

/** {@link nextRoot}, changed in ways that no honest officer's tool would write, and signed by all. */
export function forgeRoot(
  repository: Repository,
  change: (signed: never) => object = (signed) => signed,
  signers: readonly Signer[] = rootSigners(repository),
): Uint8Array {
  const signed = change(structuredClone(nextRoot(repository)) as never);
  return encodeTuf(signed, signTuf(signed, ...signers));
}

/** Root keys of the first so many officers. */
export function rootSigners({ officers }: Repository, count = officers.length): Signer[] {
  return officers.slice(0, count).map(({ root }) => root);
}

export function logSigner({ server, root }: Repository): NoteSigner {
  return noteSigner(root.origin, server.log);
}

/** The checkpoint that is served, changed and signed again by the log. */
export function forgeCheckpoint(
  site: Site,
  change: (checkpoint: { origin: string; size: number; root: Uint8Array }) => object = () => ({}),
  signer = logSigner(site.repository),
): void {
  const note = utf8Decode(site.read('/log/checkpoint'));
  const text = note.slice(0, note.indexOf('\n\n') + 1);
  const checkpoint = parseCheckpoint(text, site.repository.root.origin);
  const changed = { ...checkpoint, ...change(checkpoint) };
  site.put('/log/checkpoint', signNote(formatCheckpoint(changed), signer));
}
