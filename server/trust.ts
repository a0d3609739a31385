import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { verifyEd25519 } from '../platform/ed25519.ts';
import { readFileBounded } from '../platform/read-file.ts';
import type { NoteSigner } from '../protocol/signature/note.ts';
import type { Config } from './config.ts';
import { adoptTargets } from './services/trust/targets.ts';
import { openTrust } from './services/trust/trust.ts';
import type { LiveTrust, ServerKeyNames } from './services/trust/trust.ts';
import type { OnlineSigners } from './services/trust/tuf.ts';
import type { ServerKeys } from './store/keys.ts';
import { getOnlineKey, listOnlineKeys } from './store/online-keys.ts';
import type { OnlineRole } from './store/online-keys.ts';
import { readRoots, rootName } from './store/trust-files.ts';
import type { Stores } from './stores.ts';

const MAX_ROOT_BYTES = 512_000;

/** The root of trust in force, and what of the server's own keys goes with it. */
export interface Established {
  readonly trust: LiveTrust;
  /** Read anew each time: `card --renew` makes keys while the server runs. */
  readonly ownKeys: () => Promise<ServerKeyNames>;
  /** The online keys that the root in force names. */
  readonly signers: () => Promise<OnlineSigners>;
}

/** Verify the roots known so far and the one in the environment, and keep what is new of them. */
export async function establishTrust(
  { rootFile }: Config,
  stores: Stores,
  {
    directory,
    keys,
    log,
  }: { readonly directory: string; readonly keys: ServerKeys; readonly log: NoteSigner },
): Promise<Established> {
  const ownKeys = async (): Promise<ServerKeyNames> => ({
    origin: log.name,
    log: keys.log.publicKey,
    token: keys.token.publicKey,
    snapshot: (await listOnlineKeys(directory, 'snapshot')).map(({ publicKey }) => publicKey),
    timestamp: (await listOnlineKeys(directory, 'timestamp')).map(({ publicKey }) => publicKey),
  });
  const given =
    rootFile === undefined ? undefined : await readFileBounded(rootFile, MAX_ROOT_BYTES);
  const kept = await stores.trust.readRoots();
  // Only an older release has more files than rows: it kept no rows.
  const files = await readRoots(stores.rootFiles);
  const stored = files.length > kept.length ? files : kept;
  const trust = openTrust(stored, given, await ownKeys(), verifyEd25519);
  await stores.trust.keepRoots(trust.roots.values());
  // Plain copies, for a proxy to serve.
  for (const { root, bytes } of trust.roots.values()) {
    const name = rootName(root.version);
    if ((await stores.rootFiles.read(name)) === undefined) {
      await stores.rootFiles.write(name, bytes);
    }
  }
  const targets = adoptTargets(
    await readTargetsBeside(rootFile),
    await stores.directives.findLatestTargets(),
    trust,
    verifyEd25519,
  );
  if (targets !== undefined) await stores.trust.addTargets(targets);
  const signer = (role: OnlineRole): ReturnType<typeof getOnlineKey> =>
    getOnlineKey(directory, role, trust.current[`${role}Key`]);
  return {
    trust,
    ownKeys,
    signers: async () => ({
      snapshot: await signer('snapshot'),
      timestamp: await signer('timestamp'),
    }),
  };
}

async function readTargetsBeside(rootFile: string | undefined): Promise<Uint8Array | undefined> {
  if (rootFile === undefined) return undefined;
  return readFile(join(dirname(rootFile), 'targets.json')).catch(() => undefined);
}
