import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { parseJson } from '../../../protocol/encoding/json.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import {
  encodeTuf,
  signTuf,
  tufKeyId,
  TUF_SPEC_VERSION,
} from '../../../protocol/trust/metadata.ts';
import type { NewTargets } from '../campaign/change.ts';
import type { Serial } from '../serial.ts';
import { timestampLifetimeMs, type Release } from './freshness.ts';

const DAY_MS = 24 * 3_600_000;
const SNAPSHOT_MS = 7 * DAY_MS;
const MAX_METADATA_BYTES = 512_000;

/** Counting one by one nobody gets there: whoever had the key before made it up. */
const FAST_FORWARDED = 2 ** 31;

/** The metadata files, as they are served. */
export interface TufFiles {
  read(name: string): Promise<Uint8Array | undefined>;
  /** Durable when it resolves. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface TufPublisher {
  /**
   * Publish the latest targets if they are not, and sign anew what is past half its life, would live
   * longer than it may by now, or is signed by a key that the root no longer names.
   *
   * The timestamp is written last, so that whatever it leads to is there.
   *
   * @param releases - Every campaign: around a T0 a timestamp lives for minutes.
   */
  publish(releases: Iterable<Release>): Promise<void>;
}

/** The two keys that the root in force names. */
export interface OnlineSigners {
  readonly snapshot: Signer;
  readonly timestamp: Signer;
}

type OnlineRole = keyof OnlineSigners;

interface Published {
  readonly version: number;
  readonly expires: string;
  /** Version of what it points to. */
  readonly pointsTo: number;
  readonly isByCurrentKey: boolean;
}

/** The server's two TUF roles: they say what is fresh, and approve nothing. */
export function tufPublisher(deps: {
  readonly files: TufFiles;
  readonly latestTargets: () => Promise<NewTargets | undefined>;
  readonly signers: () => Promise<OnlineSigners>;
  readonly serial: Serial;
  readonly now: () => number;
}): TufPublisher {
  const { files, serial, now } = deps;

  const readPublished = async (
    name: string,
    target: string,
    { publicKey }: Signer,
  ): Promise<Published | undefined> => {
    const bytes = await files.read(name);
    if (bytes === undefined) return undefined;
    const { signed, signatures } = parseJson(bytes, MAX_METADATA_BYTES) as {
      signed: { version: number; expires: string; meta: Record<string, { version: number }> };
      signatures: readonly { keyid: string }[];
    };
    const { version, expires, meta } = signed;
    const isByCurrentKey = signatures.every(({ keyid }) => keyid === tufKeyId(publicKey));
    return { version, expires, pointsTo: meta[target]?.version ?? 0, isByCurrentKey };
  };

  const isGood = ({ expires, isByCurrentKey }: Published, lifetimeMs: number): boolean => {
    const left = parseTime(expires) - now();
    return isByCurrentKey && left > lifetimeMs / 2 && left <= lifetimeMs;
  };

  const write = async (
    role: OnlineRole,
    name: string,
    { version, lifetimeMs }: { version: number; lifetimeMs: number },
    meta: object,
    key: Signer,
  ): Promise<Uint8Array> => {
    const expires = formatTime(now() + lifetimeMs);
    const signed = { _type: role, spec_version: TUF_SPEC_VERSION, version, expires, meta };
    const bytes = encodeTuf(signed, signTuf(signed, key));
    await files.write(name, bytes);
    return bytes;
  };

  const publish = async (releases: Iterable<Release>): Promise<void> => {
    const targets = await deps.latestTargets();
    if (targets === undefined) return;
    const signers = await deps.signers();
    const lifetimeMs = timestampLifetimeMs(releases, now());
    const timestamp = await readPublished('timestamp.json', 'snapshot.json', signers.timestamp);
    const snapshotVersion = timestamp?.pointsTo ?? 0;
    const snapshotName = `${snapshotVersion}.snapshot.json`;
    const snapshot = await readPublished(snapshotName, 'targets.json', signers.snapshot);

    const targetsAreOut = snapshot?.pointsTo === targets.version;
    const snapshotIsGood = targetsAreOut && isGood(snapshot, SNAPSHOT_MS);
    if (snapshotIsGood && timestamp !== undefined && isGood(timestamp, lifetimeMs)) return;

    await files.write(`${targets.version}.targets.json`, targets.bytes);
    const version = snapshotIsGood ? snapshotVersion : nextVersion(snapshotVersion, snapshot);
    const snapshotBytes = snapshotIsGood
      ? await files.read(snapshotName)
      : await write(
          'snapshot',
          `${version}.snapshot.json`,
          { version, lifetimeMs: SNAPSHOT_MS },
          { 'targets.json': describe(targets.version, targets.bytes) },
          signers.snapshot,
        );
    if (snapshotBytes === undefined) throw new Error(`${snapshotName} is missing`);
    await write(
      'timestamp',
      'timestamp.json',
      { version: nextVersion(timestamp?.version ?? 0, timestamp), lifetimeMs },
      { 'snapshot.json': describe(version, snapshotBytes) },
      signers.timestamp,
    );
  };

  return { publish: (releases) => serial.run('tuf', () => publish(releases)) };
}

/** One more; from 1 again where a key that is out of force had run the count away. */
function nextVersion(before: number, published: Published | undefined): number {
  const isRunaway = before >= FAST_FORWARDED && published?.isByCurrentKey !== true;
  return isRunaway ? 1 : before + 1;
}

function describe(version: number, bytes: Uint8Array): object {
  return { version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } };
}
