import { hash } from 'node:crypto';

/** The byte in front and a sealed leaf; the byte in front and two hashes. */
const LEAF_BYTES = 76;
const NODE_BYTES = 65;
/** Leaves of a tile. */
export const WIDTH = 256;

/**
 * The hash work that a tile of 256 sealed leaves takes, without anything around it: inputs stand ready
 * and results are thrown away. As strings of bytes `crypto.hash` gives them fastest.
 */
export function hashWork(): () => void {
  const leaves = Array.from({ length: WIDTH }, (_, i) => Buffer.alloc(LEAF_BYTES, i));
  const nodes = Array.from({ length: WIDTH - 1 }, (_, i) => Buffer.alloc(NODE_BYTES, i));
  return () => {
    for (const leaf of leaves) hash('sha256', leaf, 'binary');
    for (const node of nodes) hash('sha256', node, 'binary');
  };
}
