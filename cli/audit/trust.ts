import { equalBytes, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyInitialRoot, verifyNextRoot } from '../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { keyFiles } from '../../protocol/record/derived.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import {
  count,
  demand,
  NotAskedError,
  within,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { pathsIn, requirePaths } from './folder.ts';

export interface TrustChain {
  /** By version, from 1. */
  readonly roots: ReadonlyMap<number, TrustRoot>;
  /** SHA-256 of each file, by version. */
  readonly digests: ReadonlyMap<number, string>;
  readonly newest: TrustRoot;
}

/** The chain of roots, each signed as its predecessor and its own people demand. */
export const trustFact: Fact<TrustChain> = { check: 'trust.chain', establish: readChain };

export const trustChecks: readonly Check[] = [
  {
    id: 'trust.pin',
    title: 'the first root of trust is the pinned one',
    async run(audit: Audit): Promise<string> {
      if (audit.pin === undefined) throw new NotAskedError('no --root-sha256 was given');
      const digest = sha256Hex(await audit.files.read(RECORD.root(1), LIMIT.small));
      demand(digest === audit.pin, `the record starts from another root: ${digest}`);
      return digest;
    },
  },
  {
    id: 'trust.chain',
    title: 'every root is signed by enough distinct people of its own and of the one before',
    async run(audit: Audit): Promise<string> {
      const { roots, newest } = await audit.get(trustFact);
      const { people, directiveThreshold, shareThreshold } = newest;
      return (
        `${count(roots.size, 'root')}; of ${count(people.size, 'officer')} ` +
        `${directiveThreshold} decide and ${shareThreshold} open`
      );
    },
  },
  {
    id: 'trust.keys',
    title: 'keys/ holds the keys of the newest root and nothing else',
    run: checkKeys,
  },
];

/**
 * Verify something under whichever root listed its signer: people, firms and endorsers come and go.
 *
 * @throws What `verify` threw under the newest root, when it throws under all.
 */
export function underAnyRoot<T>(
  roots: ReadonlyMap<number, TrustRoot>,
  verify: (root: TrustRoot) => T,
): T {
  let first: unknown;
  for (const root of [...roots.values()].sort((a, b) => b.version - a.version)) {
    try {
      return verify(root);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

async function readChain(audit: Audit): Promise<TrustChain> {
  const versions = Math.max(1, pathsIn(audit, 'trust/').length);
  const roots = new Map<number, TrustRoot>();
  const digests = new Map<number, string>();
  let newest: TrustRoot | undefined;
  for (let version = 1; version <= versions; version++) {
    const path = RECORD.root(version);
    const bytes = await audit.files.read(path, LIMIT.small);
    const digest = sha256Hex(bytes);
    const before = newest;
    newest = within(path, () =>
      before === undefined
        ? verifyInitialRoot(bytes, digest, audit.verify)
        : verifyNextRoot(bytes, before, audit.verify),
    );
    demand(newest.version === version, `${path} is version ${newest.version}`);
    roots.set(version, newest);
    digests.set(version, digest);
  }
  if (newest === undefined) throw new Error('at least one root was read');
  return { roots, digests, newest };
}

async function checkKeys(audit: Audit): Promise<string> {
  const { newest } = await audit.get(trustFact);
  const expected = keyFiles(newest);
  requirePaths(audit, 'keys/', expected.keys());
  for (const [path, bytes] of expected) {
    const found = await audit.files.read(path, LIMIT.small);
    demand(equalBytes(found, bytes), `${path} is not what the root says`);
  }
  return count(expected.size, 'file');
}
