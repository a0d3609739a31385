import { concatBytes, equalBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { entriesForGrowth, parseEntries } from '../../../protocol/log/entries.ts';
import { leafHash, verifyConsistency } from '../../../protocol/log/merkle.ts';
import { TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
import type { Tile } from '../../../protocol/log/tile-path.ts';
import type { TileFile } from '../../../protocol/log/tiles.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { signNote } from '../../../protocol/signature/note.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import { ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import { LogStateError, readTileFrom, recoverHead } from './recover.ts';
import { runOnSchedule } from './schedule.ts';
import type { ScheduleClock } from './schedule.ts';
import type { HeadStore, LeafStore, LogFiles } from './store.ts';
import { LogAheadError } from './witnesses.ts';
import type { Witnesses } from './witnesses.ts';

/** Queued leaves a checkpoint may add, so that one run stays short. */
const MAX_BATCH = 8192;

/** A quarter of what a receipt promises; see `MERGE_DELAY_MS`. */
const BACKLOG_MS = 6 * 3_600_000;

export interface SequencerDeps {
  /** The log's key; its name is the log's origin. */
  readonly signer: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly leaves: LeafStore;
  readonly heads: HeadStore;
  readonly files: LogFiles;
  readonly witnesses: Witnesses;
  readonly clock: ScheduleClock;
  readonly logger: Logger;
  /** Leaves that every epoch adds; see `Epoch`. */
  readonly epochLeaves: number;
  readonly maxBatch?: number;
}

/** The one writer of a log. */
export interface Sequencer {
  /** What is published. */
  checkpoint(): Checkpoint;
  /**
   * Add one epoch: waiting leaves and dummies, under a new checkpoint. Signs nothing when padding is
   * off and none are waiting.
   *
   * After a failure the outcome of a step is unknown, so the sequencer stops for good, and only
   * {@link openSequencer} finds out what took effect.
   *
   * @throws ServiceError `unavailable` once stopped; {@link LogAheadError} when a witness stopped it.
   */
  sequenceOnce(): Promise<Checkpoint | undefined>;
  /** Add epochs until no leaf waits. */
  sequenceAll(): Promise<void>;
  /** {@link sequenceOnce} at every multiple of `intervalMs`. Rejects when the sequencer stops. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * Check that head, database and files of the log agree, finish what a crash has interrupted, and
 * take over as its writer.
 *
 * When a witness refuses to go on, the log opens all the same, to be read; it only signs nothing.
 *
 * @throws {@link LogStateError} when they do not.
 */
export async function openSequencer(deps: SequencerDeps): Promise<Sequencer> {
  const { signer, verify, leaves, heads, files, witnesses, clock, logger, epochLeaves } = deps;
  const { maxBatch = MAX_BATCH } = deps;
  const readTile = readTileFrom(files);
  const tree = treeReader(readTile);

  const recovered = await recoverHead(signer, verify, { leaves, heads, files });
  /** Last signed head and published checkpoint, which are the same whenever no run is under way. */
  let head = recovered.published ?? recovered.head;
  let numbered = recovered.numbered;
  let stopped: Error | undefined;
  let lastRun: Promise<unknown> = Promise.resolve();

  async function publish(checkpoint: Checkpoint): Promise<void> {
    const { size } = checkpoint;
    const note = signNote(formatCheckpoint(checkpoint), signer);
    // A signature that went wrong must not leave the process: it could give the key away.
    openCheckpoint(note, signer.name, [signer], verify);
    const cosigned = size === 0 ? note : await cosign(note, size);
    await files.writeCheckpoint(cosigned);
    head = checkpoint;
    logger.info({ size }, 'checkpoint published');
  }

  /** An empty log proves nothing, and some witnesses trip over it. */
  async function cosign(note: string, size: number): Promise<string> {
    const cosigned = await witnesses.cosign(note, size, async (oldSize) =>
      oldSize === 0 ? [] : tree.consistencyProof(oldSize, size),
    );
    if (!cosigned.startsWith(note)) throw new Error('a witness changed the checkpoint');
    return cosigned;
  }

  /** Store the tiles of the log with these leaves behind the head. */
  async function storeTiles(
    texts: readonly string[],
  ): Promise<{ next: Checkpoint; full: readonly Tile[] }> {
    const entries = texts.map(utf8Encode);
    const tiles = await tilesForGrowth(head.size, entries.map(leafHash), readTile);
    const bundles = await entriesForGrowth(head.size, entries, (index, width) =>
      readEntries(files, index, width),
    );
    requireSameLeaves(tiles, bundles);
    const written = [...bundles, ...tiles];
    await files.writeTiles(written);

    const size = head.size + entries.length;
    const next: Checkpoint = { origin: signer.name, size, root: await tree.root(size) };
    if (head.size > 0) {
      const proof = await tree.consistencyProof(head.size, size);
      verifyConsistency(head.size, size, proof, head.root, next.root);
    }
    const full = written.map(({ tile }) => tile).filter(({ width }) => width === TILE_WIDTH);
    return { next, full };
  }

  async function warnOfBacklog(): Promise<void> {
    const oldest = await leaves.oldestWaiting();
    if (oldest === undefined || clock.now() - oldest < BACKLOG_MS) return;
    logger.warn(
      { code: 'log_backlog' },
      'leaves wait for hours: the epochs of the log are too narrow',
    );
  }

  async function sequence(): Promise<Checkpoint | undefined> {
    // Those that were numbered by a run that did not get further are an epoch of their own.
    if (numbered === head.size) {
      const isFree = await leaves.isReleasing();
      numbered = await leaves.number({ width: epochLeaves, isFree, limit: maxBatch });
    }
    if (numbered === head.size) return undefined;
    const { next, full } = await storeTiles(await leaves.read(head.size, numbered));
    // Durable before the signature exists: no two checkpoints are ever signed on top of one head.
    await heads.advance(head, next);
    await publish(next);
    await files.dropPartials(full);
    await warnOfBacklog();
    return next;
  }

  async function runOnce(): Promise<Checkpoint | undefined> {
    if (stopped instanceof LogAheadError) throw stopped;
    if (stopped !== undefined) throw new ServiceError('unavailable', 'the log has stopped');
    try {
      return await sequence();
    } catch (error) {
      stopped = error instanceof Error ? error : new Error('unknown', { cause: error });
      logger.error({ size: head.size }, 'the log has stopped; restart to recover');
      throw error;
    }
  }

  function sequenceOnce(): Promise<Checkpoint | undefined> {
    const run = lastRun.then(runOnce, runOnce);
    lastRun = run;
    return run;
  }

  if (recovered.published?.size !== recovered.head.size) {
    await publish(recovered.head).catch((error: unknown) => {
      if (!(error instanceof LogAheadError)) throw error;
      stopped = error;
    });
  }

  return {
    checkpoint: () => head,
    sequenceOnce,
    async sequenceAll() {
      while (numbered > head.size || (await leaves.oldestWaiting()) !== undefined)
        await sequenceOnce();
    },
    run: (intervalMs, signal) => runOnSchedule(sequenceOnce, intervalMs, clock, signal),
  };
}

async function readEntries(files: LogFiles, index: number, width: number): Promise<Uint8Array> {
  const bytes = await files.readTile({ level: 'entries', index, width });
  if (bytes === undefined) throw new LogStateError(`entry bundle ${index} is missing`);
  return bytes;
}

/** The bundles go on from what is on disk, which may have rotted: they must match the hashes. */
function requireSameLeaves(tiles: readonly TileFile[], bundles: readonly TileFile[]): void {
  for (const { tile, bytes } of bundles) {
    const hashes = parseEntries(bytes, tile.width).map(leafHash);
    const hashTile = tiles.find((file) => file.tile.level === 0 && file.tile.index === tile.index);
    if (hashTile === undefined || !equalBytes(concatBytes(...hashes), hashTile.bytes)) {
      throw new LogStateError(`entry bundle ${tile.index} does not match its hash tile`);
    }
  }
}
