import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { isTileOf } from '../../../protocol/log/tiles.ts';
import type { Tile } from '../../../protocol/log/tile-path.ts';
import type { LogFiles } from './store.ts';

/** The log as anybody may see it. */
export interface PublishedLog {
  /** The signed note, as published. */
  checkpoint(): Promise<string | undefined>;
  /**
   * A tile that the published checkpoint implies. One that only a later checkpoint will imply is as
   * good as absent, even if it is stored already: it would tell that the log is about to grow.
   */
  tile(tile: Tile): Promise<Uint8Array | undefined>;
  /** A token over a checkpoint that was published once, that checkpoint, or which there are. */
  timestamp(path: string): Promise<Uint8Array | undefined>;
}

/** Serve a log from its files. Any process that sees the files can; nothing else is needed. */
export function publishedLog(
  origin: string,
  files: Pick<LogFiles, 'readCheckpoint' | 'readTile' | 'readTimestamp'>,
): PublishedLog {
  /** Leaves that were published when last looked; a log does not shrink. */
  let known = 0;

  async function isPublished(tile: Tile): Promise<boolean> {
    if (isTileOf(tile, known)) return true;
    const note = await files.readCheckpoint();
    if (note === undefined) return false;
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    known = parseCheckpoint(text, origin).size;
    return isTileOf(tile, known);
  }

  return {
    checkpoint: () => files.readCheckpoint(),
    async tile(tile) {
      return (await isPublished(tile)) ? await files.readTile(tile) : undefined;
    },
    timestamp: (path) => files.readTimestamp(path),
  };
}
