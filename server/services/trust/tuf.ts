import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { parseJson } from '../../../protocol/encoding/json.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { encodeTuf, signTuf, TUF_SPEC_VERSION } from '../../../protocol/trust/metadata.ts';
import type { NewTargets } from '../campaign/change.ts';
import type { Serial } from '../serial.ts';

const DAY_MS = 24 * 3_600_000;
const LIFETIME_MS = { snapshot: 7 * DAY_MS, timestamp: DAY_MS };
const MAX_METADATA_BYTES = 512_000;

/** The metadata files, as they are served. */
export interface TufFiles {
  read(name: string): Promise<Uint8Array | undefined>;
  /** Durable when it resolves. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface TufPublisher {
  /**
   * Publish the latest targets if they are not, and sign anew what is past half its life.
   *
   * The timestamp is written last, so that whatever it leads to is there.
   */
  publish(): Promise<void>;
}

interface Published {
  readonly version: number;
  readonly expires: string;
  /** Version of what it points to. */
  readonly pointsTo: number;
}

/** The server's two TUF roles: they say what is fresh, and approve nothing. */
export function tufPublisher(deps: {
  readonly files: TufFiles;
  readonly latestTargets: () => Promise<NewTargets | undefined>;
  readonly snapshotKey: Signer;
  readonly timestampKey: Signer;
  readonly serial: Serial;
  readonly now: () => number;
}): TufPublisher {
  const { files, serial, now } = deps;

  const readPublished = async (name: string, target: string): Promise<Published | undefined> => {
    const bytes = await files.read(name);
    if (bytes === undefined) return undefined;
    const { signed } = parseJson(bytes, MAX_METADATA_BYTES) as {
      signed: { version: number; expires: string; meta: Record<string, { version: number }> };
    };
    const { version, expires, meta } = signed;
    return { version, expires, pointsTo: meta[target]?.version ?? 0 };
  };

  const isYoung = ({ expires }: Published, role: keyof typeof LIFETIME_MS): boolean =>
    parseTime(expires) - now() > LIFETIME_MS[role] / 2;

  const write = async (
    role: keyof typeof LIFETIME_MS,
    name: string,
    version: number,
    meta: object,
    key: Signer,
  ): Promise<Uint8Array> => {
    const expires = formatTime(now() + LIFETIME_MS[role]);
    const signed = { _type: role, spec_version: TUF_SPEC_VERSION, version, expires, meta };
    const bytes = encodeTuf(signed, signTuf(signed, key));
    await files.write(name, bytes);
    return bytes;
  };

  const publish = async (): Promise<void> => {
    const targets = await deps.latestTargets();
    if (targets === undefined) return;
    const timestamp = await readPublished('timestamp.json', 'snapshot.json');
    const snapshotVersion = timestamp?.pointsTo ?? 0;
    const snapshotName = `${snapshotVersion}.snapshot.json`;
    const snapshot = await readPublished(snapshotName, 'targets.json');

    const targetsAreOut = snapshot?.pointsTo === targets.version;
    const snapshotIsGood = targetsAreOut && isYoung(snapshot, 'snapshot');
    if (snapshotIsGood && timestamp !== undefined && isYoung(timestamp, 'timestamp')) return;

    await files.write(`${targets.version}.targets.json`, targets.bytes);
    const version = snapshotIsGood ? snapshotVersion : snapshotVersion + 1;
    const snapshotBytes = snapshotIsGood
      ? await files.read(snapshotName)
      : await write(
          'snapshot',
          `${version}.snapshot.json`,
          version,
          { 'targets.json': describe(targets.version, targets.bytes) },
          deps.snapshotKey,
        );
    if (snapshotBytes === undefined) throw new Error(`${snapshotName} is missing`);
    await write(
      'timestamp',
      'timestamp.json',
      (timestamp?.version ?? 0) + 1,
      { 'snapshot.json': describe(version, snapshotBytes) },
      deps.timestampKey,
    );
  };

  return { publish: () => serial.run('tuf', publish) };
}

function describe(version: number, bytes: Uint8Array): object {
  return { version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } };
}
