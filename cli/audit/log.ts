import { equalBytes, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { openCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { parseEntries } from '../../protocol/log/entries.ts';
import { parseLeaf, type Leaf } from '../../protocol/log/leaf.ts';
import { leafHash, rootOf } from '../../protocol/log/merkle.ts';
import { tilesForGrowth, tilesOf } from '../../protocol/log/tiles.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { requirePaths } from './folder.ts';
import { trustFact } from './trust.ts';

export interface LoggedLeaf {
  readonly index: number;
  readonly leaf: Leaf;
}

/** Every leaf of the log, in order, with its hash. Nothing says yet that they are the signed ones. */
interface Leaves {
  readonly leaves: readonly LoggedLeaf[];
  readonly hashes: readonly Uint8Array[];
}

export const checkpointFact: Fact<Checkpoint> = {
  check: 'log.checkpoint',
  async establish(audit) {
    const { newest } = await audit.get(trustFact);
    const note = utf8Decode(await audit.files.read(RECORD.checkpoint, LIMIT.small));
    return openCheckpoint(note, newest.origin, [newest.logKey], audit.verify);
  },
};

export const leavesFact: Fact<Leaves> = { check: 'log.root', establish: readLeaves };

export const logChecks: readonly Check[] = [
  {
    id: 'log.checkpoint',
    title: 'the checkpoint is of this log and signed by its key',
    async run(audit: Audit): Promise<string> {
      const { origin, size } = await audit.get(checkpointFact);
      return `${origin}, ${count(size, 'leaf', 'leaves')}`;
    },
  },
  {
    id: 'log.root',
    title: 'the leaves are well formed and make the signed root',
    async run(audit: Audit): Promise<string> {
      const { leaves } = await audit.get(leavesFact);
      return count(leaves.length, 'leaf', 'leaves');
    },
  },
  {
    id: 'log.tiles',
    title: 'every tile is what the leaves make it, and none is missing or too many',
    run: checkTiles,
  },
];

async function readLeaves(audit: Audit): Promise<Leaves> {
  const { size, root } = await audit.get(checkpointFact);
  const leaves: LoggedLeaf[] = [];
  const hashes: Uint8Array[] = [];
  for (const tile of tilesOf(size)) {
    if (tile.level !== 'entries') continue;
    const path = RECORD.tile(tile);
    const bytes = await audit.files.read(path, LIMIT.tile);
    for (const entry of within(path, () => parseEntries(bytes, tile.width))) {
      const index = leaves.length;
      leaves.push({ index, leaf: within(`leaf ${index}`, () => parseLeaf(utf8Decode(entry))) });
      hashes.push(leafHash(entry));
    }
  }
  demand(equalBytes(rootOf(hashes), root), 'the leaves make another root than the signed one');
  return { leaves, hashes };
}

async function checkTiles(audit: Audit): Promise<string> {
  const { size } = await audit.get(checkpointFact);
  const { hashes } = await audit.get(leavesFact);
  const paths = [...tilesOf(size)].map(RECORD.tile);
  requirePaths(audit, 'log/', [RECORD.checkpoint, ...paths]);
  const none = (): never => {
    throw new Error('an empty tree has no tiles to read');
  };
  const tiles = await tilesForGrowth(0, hashes, none);
  for (const { tile, bytes } of tiles) {
    const path = RECORD.tile(tile);
    const found = await audit.files.read(path, LIMIT.tile);
    demand(equalBytes(found, bytes), `${path} is not what the leaves make it`);
  }
  return count(paths.length, 'tile');
}
