import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../vectors/', import.meta.url);

/** One vector. What else it holds depends on its object, so callers say so with `as`. */
export interface Vector {
  /** The name of its file, which for an invalid one is its flaw. */
  readonly name: string;
}

/**
 * Read every vector of one object.
 *
 * Throws when there are none, so that a loop over them cannot pass without having run.
 */
export function readVectors(object: string, kind: 'valid' | 'invalid'): readonly Vector[] {
  const folder = new URL(`${object}/${kind}/`, FOLDER);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  if (files.length === 0) throw new Error(`no vectors in ${object}/${kind}`);
  return files.sort().map((file) => {
    const members = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object;
    return { ...members, name: file.slice(0, -'.json'.length) };
  });
}
