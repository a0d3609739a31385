import { generateSeed } from '../../../../platform/ed25519.ts';
import { toHex, utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../../../protocol/log/checkpoint.ts';
import {
  DUMMY_LEVELS,
  dummyKeysBelow,
  dummyLeaf,
  dummyNonces,
  formatDummyKeys,
} from '../../../../protocol/log/dummy.ts';
import { entriesForGrowth } from '../../../../protocol/log/entries.ts';
import { formatLeaf, type Leaf } from '../../../../protocol/log/leaf.ts';
import { leafHash, rootOf } from '../../../../protocol/log/merkle.ts';
import { encodeOpening, sealedLeaf, type OpeningKind } from '../../../../protocol/log/opening.ts';
import { tilesForGrowth, type TileFile } from '../../../../protocol/log/tiles.ts';
import { signNote, type NoteSigner } from '../../../../protocol/signature/note.ts';

/** A log in memory whose keeper can do as he likes: leave out, make up, sign again. */
export interface TestLog {
  readonly leaves: string[];
  /** What opens each sealed leaf, by index. */
  readonly openings: Map<number, Uint8Array>;
  add(leaf: Leaf): number;
  seal(campaign: string, kind: OpeningKind, content: Uint8Array): number;
  /** A leaf that only fills up. */
  addDummy(): number;
  /** `dummies.txt` for the first `end` leaves. */
  dummyKeys(end: number): string;
  root(size: number): Uint8Array;
  /** The signed checkpoint of the first `size` leaves. */
  note(size: number): string;
  /** Everything as it would be served now. */
  publish(): Promise<{ checkpoint: string; tiles: readonly TileFile[] }>;
}

const DUMMY_SEED = new Uint8Array(32).fill(9);

export function openTestLog(signer: NoteSigner): TestLog {
  const leaves: string[] = [];
  const openings = new Map<number, Uint8Array>();
  const nonces = dummyNonces([{ level: DUMMY_LEVELS, index: 0, key: DUMMY_SEED }]);
  const hashes = (): Uint8Array[] => leaves.map((leaf) => leafHash(utf8Encode(leaf)));
  const none = (): never => {
    throw new Error('nothing is read of an empty log');
  };
  const log: TestLog = {
    leaves,
    openings,
    add: (leaf) => leaves.push(formatLeaf(leaf)) - 1,
    seal(campaign, kind, content) {
      const nonce = toHex(generateSeed());
      const opening = encodeOpening({ campaign, nonce, kind, content });
      const index = log.add(sealedLeaf(opening));
      openings.set(index, opening);
      return index;
    },
    addDummy: () => log.add(dummyLeaf(nonces(leaves.length) ?? DUMMY_SEED)),
    dummyKeys: (end) => formatDummyKeys(dummyKeysBelow(DUMMY_SEED, end)),
    root: (size) => rootOf(hashes().slice(0, size)),
    note: (size) =>
      signNote(formatCheckpoint({ origin: signer.name, size, root: log.root(size) }), signer),
    async publish() {
      const tiles = await tilesForGrowth(0, hashes(), none);
      const entries = await entriesForGrowth(0, leaves.map(utf8Encode), none);
      return { checkpoint: log.note(leaves.length), tiles: [...tiles, ...entries] };
    },
  };
  return log;
}
