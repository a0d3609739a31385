import { verifyEd25519 } from '../../platform/ed25519.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyNextRoot } from '../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Home } from '../home/home.ts';
import { askMirrors } from './ask-mirrors.ts';
import type { Mirror } from './mirror.ts';
import { reasonOf } from './trouble.ts';
import { loadTrust, MAX_ROOT_BYTES, saveTrust, type Trust } from './trust.ts';

// Roots of trust are public and speak for themselves: mirrors have those that followed the first one, so
// that a home which never heard of a rotation from a server can judge what was decided since.

/**
 * Where a root lies on a mirror, as the signed TUF file.
 *
 * @param pin - SHA-256 of the first root, which keeps services apart that share a mirror.
 */
export function rootPath(pin: string, version: number): string {
  return `trust/${pin}/${version}.root.json`;
}

/** Bring to a mirror every root after the first that it has not got. */
export async function putRoots({ pin, files }: Trust, mirror: Mirror): Promise<void> {
  for (const [version, bytes] of files) {
    if (version === 1) continue;
    const path = rootPath(pin, version);
    const there = await mirror.find(path, MAX_ROOT_BYTES).catch((error: unknown) => {
      // Too long to be one: replaced like any other file that is not the right one.
      if (error instanceof ProtocolError) return undefined;
      throw error;
    });
    if (there === undefined || !equalBytes(there, bytes)) await mirror.put(path, bytes);
  }
}

/**
 * The roots that are trusted, and those that follow them by what mirrors have, verified as those of a
 * server: the next version, by the thresholds of the old people and of the new. They are kept.
 *
 * Mirrors can keep roots back and nothing worse: what does not follow is told and left.
 *
 * @param refuse - Told what is wrong with which mirror.
 */
export async function hearRoots(
  home: Home,
  trust: Trust,
  mirrors: readonly Mirror[],
  refuse: (text: string) => void,
): Promise<Trust> {
  const roots = new Map(trust.roots);
  const files = new Map(trust.files);
  for (let { root } = trust; ;) {
    const next = await findNext(trust.pin, root, mirrors, refuse);
    if (next === undefined) {
      if (root === trust.root) return trust;
      const there = await loadTrust(home);
      // What another command has kept meanwhile is not written over.
      if (there.root.version > trust.root.version) return hearRoots(home, there, mirrors, refuse);
      const heard = { ...trust, root, roots, files };
      await saveTrust(home, heard);
      return heard;
    }
    ({ root } = next);
    roots.set(root.version, root);
    files.set(root.version, next.bytes);
  }
}

/** The first root that follows. */
async function findNext(
  pin: string,
  previous: TrustRoot,
  mirrors: readonly Mirror[],
  refuse: (text: string) => void,
): Promise<{ readonly root: TrustRoot; readonly bytes: Uint8Array } | undefined> {
  const version = previous.version + 1;
  const path = rootPath(pin, version);
  for (const { name, bytes } of await askMirrors(mirrors, [path], MAX_ROOT_BYTES, refuse)) {
    try {
      return { root: verifyNextRoot(bytes, previous, verifyEd25519), bytes };
    } catch (error) {
      refuse(`mirror ${name} hands out a root ${version} that is refused: ${reasonOf(error)}`);
    }
  }
  return undefined;
}
