import { concatBytes, equalBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { entriesForGrowth, parseEntries } from '../../../protocol/log/entries.ts';
import { leafHash, verifyConsistency } from '../../../protocol/log/merkle.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
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

/** Leaves a checkpoint may add, so that one run stays short. */
const MAX_BATCH = 8192;

export interface SequencerDeps {
  /** The log's key; its name is the log's origin. */
  readonly signer: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly leaves: LeafStore;
  readonly heads: HeadStore;
  readonly files: LogFiles;
  readonly clock: ScheduleClock;
  readonly logger: Logger;
  readonly maxBatch?: number;
}

/** The one writer of a log. */
export interface Sequencer {
  /** What is published. */
  checkpoint(): Checkpoint;
  /**
   * Bring waiting leaves under a new checkpoint. Signs nothing when none are waiting.
   *
   * After a failure the outcome of a step is unknown, so the sequencer stops for good, and only
   * {@link openSequencer} finds out what took effect.
   *
   * @throws ServiceError `unavailable` once stopped.
   */
  sequenceOnce(): Promise<Checkpoint | undefined>;
  /** Where a queued leaf is; `undefined` until the published checkpoint covers it. */
  leafIndexOf(queueSeq: number): Promise<number | undefined>;
  /** {@link sequenceOnce} at every multiple of `intervalMs`. Rejects when the sequencer stops. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * Check that database and files of the log agree, finish what a crash has interrupted, and take
 * over as its writer.
 *
 * @throws {@link LogStateError} when they do not.
 */
export async function openSequencer(deps: SequencerDeps): Promise<Sequencer> {
  const { signer, verify, leaves, heads, files, clock, logger, maxBatch = MAX_BATCH } = deps;
  const readTile = readTileFrom(files);
  const tree = treeReader(readTile);

  const recovered = await recoverHead(signer, verify, { leaves, heads, files });
  /** Head row and published checkpoint, which are the same whenever no run is under way. */
  let head = recovered.head;
  let isStopped = false;
  let lastRun: Promise<unknown> = Promise.resolve();

  async function publish(checkpoint: Checkpoint): Promise<void> {
    const note = signNote(formatCheckpoint(checkpoint), signer);
    // A signature that went wrong must not leave the process: it could give the key away.
    openCheckpoint(note, signer.name, [signer], verify);
    await files.writeCheckpoint(note);
    head = checkpoint;
    logger.info({ size: checkpoint.size }, 'checkpoint published');
  }

  /** Store the tiles of the log with these leaves behind the head. */
  async function storeTiles(texts: readonly string[]): Promise<Checkpoint> {
    const entries = texts.map(utf8Encode);
    const tiles = await tilesForGrowth(head.size, entries.map(leafHash), readTile);
    const bundles = await entriesForGrowth(head.size, entries, (index, width) =>
      readEntries(files, index, width),
    );
    requireSameLeaves(tiles, bundles);
    await files.writeTiles([...bundles, ...tiles]);

    const size = head.size + entries.length;
    const next: Checkpoint = { origin: signer.name, size, root: await tree.root(size) };
    if (head.size > 0) {
      const proof = await tree.consistencyProof(head.size, size);
      verifyConsistency(head.size, size, proof, head.root, next.root);
    }
    return next;
  }

  async function sequence(): Promise<Checkpoint | undefined> {
    await leaves.numberQueued(maxBatch);
    // Starts with those that were numbered by a run that did not get further.
    const texts = await leaves.read(head.size, maxBatch);
    if (texts.length === 0) return undefined;
    const next = await storeTiles(texts);
    // Durable before the signature exists: no two checkpoints are ever signed on top of one head.
    await heads.advance(head, next);
    await publish(next);
    return next;
  }

  async function runOnce(): Promise<Checkpoint | undefined> {
    if (isStopped) throw new ServiceError('unavailable', 'the log has stopped');
    try {
      return await sequence();
    } catch (error) {
      isStopped = true;
      logger.error({ size: head.size }, 'the log has stopped; restart to recover');
      throw error;
    }
  }

  function sequenceOnce(): Promise<Checkpoint | undefined> {
    const run = lastRun.then(runOnce, runOnce);
    lastRun = run;
    return run;
  }

  if (!recovered.isPublished) await publish(recovered.head);

  return {
    checkpoint: () => head,
    sequenceOnce,
    async leafIndexOf(queueSeq) {
      const index = await leaves.findIndex(queueSeq);
      return index !== undefined && index < head.size ? index : undefined;
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
