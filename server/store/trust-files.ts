import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeFileDurably } from '../../platform/files.ts';
import type { TufFiles } from '../services/trust/tuf.ts';

/** Files under a folder that is made if absent. Names come from our own code, never from a request. */
export async function metadataFiles(directory: string): Promise<TufFiles> {
  await mkdir(directory, { recursive: true });
  return {
    read: (name) => readIfThere(join(directory, name)),
    write: (name, bytes) => writeFileDurably(join(directory, name), bytes),
  };
}

/** The roots that an older release has kept as files alone, version 1 first. */
export async function readRoots(files: TufFiles): Promise<Uint8Array[]> {
  const roots: Uint8Array[] = [];
  for (;;) {
    const bytes = await files.read(rootName(roots.length + 1));
    if (bytes === undefined) return roots;
    roots.push(bytes);
  }
}

export function rootName(version: number): string {
  return `${version}.root.json`;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
