import { join } from 'node:path';
import { z } from 'zod';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parseShape, safeCount } from '../../protocol/encoding/shape.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseTuf } from '../../protocol/trust/metadata.ts';
import { verifyNextRoot } from '../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { verifyTargets, type Targets } from '../../protocol/trust/tuf.ts';
import type { Client } from '../client/client.ts';
import { readBody } from '../client/http.ts';
import { readInputFile } from '../home/files.ts';
import type { Home } from '../home/home.ts';

/** What a new root takes over from: the root in force, and the targets approved under it. */
export interface Predecessor {
  readonly root: TrustRoot;
  readonly targets: Targets;
  readonly targetsFile: Uint8Array;
}

/** Lies beside the two files, so that who is not an officer yet can see what is taken over. */
export const PREVIOUS_TARGETS = 'previous.targets.json';

const MAX_FILE_BYTES = 512_000;

/** The targets that go with a root: the first are empty, later ones list what was approved before. */
export function targetsAfter(root: TrustRoot, predecessor: Predecessor | undefined): Targets {
  if (predecessor === undefined) return { version: 1, expires: root.expires, bundles: [] };
  const { version, expires, bundles } = predecessor.targets;
  const lasting = parseTime(expires) > parseTime(root.expires) ? expires : root.expires;
  return { version: version + 1, expires: lasting, bundles };
}

/**
 * Check that a root and its targets follow from what was in force before, all but the thresholds.
 *
 * @throws {@link ProtocolError} `trust_invalid`, `signature_invalid`.
 */
export function checkSuccession(
  root: TrustRoot,
  rootBytes: Uint8Array,
  targets: Targets,
  predecessor: Predecessor | undefined,
): void {
  if (predecessor === undefined) {
    demand(root.version === 1, 'this root follows another, which is not known here');
    demand(targets.version === 1, 'only the first targets go with the first root');
    demand(
      targets.bundles.length === 0,
      'the first targets approve nothing, but these list a bundle',
    );
    demand(targets.expires === root.expires, 'the targets expire at another time than the root');
    return;
  }
  checkNextRoot(rootBytes, predecessor.root);
  const expected = targetsAfter(root, predecessor);
  demand(targets.version === expected.version, `targets version ${expected.version} is next`);
  demand(targets.expires === expected.expires, 'the targets expire at another time than agreed');
  demand(
    listOf(targets) === listOf(expected),
    'the targets list other ciphertexts than those approved before',
  );
}

/** As `verifyNextRoot`, while signatures are still being gathered. */
function checkNextRoot(bytes: Uint8Array, previous: TrustRoot): void {
  try {
    verifyNextRoot(bytes, previous, verifyEd25519);
  } catch (error) {
    if (!(error instanceof ProtocolError && error.code === 'threshold_unmet')) throw error;
  }
}

/** What was in force before the root in a folder, from the folder and the root that we trust. */
export async function readPredecessor(directory: string, root: TrustRoot): Promise<Predecessor> {
  const targetsFile = await readInputFile(join(directory, PREVIOUS_TARGETS), MAX_FILE_BYTES);
  return { root, targetsFile, targets: verifyTargets(targetsFile, root, verifyEd25519).targets };
}

/**
 * The newest targets that the people of a root have signed, without asking whether all is fresh: a
 * root is rotated when it has expired, too. Older ones than its own the server will not take over.
 *
 * @param client - Logged in.
 * @throws {@link ProtocolError} `trust_invalid` when this home has seen newer ones, and as
 *   `verifyTargets`.
 */
export async function findPredecessor(
  home: Home,
  client: Pick<Client, 'tuf'>,
  root: TrustRoot,
): Promise<Predecessor> {
  const read = async (name: string): Promise<Uint8Array> =>
    readBody(await client.tuf(name), MAX_FILE_BYTES);
  const snapshot = versionIn(await read('timestamp.json'), 'snapshot.json');
  const version = versionIn(await read(`${snapshot}.snapshot.json`), 'targets.json');
  const targetsFile = await read(`${version}.targets.json`);
  const { targets } = verifyTargets(targetsFile, root, verifyEd25519);
  const seen = (await home.state.read()).tuf.targets;
  demand(targets.version >= seen, `targets ${seen} were seen here before, now ${targets.version}`);
  return { root, targets, targetsFile };
}

const pointer = z.looseObject({
  meta: z.record(z.string(), z.looseObject({ version: safeCount.min(1) })),
});

/** Where metadata points: taken on its word, because what is found there is signed by officers. */
function versionIn(file: Uint8Array, name: string): number {
  const { meta } = parseShape(pointer, parseTuf(file).signed, 'trust_invalid', 'metadata');
  const version = meta[name]?.version;
  if (version === undefined) throw new ProtocolError('trust_invalid', `nothing points to ${name}`);
  return version;
}

function listOf({ bundles }: Targets): string {
  return bundles
    .map(({ sha256, size }) => `${sha256} ${size}`)
    .sort()
    .join('\n');
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('trust_invalid', otherwise);
}
