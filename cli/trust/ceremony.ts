import { join } from 'node:path';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import type { Ed25519PublicKey, Signer } from '../../protocol/signature/ed25519.ts';
import {
  countPeople,
  encodeTuf,
  parseTuf,
  signTuf,
  tufSigningBytes,
  verifyTufSignatures,
} from '../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot } from '../../protocol/trust/root-file.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { buildTargets, parseTargets } from '../../protocol/trust/tuf.ts';
import { readInputFile, writeAtomically } from '../home/files.ts';
import type { OfficerKeys, OfficerRootKey } from '../home/keys.ts';
import { checkSuccession, PREVIOUS_TARGETS, targetsAfter, type Predecessor } from './succession.ts';

/**
 * The two files that officers sign before anybody can trust them: `root.json`, and the `targets.json`
 * that goes with it: empty with the first root, and with a later one what was approved before.
 *
 * A file is written from its content, signatures sorted by key id, so the same signatures always
 * make the same bytes, in whatever order they were added: the pin is over these bytes.
 */
export interface Ceremony {
  readonly root: TrustRoot;
  readonly rootFile: Uint8Array;
  readonly targetsFile: Uint8Array;
  /** What this root follows; undefined for the first. */
  readonly predecessor: Predecessor | undefined;
  /** People of this root who have signed both files so far, sorted. */
  readonly people: readonly string[];
  /** People of the root before who have signed this one, sorted. */
  readonly predecessors: readonly string[];
  /** Signatures of this root's people still missing. */
  readonly missing: number;
  /** Signatures of the people before still missing; 0 for the first root. */
  readonly missingBefore: number;
  /** SHA-256 of what is signed, the same before and after every signature. */
  readonly contentDigest: string;
  /** SHA-256 of root.json; undefined until nothing is missing. Of the first root it is the pin. */
  readonly digest: string | undefined;
}

const MAX_FILE_BYTES = 512_000;

/** Both files without a signature. */
export function startCeremony(root: TrustRoot, predecessor?: Predecessor): Ceremony {
  const targets = buildTargets(targetsAfter(root, predecessor));
  return readCeremony(encodeTuf(buildRootSigned(root), []), encodeTuf(targets, []), predecessor);
}

/** The version of the root in a folder, to know what has to be known to read the rest. */
export async function findVersion(directory: string): Promise<number> {
  return parseRoot(await readInputFile(join(directory, 'root.json'), MAX_FILE_BYTES)).version;
}

/** @throws {@link ProtocolError} as {@link readCeremony}. */
export async function loadCeremony(
  directory: string,
  predecessor?: Predecessor,
): Promise<Ceremony> {
  return readCeremony(
    await readInputFile(join(directory, 'root.json'), MAX_FILE_BYTES),
    await readInputFile(join(directory, 'targets.json'), MAX_FILE_BYTES),
    predecessor,
  );
}

/** Write the files into a directory. Each is replaced whole. */
export async function saveCeremony(directory: string, ceremony: Ceremony): Promise<void> {
  const { rootFile, targetsFile, predecessor } = ceremony;
  if (predecessor !== undefined) {
    await writeAtomically(join(directory, PREVIOUS_TARGETS), predecessor.targetsFile);
  }
  await writeAtomically(join(directory, 'root.json'), rootFile);
  await writeAtomically(join(directory, 'targets.json'), targetsFile);
}

/**
 * Add the signatures of these keys wherever they have a say and are missing. Whether they should is
 * for `requireOwnKeys` and `requirePredecessor` to judge first.
 */
export function signCeremony(
  { root, rootFile, targetsFile, predecessor }: Ceremony,
  keys: OfficerKeys,
  rootKey: OfficerRootKey,
): Ceremony {
  const before = predecessor === undefined ? [] : rootKeysOf(predecessor.root).keys();
  const mayRoot = new Set([...before, ...rootKeysOf(root).keys()]);
  const mayTargets = new Set(signingKeysOf(root).keys());
  return readCeremony(
    withSignature(rootFile, rootKey.signer, mayRoot),
    withSignature(targetsFile, keys.signer, mayTargets),
    predecessor,
  );
}

/**
 * Check both files and every signature on them.
 *
 * @throws {@link ProtocolError} `trust_invalid` for a root or targets that do not follow from what
 *   was in force before: signing would approve them; `signature_invalid` and what `parseRoot` and
 *   `parseTargets` throw.
 */
function readCeremony(
  rootBytes: Uint8Array,
  targetsBytes: Uint8Array,
  predecessor: Predecessor | undefined,
): Ceremony {
  const root = parseRoot(rootBytes);
  const targets = parseTargets(targetsBytes);
  checkSuccession(root, rootBytes, targets, predecessor);

  const [after, before] = [rootKeysOf(root), rootKeysOf(predecessor?.root)];
  const signers = verifyTufSignatures(parseTuf(rootBytes), verifyEd25519, [
    ...new Set([...before.keys(), ...after.keys()]),
  ]);
  const targetsSigners = verifyTufSignatures(
    parseTuf(targetsBytes),
    verifyEd25519,
    signingKeysOf(root).keys(),
  );
  const signedRoot = countPeople(signers, after, 0);
  const signedTargets = countPeople(targetsSigners, signingKeysOf(root), 0);
  const predecessors = countPeople(signers, before, 0);
  const people = signedRoot.filter((id) => signedTargets.includes(id));
  const fewest = Math.min(signedRoot.length, signedTargets.length);
  const missing = Math.max(0, root.directiveThreshold - fewest);
  const neededBefore = predecessor?.root.directiveThreshold ?? 0;
  const missingBefore = Math.max(0, neededBefore - predecessors.length);

  const rootSigned = buildRootSigned(root);
  const rootFile = encodeTuf(rootSigned, parseTuf(rootBytes).signatures);
  const targetsFile = encodeTuf(buildTargets(targets), parseTuf(targetsBytes).signatures);
  return {
    root,
    rootFile,
    targetsFile,
    predecessor,
    people,
    predecessors,
    missing,
    missingBefore,
    contentDigest: sha256Hex(tufSigningBytes(rootSigned)),
    digest: missing + missingBefore === 0 ? sha256Hex(rootFile) : undefined,
  };
}

function rootKeysOf(root: TrustRoot | undefined): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...(root?.people.values() ?? [])].map((it) => [it.root, it.id]));
}

function signingKeysOf(root: TrustRoot): ReadonlyMap<Ed25519PublicKey, string> {
  return new Map([...root.people.values()].map((it) => [it.signing, it.id]));
}

function withSignature(
  file: Uint8Array,
  signer: Signer,
  may: ReadonlySet<Ed25519PublicKey>,
): Uint8Array {
  if (!may.has(signer.publicKey)) return file;
  const { signed, signatures } = parseTuf(file);
  const [own, ...none] = signTuf(signed, signer);
  if (own === undefined || none.length > 0) throw new Error('one signer makes one signature');
  const others = signatures.filter(({ keyid }) => keyid !== own.keyid);
  return encodeTuf(signed, [...others, own]);
}
