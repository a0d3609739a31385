import { toHex } from '../../protocol/encoding/bytes.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { count, demand, NotAskedError, within, type Audit, type Check } from './check.ts';
import { checkpointFact, tilesFact } from './log.ts';
import { recordSource } from './record-log.ts';
import { findLeaves } from '../log/tree/scan-hashes.ts';
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
  const { size } = await audit.get(checkpointFact);
  await audit.get(tilesFact);
  const promised = audit.receipts.map((note, i) => {
    const { leafHash } = within(`receipt ${i + 1}`, () =>
      openReceipt(note, newest.origin, [newest.logKey], audit.verify),
    );
    return toHex(leafHash);
  });
  const logged = await findLeaves(recordSource(audit.files, size), size, new Set(promised));
  for (const [i, hash] of promised.entries()) {
    demand(logged.has(hash), `what receipt ${i + 1} promises is not in the log`);
  }
  return count(audit.receipts.length, 'receipt');
}
