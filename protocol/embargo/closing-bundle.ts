import { commitmentName, parseCommitment, verifyOpening } from '../commitment/commitment.ts';
import { sha256Hex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { open } from './age.ts';
import { openPlanned } from './bundle.ts';
import { getFile, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

/**
 * Open the closing bundle: the plan's `COMMITMENT`, every document it lists, and those of every
 * revision before, so that one key opens all that was ever committed to.
 *
 * @param identity - The closing key.
 * @returns File name → exact committed bytes, `COMMITMENT` (of later revisions `COMMITMENT.r2` …)
 *   included; documents of earlier revisions as {@link earlierName} calls them.
 * @throws {@link ProtocolError} `commitment_mismatch` when a byte is not as committed to;
 *   `bundle_invalid` when a document is missing or too many.
 */
export async function openClosing(
  ciphertext: Uint8Array,
  identity: string,
  plan: Plan,
): Promise<Files> {
  const archive = await openPlanned(ciphertext, plan.closingBundle, identity, open);
  const files = await unpackFiles(archive);
  verifyDocuments(files, plan);
  return files;
}

/**
 * Check that `files` are the plan's `COMMITMENT` and exactly the documents it lists, and those of
 * every revision before.
 *
 * @throws {@link ProtocolError} as {@link openClosing} does.
 */
export function verifyDocuments(files: Files, plan: Plan): void {
  let listed = plan;
  let nameOf = (name: string): string => name;
  let total = 1;
  for (let revision = plan.revision; ; revision -= 1) {
    const list = getFile(files, commitmentName(revision));
    if (sha256Hex(list) !== listed.commitment) {
      throw new ProtocolError('commitment_mismatch', 'a COMMITMENT is not the one made public');
    }
    for (const { name, sha256 } of listed.documents) {
      verifyDocument(files, isList(name) ? name : nameOf(name), { ...listed, list, name, sha256 });
    }
    total += listed.documents.length;
    if (revision === 1) break;
    const before = listed.documents.find(({ name }) => name === commitmentName(revision - 1));
    if (before === undefined) {
      throw new ProtocolError('commitment_mismatch', 'a COMMITMENT lists none before it');
    }
    const documents = parseCommitment(getFile(files, before.name));
    listed = { ...plan, commitment: before.sha256, documents };
    nameOf = (name) => earlierName(revision - 1, name);
  }
  if (files.size !== total) {
    throw new ProtocolError('bundle_invalid', 'closing bundle holds a file that is not listed');
  }
}

/** What a document of an earlier revision is called in the closing bundle of a later one. */
export function earlierName(revision: number, name: string): string {
  return `r${revision}.${name}`;
}

const isList = (name: string): boolean => name.startsWith('COMMITMENT');

interface Listed {
  readonly campaign: string;
  readonly commitment: string;
  readonly list: Uint8Array;
  readonly name: string;
  readonly sha256: string;
}

function verifyDocument(
  files: Files,
  path: string,
  { campaign, commitment, list, name, sha256 }: Listed,
): void {
  const document = getFile(files, path);
  if (sha256Hex(document) !== sha256) {
    throw new ProtocolError('commitment_mismatch', `${path} is not the one committed to`);
  }
  // The list of the revision before is committed to as well, and is no sealed document.
  if (isList(name)) return;
  if (verifyOpening(commitment, list, name, document).campaign !== campaign) {
    throw new ProtocolError('bundle_invalid', `${path} is of another campaign`);
  }
}
