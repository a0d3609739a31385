import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import { parseNote } from '../../../protocol/signature/note.ts';
import type { NoteVerifier } from '../../../protocol/signature/verifier-key.ts';
import { readTileFrom } from '../log/recover.ts';
import type { Sequencer } from '../log/sequencer.ts';
import type { LogFiles } from '../log/store.ts';
import { LogAheadError } from '../log/witnesses.ts';
import type { Witnesses } from '../log/witnesses.ts';

/**
 * Let a sequencer sign only after the witnesses were asked about what is published already.
 *
 * A server restored from an older backup shows itself here, before there is a second signature for
 * any size. Asked at the first run, not while starting: reading the log must not wait for witnesses.
 */
export function confirmedSequencer(
  sequencer: Sequencer,
  deps: { readonly log: NoteVerifier; readonly files: LogFiles; readonly witnesses: Witnesses },
): Sequencer {
  let confirmation: Promise<LogAheadError | undefined> | undefined;

  const confirm = async (): Promise<void> => {
    confirmation ??= contradictionOf(deps);
    const contradiction = await confirmation.catch((error: unknown) => {
      confirmation = undefined;
      throw error;
    });
    if (contradiction !== undefined) throw contradiction;
  };
  return {
    ...sequencer,
    async sequenceOnce() {
      await confirm();
      return sequencer.sequenceOnce();
    },
    async sequenceAll() {
      await confirm();
      await sequencer.sequenceAll();
    },
  };
}

/** What a witness holds against the published checkpoint. */
async function contradictionOf({
  log,
  files,
  witnesses,
}: {
  readonly log: NoteVerifier;
  readonly files: LogFiles;
  readonly witnesses: Witnesses;
}): Promise<LogAheadError | undefined> {
  const published = await files.readCheckpoint();
  if (published === undefined) return undefined;
  const { text, lines } = parseNote(published);
  const { size } = parseCheckpoint(text, log.name);
  const own = lines.filter(({ name, keyId }) => name === log.name && keyId === log.keyId);
  const note = `${text}\n${own.map(({ line }) => `${line}\n`).join('')}`;
  const tree = treeReader(readTileFrom(files));
  try {
    await witnesses.cosign(note, size, (oldSize) => tree.consistencyProof(oldSize, size));
    return undefined;
  } catch (error) {
    if (error instanceof LogAheadError) return error;
    throw error;
  }
}
