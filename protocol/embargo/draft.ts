import { utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { KEY_NAMES } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';
import { open, seal } from './age.ts';
import type { OfficerShare } from './share.ts';
import { SUMS_NAME } from './sums.ts';
import { packFiles, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

/** A campaign in plaintext, as officers hand it to each other. It never goes through the server. */
export interface Draft {
  /** `plan.txt` */
  readonly plan: Uint8Array;
  /** `COMMITMENT` (of later revisions `COMMITMENT.r2` …) and every document it lists, by name. */
  readonly documents: Files;
  /** `SHA256SUMS` */
  readonly sums: Uint8Array;
  /** `INSTRUCTIONS.md` */
  readonly instructions: Uint8Array;
  /** The artifacts of all variants, by name. */
  readonly artifacts: Files;
  /** age identities of the release and the closing key. */
  readonly releaseKey: string;
  readonly closingKey: string;
  /** The share documents of every split; none of a split that the plan does not have. */
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  /** With a time-lock, the files in which the release shares are locked, by officer. */
  readonly locked: Files;
}

const ARTIFACT_PREFIX = 'artifact.';
const LOCKED_PREFIX = 'locked.';
const FIXED = ['plan.txt', SUMS_NAME, 'INSTRUCTIONS.md', 'release.key', 'closing.key'] as const;

const sharePrefix = (key: KeyName): string => `share.${key}.`;

/**
 * Seal a draft for officers as an age file.
 *
 * @param recipients - The officers' own age recipients.
 * @throws {@link ProtocolError} `bundle_invalid` when two files would have one name; `key_invalid`.
 */
export async function packDraft(draft: Draft, recipients: readonly string[]): Promise<Uint8Array> {
  const entries: (readonly [string, Uint8Array])[] = [
    ['plan.txt', draft.plan],
    [SUMS_NAME, draft.sums],
    ['INSTRUCTIONS.md', draft.instructions],
    ['release.key', utf8Encode(`${draft.releaseKey}\n`)],
    ['closing.key', utf8Encode(`${draft.closingKey}\n`)],
    ...draft.documents,
  ];
  for (const [name, bytes] of draft.artifacts) entries.push([ARTIFACT_PREFIX + name, bytes]);
  for (const key of KEY_NAMES) {
    for (const { officer, document } of draft.shares[key]) {
      entries.push([sharePrefix(key) + officer, document]);
    }
  }
  for (const [officer, bytes] of draft.locked) entries.push([LOCKED_PREFIX + officer, bytes]);
  const files = new Map(entries);
  if (files.size !== entries.length) {
    throw new ProtocolError('bundle_invalid', 'two files of the draft have one name');
  }
  return seal(await packFiles(files), recipients);
}

/**
 * Open a draft with an officer's own age identity. What is in it is believed only after
 * `checkDraft`.
 *
 * @throws {@link ProtocolError} `bundle_invalid` when it does not open or a file is missing.
 */
export async function openDraft(ciphertext: Uint8Array, identity: string): Promise<Draft> {
  const files = await unpackFiles(await open(ciphertext, identity));
  const [plan, sums, instructions, releaseKey, closingKey] = FIXED.map((name) => take(files, name));
  const artifacts = takePrefixed(files, ARTIFACT_PREFIX);
  const sharesOf = (key: KeyName): OfficerShare[] =>
    [...takePrefixed(files, sharePrefix(key))].map(([officer, document]) => ({
      officer,
      document,
    }));
  const shares = {
    release: sharesOf('release'),
    closing: sharesOf('closing'),
    'break-glass': sharesOf('break-glass'),
  };
  const locked = takePrefixed(files, LOCKED_PREFIX);
  if (!plan || !sums || !instructions || !releaseKey || !closingKey) {
    throw new ProtocolError('bundle_invalid', 'a file of the draft is missing');
  }
  return {
    plan,
    documents: files,
    sums,
    instructions,
    artifacts,
    releaseKey: utf8Decode(releaseKey).trimEnd(),
    closingKey: utf8Decode(closingKey).trimEnd(),
    shares,
    locked,
  };
}

function take(files: Map<string, Uint8Array>, name: string): Uint8Array | undefined {
  const bytes = files.get(name);
  files.delete(name);
  return bytes;
}

function takePrefixed(files: Map<string, Uint8Array>, prefix: string): Map<string, Uint8Array> {
  const taken = new Map<string, Uint8Array>();
  for (const [name, bytes] of files) {
    if (!name.startsWith(prefix)) continue;
    taken.set(name.slice(prefix.length), bytes);
    files.delete(name);
  }
  return taken;
}
