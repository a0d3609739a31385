import { ProtocolError } from '../errors.ts';
import { verifyCosignatureTime } from '../signature/cosigner.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { parseNote } from '../signature/note.ts';
import { NOTE_COSIGNATURE } from '../signature/verifier-key.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';

/** A verified cosignature: by when a witness had seen a checkpoint. C2SP tlog-cosignature. */
export interface Cosignature {
  readonly witness: NoteVerifier;
  /** Unix seconds, by the witness's clock. */
  readonly time: bigint;
  /** As it stands in the note, without its newline. */
  readonly line: string;
}

/**
 * Verify the cosignatures under a checkpoint, in their order; a witness may have several.
 *
 * Lines by other keys are passed over, the log's own among them: `openCheckpoint` judges that one.
 *
 * @throws {@link ProtocolError} `signature_invalid` when a line by one of these witnesses does not
 *   verify; `too_large` or `note_invalid` as `openNote`.
 */
export function verifyCosignatures(
  note: string,
  witnesses: readonly NoteVerifier[],
  verify: VerifyEd25519,
): readonly Cosignature[] {
  const { text, lines } = parseNote(note);
  return lines.flatMap(({ name, keyId, signature, line }) => {
    const witness = witnesses.find(
      (it) => it.type === NOTE_COSIGNATURE && it.name === name && it.keyId === keyId,
    );
    if (witness === undefined) return [];
    const time = verifyCosignatureTime(witness.publicKey, text, signature, verify);
    if (time !== undefined) return [{ witness, time, line }];
    throw new ProtocolError('signature_invalid', `cosignature of ${name} does not verify`);
  });
}

/**
 * Find a witness's cosignature in its answer to add-checkpoint.
 *
 * @param answer - Signature lines, those by unknown keys among them.
 * @returns The latest one. Nothing else of the answer is to be published.
 * @throws {@link ProtocolError} `note_invalid` when it is no list of signature lines;
 *   `signature_invalid` when there is none by this witness, or a wrong one.
 */
export function takeCosignature(
  text: string,
  answer: string,
  witness: NoteVerifier,
  verify: VerifyEd25519,
): Cosignature {
  // Whatever stands before the last blank line would be taken for the text that is signed.
  if (answer.startsWith('\n') || answer.includes('\n\n')) {
    throw new ProtocolError('note_invalid', 'blank line among cosignatures');
  }
  const found = verifyCosignatures(`${text}\n${answer}`, [witness], verify);
  const [first, ...more] = found;
  if (first === undefined) {
    throw new ProtocolError('signature_invalid', `no cosignature of ${witness.name}`);
  }
  return more.reduce((latest, it) => (it.time > latest.time ? it : latest), first);
}

/** Put cosignatures under a checkpoint, behind what stands there; none twice. */
export function addCosignatures(note: string, cosignatures: readonly Cosignature[]): string {
  const present = new Set(parseNote(note).lines.map(({ line }) => line));
  const added = cosignatures.map(({ line }) => line).filter((line) => !present.has(line));
  return note + [...new Set(added)].map((line) => `${line}\n`).join('');
}
