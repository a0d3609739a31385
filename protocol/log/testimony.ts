import { equalBytes, fromBase64 } from '../encoding/bytes.ts';
import { readPrefixes, type ForkProof, type Prefix, type TreeState } from './fork.ts';
import type { TreeReader } from './tree-reader.ts';

/** What somebody signed to have seen of a log, as a statement names it. */
export interface NamedCheckpoint {
  /** Leaves, up to 2^53 - 1. */
  readonly size: number;
  /** 32 bytes in base64. */
  readonly root: string;
}

/** What a log has in place of a checkpoint that somebody says to have seen. */
export interface Contradiction {
  /** Root of its first leaves, as many as were named; undefined when it has not so many. */
  readonly ours: Uint8Array | undefined;
  /** Shows that root, for `verifyFork`; empty without one. */
  readonly proof: ForkProof;
}

/** How many sizes are read at a time: neighbours share tiles, and that many tiles are held. */
const AT_ONCE = 32;

/**
 * Hold checkpoints that were named against a log: each must be the root of its first leaves.
 *
 * Every size is read once, whoever names it, and takes a handful of tiles. A size beyond the log costs
 * nothing.
 *
 * @param log - Signed by the log, as the caller has verified.
 * @returns For each of `named` in its order what contradicts it; `undefined` where it is of this log.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles are not those of `log`: nothing is
 *   known then of any of them.
 */
export async function findContradictions(
  named: readonly NamedCheckpoint[],
  log: TreeState,
  tree: Pick<TreeReader, 'hashes'>,
): Promise<(Contradiction | undefined)[]> {
  const sizes = [...new Set(named.map(({ size }) => size))].filter((size) => size <= log.size);
  sizes.sort((a, b) => a - b);
  const prefixes = new Map<number, Prefix>();
  for (let at = 0; at < sizes.length; at += AT_ONCE) {
    for (const prefix of await readPrefixes(sizes.slice(at, at + AT_ONCE), log, tree)) {
      prefixes.set(prefix.size, prefix);
    }
  }
  return named.map(({ size, root }) => {
    const prefix = prefixes.get(size);
    if (prefix === undefined) return { ours: undefined, proof: [] };
    if (equalBytes(prefix.root, fromBase64(root))) return undefined;
    return { ours: prefix.root, proof: prefix.proof };
  });
}
