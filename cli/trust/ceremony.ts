import { join } from 'node:path';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Ed25519PublicKey, Signer } from '../../protocol/signature/ed25519.ts';
import {
  countPeople,
  encodeTuf,
  parseTuf,
  signTuf,
  tufSigningBytes,
  verifyTufSignatures,
} from '../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot, type TrustRoot } from '../../protocol/trust/root.ts';
import { buildTargets, parseTargets } from '../../protocol/trust/tuf.ts';
import { readInputFile, writeAtomically } from '../home/files.ts';
import type { OfficerKeys, OfficerRootKey } from '../home/keys.ts';

/**
 * The two files that officers sign before anybody can trust them: `root.json`, and the empty
 * `targets.json` that a TUF repository starts with.
 *
 * A file is written from its content, signatures sorted by key id, so the same signatures always
 * make the same bytes, in whatever order they were added: the pin is over these bytes.
 */
export interface Ceremony {
  readonly root: TrustRoot;
  readonly rootFile: Uint8Array;
  readonly targetsFile: Uint8Array;
  /** Who has signed both so far, sorted. */
  readonly people: readonly string[];
  /** Signatures still missing; 0 when it is complete. */
  readonly missing: number;
  /** SHA-256 of what is signed, the same before and after every signature. */
  readonly contentDigest: string;
  /** SHA-256 of root.json, the pin; undefined until nothing is missing. */
  readonly pin: string | undefined;
}

const MAX_FILE_BYTES = 512_000;

/** Both files without a signature. The targets expire with the root. */
export function startCeremony(root: TrustRoot): Ceremony {
  const targets = buildTargets({ version: 1, expires: root.expires, bundles: [] });
  return readCeremony(encodeTuf(buildRootSigned(root), []), encodeTuf(targets, []));
}

/** @throws {@link ProtocolError} as {@link readCeremony}. */
export async function loadCeremony(directory: string): Promise<Ceremony> {
  return readCeremony(
    await readInputFile(join(directory, 'root.json'), MAX_FILE_BYTES),
    await readInputFile(join(directory, 'targets.json'), MAX_FILE_BYTES),
  );
}

/** Write both files into a directory. Each is replaced whole. */
export async function saveCeremony(directory: string, ceremony: Ceremony): Promise<void> {
  await writeAtomically(join(directory, 'root.json'), ceremony.rootFile);
  await writeAtomically(join(directory, 'targets.json'), ceremony.targetsFile);
}

/** Add an officer's signatures to whichever of the two files lacks them. */
export function signCeremony(
  ceremony: Ceremony,
  keys: OfficerKeys,
  rootKey: OfficerRootKey,
): Ceremony {
  return readCeremony(
    withSignature(ceremony.rootFile, rootKey.signer),
    withSignature(ceremony.targetsFile, keys.signer),
  );
}

/**
 * Check both files and every signature on them.
 *
 * @throws {@link ProtocolError} `trust_invalid` for a root that is not the first or targets that are
 *   not the first and empty: signing would approve them; `signature_invalid` and what `parseRoot`
 *   and `parseTargets` throw.
 */
function readCeremony(rootBytes: Uint8Array, targetsBytes: Uint8Array): Ceremony {
  const root = parseRoot(rootBytes);
  const targets = parseTargets(targetsBytes);
  demand(root.version === 1, 'only the first root is signed this way');
  demand(targets.version === 1, 'only the first targets are signed this way');
  demand(
    targets.bundles.length === 0,
    'the first targets approve nothing, but these list a bundle',
  );
  demand(targets.expires === root.expires, 'the targets expire at another time than the root');

  const officers = [...root.people.values()];
  const signedRoot = peopleOn(rootBytes, new Map(officers.map((it) => [it.root, it.id])));
  const signedTargets = peopleOn(targetsBytes, new Map(officers.map((it) => [it.signing, it.id])));
  const people = signedRoot.filter((id) => signedTargets.includes(id));
  const fewest = Math.min(signedRoot.length, signedTargets.length);
  const missing = Math.max(0, root.directiveThreshold - fewest);

  const rootSigned = buildRootSigned(root);
  const rootFile = encodeTuf(rootSigned, parseTuf(rootBytes).signatures);
  const targetsFile = encodeTuf(buildTargets(targets), parseTuf(targetsBytes).signatures);
  return {
    root,
    rootFile,
    targetsFile,
    people,
    missing,
    contentDigest: sha256Hex(tufSigningBytes(rootSigned)),
    pin: missing === 0 ? sha256Hex(rootFile) : undefined,
  };
}

function peopleOn(
  file: Uint8Array,
  people: ReadonlyMap<Ed25519PublicKey, string>,
): readonly string[] {
  const signers = verifyTufSignatures(parseTuf(file), verifyEd25519, people.keys());
  return countPeople(signers, people, 0);
}

function withSignature(file: Uint8Array, signer: Signer): Uint8Array {
  const { signed, signatures } = parseTuf(file);
  const [own, ...none] = signTuf(signed, signer);
  if (own === undefined || none.length > 0) throw new Error('one signer makes one signature');
  const others = signatures.filter(({ keyid }) => keyid !== own.keyid);
  return encodeTuf(signed, [...others, own]);
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('trust_invalid', otherwise);
}
