import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import type { Tile, TileFile } from '../../../protocol/log/tiles.ts';

/** The leaves that were accepted, and the index that each one gets, once and for all. */
export interface LeafStore {
  /** How many leaves have an index. */
  count(): Promise<number>;
  /** Give the oldest waiting leaves, up to `limit`, the next indexes, all or none of them. */
  numberQueued(limit: number): Promise<void>;
  /** The leaves from index `start` on, up to `limit`. @throws Error when an index is missing. */
  read(start: number, limit: number): Promise<string[]>;
  /** The index of a queued leaf, once it has one. */
  findIndex(queueSeq: number): Promise<number | undefined>;
}

/** The last head that a log has signed or is about to sign. */
export interface HeadStore {
  find(origin: string): Promise<Checkpoint | undefined>;
  /** @throws Error when the log, or another one, has a head already. */
  create(head: Checkpoint): Promise<void>;
  /** Durable when it resolves. @throws ServiceError `conflict` when the stored head is not `from`. */
  advance(from: Checkpoint, to: Checkpoint): Promise<void>;
}

/** The files of a log as they are served. */
export interface LogFiles {
  readTile(tile: Tile): Promise<Uint8Array | undefined>;
  /** Durable when it resolves. @throws Error when a tile is there with other bytes. */
  writeTiles(files: readonly TileFile[]): Promise<void>;
  readCheckpoint(): Promise<string | undefined>;
  /** Replace the published checkpoint: readers see the old one or the new one. */
  writeCheckpoint(note: string): Promise<void>;
}
