import { ProblemError } from '../../../cli/errors.ts';
import { concatBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
import { signNote, type NoteSigner } from '../../../protocol/signature/note.ts';

/** A log as a server would serve it, in memory: the real tree, tiles and notes. */
export interface MemoryLog {
  readonly tiles: Map<string, Uint8Array>;
  checkpoint(): Promise<string>;
  tile(path: string): Promise<Uint8Array>;
  append(...leaves: readonly string[]): Promise<void>;
  readonly leaves: readonly string[];
}

export function memoryLog(signer: NoteSigner): MemoryLog {
  const tiles = new Map<string, Uint8Array>();
  const leaves: string[] = [];
  const hashes: Uint8Array[] = [];

  const tile = (path: string): Promise<Uint8Array> => {
    const bytes = tiles.get(path);
    if (bytes === undefined) throw new ProblemError(404, 'not_found', 'no such tile');
    return Promise.resolve(bytes);
  };
  return {
    tiles,
    leaves,
    tile,
    checkpoint() {
      const root = rootOf(hashes);
      return Promise.resolve(
        signNote(formatCheckpoint({ origin: signer.name, size: leaves.length, root }), signer),
      );
    },
    async append(...added) {
      const addedHashes = added.map((leaf) => leafHash(utf8Encode(leaf)));
      const files = await tilesForGrowth(leaves.length, addedHashes, (level, index, width) =>
        tile(formatTilePath({ level, index, width })),
      );
      for (const file of files) tiles.set(formatTilePath(file.tile), concatBytes(file.bytes));
      leaves.push(...added);
      hashes.push(...addedHashes);
    },
  };
}
