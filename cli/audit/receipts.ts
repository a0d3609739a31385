import { toHex } from '../../protocol/encoding/bytes.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { count, demand, NotAskedError, within, type Audit, type Check } from './check.ts';
import { leavesFact } from './log.ts';
import { trustFact } from './trust.ts';

export const receiptChecks: readonly Check[] = [
  {
    id: 'receipts.kept',
    title: 'whatever the server gave these receipts for is in the log',
    run: checkReceipts,
  },
];

/** A receipt for a leaf that is not there is proof against the server: it took and dropped it. */
async function checkReceipts(audit: Audit): Promise<string> {
  if (audit.receipts.length === 0) throw new NotAskedError('no --receipts were given');
  const { newest } = await audit.get(trustFact);
  const { hashes } = await audit.get(leavesFact);
  const logged = new Set(hashes.map(toHex));
  for (const [i, note] of audit.receipts.entries()) {
    const what = `receipt ${i + 1}`;
    const receipt = within(what, () =>
      openReceipt(note, newest.origin, [newest.logKey], audit.verify),
    );
    demand(logged.has(toHex(receipt.leafHash)), `what ${what} promises is not in the log`);
  }
  return count(audit.receipts.length, 'receipt');
}
