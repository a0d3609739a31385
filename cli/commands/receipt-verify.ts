import { verifyEd25519 } from '../../platform/ed25519.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import { parseTlogProof, verifyTlogProof } from '../../protocol/log/tlog-proof.ts';
import { argument, findOption, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { findLogKeys, type LogKeys } from '../log/log-keys.ts';
import { countWitnesses, openState } from '../log/signed-state.ts';
import { readStored, type StoredReceipt } from '../receipts/stored.ts';

export const receiptVerifyCommand: Command = {
  name: 'receipt verify',
  group: 'operator',
  summary: 'Check a receipt and its proof from the files alone, offline',
  args: [{ name: 'file', description: 'NAME.json or NAME.tlog-proof; both lie side by side' }],
  options: [
    { flag: '--key <vkey>', description: 'the log’s key; default: that of the trusted root' },
  ],
  example: 'sealdrop receipt verify ~/.config/sealdrop/receipts/SDX-2026-7KQ4.1.ack.tlog-proof',

  async run(input, context) {
    const { out } = context;
    const file = argument(input, 0);
    const keys = await findLogKeys(openHome(context), findOption(input, 'key'));
    const receipt = await readStored(file, keys);
    if (file.endsWith('.tlog-proof') && receipt.proof === undefined) {
      throw new CliError(`${file} does not exist`, 'run: sealdrop receipt collect');
    }
    const { promise, opened, due } = receipt;
    const what = { kind: opened.kind, campaign: opened.campaign };
    out.line(`${what.kind} of ${what.campaign}, accepted ${formatInstant(promise.at)}`);
    const proof = verifyProof(receipt, keys);
    if (proof === undefined) {
      out.line(`a promise of the log, due ${formatInstant(due)}; no proof was collected yet`);
    } else {
      const { index, size, witnesses } = proof;
      out.line(
        `proven: leaf ${index} of a log of ${size}, cosigned by ${witnesses} known witnesses`,
      );
    }
    out.summary({
      ...what,
      accepted: formatInstant(promise.at),
      due: formatInstant(due),
      proof: proof ?? null,
    });
  },
};

/** @throws {@link ProtocolError} when the proof does not hold for what the receipt is about. */
function verifyProof(
  { proof: text, promise }: StoredReceipt,
  keys: LogKeys,
): { index: number; size: number; witnesses: number } | undefined {
  if (text === undefined) return undefined;
  const proof = parseTlogProof(text);
  const { leafHash } = promise;
  const { size } = verifyTlogProof(proof, leafHash, keys.log.name, [keys.log], verifyEd25519);
  const witnesses = countWitnesses(openState(proof.checkpoint, keys));
  return { index: proof.index, size, witnesses };
}
