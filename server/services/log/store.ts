import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import type { Tile } from '../../../protocol/log/tile-path.ts';
import type { TileFile } from '../../../protocol/log/tiles.ts';

/** How much the log grows by at one instant of its schedule. */
export interface Epoch {
  /**
   * Leaves that the log grows by, filled up with dummies; what exceeds it waits. Leaves that account
   * for sealed ones are public and follow a disclosure, so they come on top. 0 switches padding off.
   */
  readonly width: number;
  /** Nothing waits: a release is under way, and the log may show it. */
  readonly isFree: boolean;
  /** Queued leaves that one epoch takes at most, so that it stays short. */
  readonly limit: number;
}

/** The leaves that were accepted, dummies between them, and the index that each one gets, once and for all. */
export interface LeafStore {
  /**
   * How many leaves have an index.
   *
   * @throws Error when one was lost: a dummy would take its place.
   */
  count(): Promise<number>;
  /**
   * Give the oldest waiting leaves and the dummies between them the next indexes, all or none of
   * them. Where the dummies stand is random, the order of the others is that of the queue.
   *
   * @returns How many leaves have an index now.
   */
  number(epoch: Epoch): Promise<number>;
  /** The leaves from index `start` to `end - 1`, which have an index. */
  read(start: number, end: number): Promise<string[]>;
  /** When the oldest leaf was accepted that waits for its index, in Unix ms; `undefined` for none. */
  oldestWaiting(): Promise<number | undefined>;
  /** Whether a campaign is between its release and its disclosure leaf: then epochs are free. */
  isReleasing(): Promise<boolean>;
}

/**
 * The last head that a log has signed or is about to sign. Kept apart from the leaves, so that one
 * backup cannot take both back.
 */
export interface HeadStore {
  /** @throws Error when what is kept is damaged or the head of another log. */
  find(origin: string): Promise<Checkpoint | undefined>;
  /** @throws Error when there is a head already. */
  create(head: Checkpoint): Promise<void>;
  /** Durable when it resolves. @throws ServiceError `conflict` when the stored head is not `from`. */
  advance(from: Checkpoint, to: Checkpoint): Promise<void>;
}

/** The files of a log as they are served. */
export interface LogFiles {
  /** A partial tile may be cut out of the full one. */
  readTile(tile: Tile): Promise<Uint8Array | undefined>;
  /** Durable when it resolves. @throws Error when a tile is there with other bytes. */
  writeTiles(files: readonly TileFile[]): Promise<void>;
  /** Remove the partial tiles that these full ones, which are published, have grown out of. */
  dropPartials(tiles: readonly Tile[]): Promise<void>;
  readCheckpoint(): Promise<string | undefined>;
  /** Replace the published checkpoint: readers see the old one or the new one. */
  writeCheckpoint(note: string): Promise<void>;
  /** @param path - One that `isTimestampPath` accepts. */
  readTimestamp(path: string): Promise<Uint8Array | undefined>;
  /** Keep a token over a checkpoint that was published. */
  writeTimestamp(size: number, checkpoint: Uint8Array, token: Uint8Array): Promise<void>;
}
