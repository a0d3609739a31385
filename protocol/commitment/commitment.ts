import { sha256Hex, utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import { documentDigest, parseDocument } from './document.ts';
import type { DocumentType, SealedDocument } from './document.ts';

/** One line of `COMMITMENT`: a document's name and the SHA-256 of its bytes, lower-case hex. */
export interface CommitmentEntry {
  readonly name: string;
  readonly sha256: string;
}

/** More than any campaign needs; a line has at most 131 bytes. */
const MAX_ENTRIES = 1000;
const MAX_BYTES = MAX_ENTRIES * 131;

/** Names of documents, and of the list of an earlier revision, which sorts first by its capitals. */
const NAME = /^(?:[a-z0-9][a-z0-9.-]{0,63}|COMMITMENT(?:\.r[1-9][0-9]{0,5})?)$/;
const LINE = /^([0-9a-f]{64}) {2}(\S+)$/;

/** The documents that every campaign has, and the type that each must be of. */
export const DOCUMENT_TYPE_OF: Readonly<Record<string, DocumentType>> = {
  'notice.txt': 'notice',
  'release.txt': 'release',
  'disclosure.md': 'disclosure',
};

/** What the list of a revision is called: `COMMITMENT`, then `COMMITMENT.r2` and so on. */
export function commitmentName(revision: number): string {
  return revision === 1 ? 'COMMITMENT' : `COMMITMENT.r${revision}`;
}

/**
 * Write `COMMITMENT` in the format of `sha256sum`, sorted bytewise by name.
 *
 * @throws {@link ProtocolError} `document_invalid` for no entry, a bad name or digest, or a name
 *   that is there twice.
 */
export function encodeCommitment(entries: readonly CommitmentEntry[]): Uint8Array {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const bytes = utf8Encode(sorted.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
  if (parseCommitment(bytes).length !== entries.length) {
    throw new ProtocolError('document_invalid', 'a name is more than one line');
  }
  return bytes;
}

/**
 * Read `COMMITMENT`. Each list has exactly one encoding.
 *
 * @throws {@link ProtocolError} `document_invalid`, `too_large` above 1000 entries' worth of bytes.
 * @see docs/spec/documents.md, "COMMITMENT"
 */
export function parseCommitment(bytes: Uint8Array): readonly CommitmentEntry[] {
  if (bytes.length > MAX_BYTES) throw new ProtocolError('too_large', 'COMMITMENT is too long');
  const lines = utf8Decode(bytes).split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > MAX_ENTRIES) {
    throw new ProtocolError('document_invalid', 'COMMITMENT is lines, each ended by a newline');
  }
  const entries = lines.map((line) => {
    const [, sha256, name] = LINE.exec(line) ?? [];
    if (sha256 === undefined || name === undefined || !NAME.test(name)) {
      throw new ProtocolError('document_invalid', 'COMMITMENT has a line that is not sha256sum');
    }
    return { name, sha256 };
  });
  if (!isStrictlySorted(entries.map(({ name }) => name))) {
    throw new ProtocolError('document_invalid', 'COMMITMENT is sorted and names nothing twice');
  }
  return entries;
}

/** SHA-256 of `COMMITMENT` in lower-case hex: the public commitment. */
export function commitmentDigest(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

/**
 * Verify that a document is the one committed to under `name`.
 *
 * @param commitment - The public commitment, from a source other than the list.
 * @param list - The bytes of `COMMITMENT`.
 * @returns The document; its campaign is for the caller to compare.
 * @throws {@link ProtocolError} `commitment_mismatch` when list or document are not the committed
 *   ones or the list has no such name; `document_invalid` when what was committed to is no sealed
 *   document, or of another type than its name says.
 */
export function verifyOpening(
  commitment: string,
  list: Uint8Array,
  name: string,
  document: Uint8Array,
): SealedDocument {
  if (commitmentDigest(list) !== commitment) {
    throw new ProtocolError('commitment_mismatch', 'COMMITMENT is not the one made public');
  }
  const entry = parseCommitment(list).find((line) => line.name === name);
  if (entry === undefined) {
    throw new ProtocolError('commitment_mismatch', 'COMMITMENT lists no document of that name');
  }
  if (documentDigest(document) !== entry.sha256) {
    throw new ProtocolError('commitment_mismatch', `${name} is not the one committed to`);
  }
  const opened = parseDocument(document);
  if (Object.hasOwn(DOCUMENT_TYPE_OF, name) && DOCUMENT_TYPE_OF[name] !== opened.type) {
    throw new ProtocolError('document_invalid', `${name} is of another type than its name says`);
  }
  return opened;
}
