import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/** Not state: cached tokens, and what is kept to prove that a log broke its word. */
const IGNORED = /^(?:session\.json|evidence(?:\/.*)?)$/;

/** Mode and SHA-256 of every file of a home, by path. */
export type HomeDigest = Readonly<Record<string, string>>;

interface DigestOptions {
  /** Leave the statement counters out: they are spent before a statement leaves, on purpose. */
  readonly withoutCounters?: boolean;
}

/** Everything a home remembers. */
export function digestHome(
  home: string,
  { withoutCounters = false }: DigestOptions = {},
): HomeDigest {
  const digest: Record<string, string> = {};
  for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' }).sort()) {
    if (IGNORED.test(name)) continue;
    const path = join(home, name);
    const about = statSync(path);
    if (about.isDirectory()) {
      digest[name] = 'folder';
      continue;
    }
    const bytes = readFileSync(path);
    const kept = withoutCounters && name === 'state.json' ? dropCounters(bytes) : bytes;
    const sha256 = createHash('sha256').update(kept).digest('hex');
    digest[name] = `${(about.mode & 0o777).toString(8)} ${sha256}`;
  }
  return digest;
}

function dropCounters(bytes: Buffer): string {
  return JSON.stringify({ ...(JSON.parse(bytes.toString()) as object), counters: {} });
}

/** A copy that a case may spoil. */
export async function copyHome(home: string, parent: string): Promise<string> {
  const copy = await mkdtemp(join(parent, 'home-'));
  cpSync(home, copy, { recursive: true });
  return copy;
}
