import { rm } from 'node:fs/promises';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { equalBytes, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { isSameTuf } from '../../protocol/trust/metadata.ts';
import { verifyInitialRoot, verifyNextRoot } from '../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { CliError } from '../errors.ts';
import { findFile, writeAtomically } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import type { Client } from './client.ts';

/** The chain of roots from the pin to the newest, every link verified. */
export interface Trust {
  /** SHA-256 of `1.root.json`. */
  readonly pin: string;
  /** The newest. */
  readonly root: TrustRoot;
  readonly roots: ReadonlyMap<number, TrustRoot>;
  /** Their exact bytes. */
  readonly files: ReadonlyMap<number, Uint8Array>;
}

/** As many as a TUF client follows in one go. */
const MAX_ROTATIONS = 256;
/** A signed root as a server or a mirror hands it out. */
export const MAX_ROOT_BYTES = 512 * 1024;

/** Where a home keeps a version of the root. */
function rootPath(home: Home, version: number): string {
  return home.path('trust', `${version}.root.json`);
}

/**
 * Verify a chain of roots.
 *
 * @param read - Version → bytes, `undefined` past the newest.
 * @throws {@link ProtocolError} as `verifyInitialRoot` and `verifyNextRoot`; `trust_invalid` when
 *   there is no first root or the chain does not end.
 */
export async function followRoots(
  pin: string,
  read: (version: number) => Promise<Uint8Array | undefined>,
): Promise<Trust> {
  const first = await read(1);
  if (first === undefined) throw new ProtocolError('trust_invalid', 'there is no root of trust');
  let chain = `${pin} ${sha256Hex(first)}`;
  let root = verifyOnce(chain, () => verifyInitialRoot(first, pin, verifyEd25519));
  if (root.version !== 1)
    throw new ProtocolError('trust_invalid', 'the first root is not version 1');
  const roots = new Map([[1, root]]);
  const files = new Map([[1, first]]);
  for (;;) {
    const bytes = await read(root.version + 1);
    if (bytes === undefined) return { pin, root, roots, files };
    if (roots.size > MAX_ROTATIONS) {
      throw new ProtocolError('trust_invalid', `more than ${MAX_ROTATIONS} roots`);
    }
    const previous = root;
    chain += ` ${sha256Hex(bytes)}`;
    root = verifyOnce(chain, () => verifyNextRoot(bytes, previous, verifyEd25519));
    roots.set(root.version, root);
    files.set(root.version, bytes);
  }
}

/** Roots by pin and digests of the chain that leads to them: one process verifies each once. */
const verified = new Map<string, TrustRoot>();
const MAX_VERIFIED = 64;

function verifyOnce(chain: string, verify: () => TrustRoot): TrustRoot {
  const root = verified.get(chain) ?? verify();
  if (verified.size < MAX_VERIFIED) verified.set(chain, root);
  return root;
}

/**
 * Load what this home trusts, from its files alone. Everything is verified again from the pin.
 *
 * Says nothing about dates: opening at the release time needs nothing fresh.
 *
 * @throws {@link CliError} before `trust add`; {@link ProtocolError} when a file was changed or lost.
 */
export async function loadTrust(home: Home): Promise<Trust> {
  const { rootSha256 } = await home.config();
  const trust = await followRoots(rootSha256, (version) => findFile(rootPath(home, version)));
  const { rootVersion } = await home.state.read();
  if (trust.root.version < rootVersion) {
    throw new CliError(
      `root ${rootVersion} was seen here before, but only ${trust.root.version} is left`,
      'run: sealdrop trust show --refresh, which fetches what is missing',
    );
  }
  return trust;
}

/** As {@link loadTrust}, after asking the server for newer roots; those that follow are kept. */
export async function refreshTrust(home: Home, client: Client): Promise<Trust> {
  const { rootSha256 } = await home.config();
  const trust = await followRoots(
    rootSha256,
    async (version) => (await findFile(rootPath(home, version))) ?? client.findRoot(version),
  );
  await saveTrust(home, trust);
  return trust;
}

/**
 * As {@link refreshTrust}, and every root in the very bytes that the server lists, which are those that the
 * log announces: what comes from a mirror is the same root, perhaps spelt otherwise or with fewer
 * signatures. One with other content stays as it is, for the caller to notice.
 */
export async function refreshAsListed(home: Home, client: Client): Promise<Trust> {
  const trust = await refreshTrust(home, client);
  const listed = new Map((await client.roots()).map((it) => [it.version, it.sha256]));
  const files = new Map(trust.files);
  for (const [version, bytes] of trust.files) {
    const sha256 = listed.get(version);
    if (sha256 === undefined || sha256 === sha256Hex(bytes)) continue;
    const served = await client.findRoot(version);
    if (served !== undefined && isSameTuf(served, bytes)) files.set(version, served);
  }
  const verified = await followRoots(trust.pin, (version) => Promise.resolve(files.get(version)));
  await saveTrust(home, verified);
  return verified;
}

/** Keep a verified chain. @throws {@link ProtocolError} `trust_invalid` when a newer one was seen. */
export async function saveTrust(home: Home, trust: Trust): Promise<void> {
  const { rootVersion } = await home.state.read();
  if (trust.root.version < rootVersion) {
    // Before a file is written: those that are kept lead to the newer one.
    const text = `root version ${rootVersion} was seen before, now it is ${trust.root.version}`;
    throw new ProtocolError('trust_invalid', text);
  }
  const known = trust.roots.get(rootVersion);
  for (const [version, bytes] of trust.files) {
    const kept = await findFile(rootPath(home, version));
    if (kept === undefined || !equalBytes(kept, bytes)) {
      await writeAtomically(rootPath(home, version), bytes);
    }
  }
  const forgetTuf = known !== undefined && hasNewOnlineKeys(known, trust.root);
  if (forgetTuf) {
    for (const role of ['timestamp', 'snapshot']) {
      await rm(home.path('tuf', `${role}.json`), { force: true });
    }
  }
  await home.state.advanceRoot(trust.root.version, { forgetTuf });
}

/** New online keys start their versions anew; that is how a runaway version is mended. */
function hasNewOnlineKeys(before: TrustRoot, after: TrustRoot): boolean {
  return before.snapshotKey !== after.snapshotKey || before.timestampKey !== after.timestampKey;
}
