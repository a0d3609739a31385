import type { Leaf } from '../../protocol/log/leaf.ts';
import type { StakeSnapshot } from '../../protocol/stake/snapshot.ts';
import { parseSnapshot, snapshotDigest } from '../../protocol/stake/snapshot.ts';
import { ServiceError } from './error.ts';
import type { Serial } from './serial.ts';

/** A snapshot as its row has it. */
interface StoredSnapshot {
  readonly sha256: string;
  readonly network: string;
  readonly point: string;
}

export interface SnapshotStore {
  findLatestSnapshot(): Promise<StoredSnapshot | undefined>;
  findSnapshot(sha256: string): Promise<StoredSnapshot | undefined>;
  /** The exact canonical bytes. */
  readSnapshot(sha256: string): Promise<Uint8Array>;
  addSnapshot(snapshot: StoredSnapshot, bytes: Uint8Array, leaf: Leaf): Promise<void>;
}

/** The stake snapshots that officers have posted. All of them are public. */
export interface Snapshots {
  post(bytes: Uint8Array): Promise<{ readonly sha256: string }>;
  /** @throws {@link ServiceError} `unavailable` while there is none. */
  latest(): StakeSnapshot;
  /** @throws {@link ServiceError} `not_found` */
  getBytes(sha256: string): Promise<Uint8Array>;
  /** @throws {@link ServiceError} `not_found` */
  get(sha256: string): Promise<StakeSnapshot>;
}

export async function openSnapshots(
  store: SnapshotStore,
  network: string,
  serial: Serial,
): Promise<Snapshots> {
  const stored = await store.findLatestSnapshot();
  let latest: { sha256: string; snapshot: StakeSnapshot } | undefined;
  if (stored !== undefined) {
    const snapshot = parseSnapshot(await store.readSnapshot(stored.sha256));
    latest = { sha256: stored.sha256, snapshot };
  }

  const getBytes = async (sha256: string): Promise<Uint8Array> => {
    if ((await store.findSnapshot(sha256)) === undefined) {
      throw new ServiceError('not_found', 'no such resource');
    }
    return store.readSnapshot(sha256);
  };

  const post = async (bytes: Uint8Array): Promise<{ sha256: string }> => {
    const snapshot = parseSnapshot(bytes);
    const sha256 = snapshotDigest(bytes);
    if (snapshot.network !== network) {
      throw new ServiceError('refused', 'the snapshot is of another network');
    }
    if (snapshot.total <= 0n) throw new ServiceError('refused', 'the snapshot holds no stake');
    if ((await store.findSnapshot(sha256)) !== undefined) return { sha256 };
    const { point } = snapshot;
    await store.addSnapshot({ sha256, network, point }, bytes, { type: 'snapshot', sha256 });
    latest = { sha256, snapshot };
    return { sha256 };
  };

  return {
    post: (bytes) => serial.run('snapshot', () => post(bytes)),
    latest() {
      if (latest !== undefined) return latest.snapshot;
      throw new ServiceError('unavailable', 'no stake snapshot of the network has been posted yet');
    },
    getBytes,
    get: async (sha256) =>
      latest?.sha256 === sha256 ? latest.snapshot : parseSnapshot(await getBytes(sha256)),
  };
}
