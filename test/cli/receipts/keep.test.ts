import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { verifyOmission } from '../../../cli/log/compare/omission.ts';
import type { OmissionEvidence } from '../../../cli/log/evidence.ts';
import { openHome } from '../../../cli/home/home.ts';
import { collectProofs, proveLeaf } from '../../../cli/receipts/collect.ts';
import { keepReceiptFor } from '../../../cli/receipts/keep.ts';
import { leafHashOf } from '../../../cli/receipts/receipt-file.ts';
import { listStored } from '../../../cli/receipts/stored.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { encodeOpening, sealedLeaf } from '../../../protocol/log/opening.ts';
import { MERGE_DELAY_MS, signReceipt } from '../../../protocol/log/receipt.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { memoryLog, type MemoryLog } from '../support/log.ts';

const LOG = noteSigner('log.example/l', signerFromSeed(new Uint8Array(32).fill(1)));
const KEYS = { log: LOG, witnesses: [] };
const ROOT = { origin: LOG.name, logKey: LOG } as Pick<TrustRoot, 'origin' | 'logKey'> as TrustRoot;
const AT = Date.parse('2026-11-20T14:00:00.000Z');

/** What hides the `n`-th statement. */
const openingOf = (n: number): Uint8Array =>
  encodeOpening({
    campaign: 'SDX-2026-7KQ4',
    nonce: String(n).padStart(64, '0'),
    kind: 'statement',
    content: utf8Encode('{}'),
  });
const leafOf = (n: number): string => formatLeaf(sealedLeaf(openingOf(n)));
const receiptOf = (n: number, at = AT): string =>
  signReceipt({ origin: LOG.name, leafHash: leafHashOf(openingOf(n)), at }, LOG);

/** Keep a promise about the statement `promised`, opened as the statement `opened`. */
function keep(context: TestContext, promised: number, opened = promised): Promise<string> {
  const answer = { receipt: receiptOf(promised), opening: toBase64(openingOf(opened)) };
  return keepReceiptFor(openHome(context), ROOT, { name: 'one', answer }, () => undefined);
}

async function stateOf(log: MemoryLog): Promise<Parameters<typeof collectProofs>[1]> {
  const note = await log.checkpoint();
  return { note, checkpoint: openCheckpoint(note, LOG.name, [LOG], verifyEd25519) };
}

describe('a receipt that is kept', () => {
  it('promises the leaf that its opening opens', async () => {
    await using context = await testContext();
    await assert.rejects(keep(context, 1, 2), { code: 'proof_invalid' });
    await assert.rejects(readdir(join(context.home, 'receipts')), { code: 'ENOENT' });
    await keep(context, 1);
  });

  it('stays when the log promises the same thing again, which is kept beside it', async () => {
    await using context = await testContext();
    const first = await keep(context, 1);
    const second = await keep(context, 2);
    assert.notEqual(second, first);
    assert.deepEqual([await keep(context, 1), await keep(context, 2)], [first, second]);
    const stored = await listStored(openHome(context), KEYS);
    assert.deepEqual(
      new Set(stored.map(({ receipt }) => receipt)),
      new Set([receiptOf(1), receiptOf(2)]),
    );
  });

  it('becomes no proof by a tile that claims its leaf', async () => {
    await using context = await testContext();
    await keep(context, 3);
    const stored = await listStored(openHome(context), KEYS);
    const log = memoryLog(LOG);
    await log.append(leafOf(0), leafOf(1), leafOf(2));
    const state = await stateOf(log);
    const path = 'tile/0/000.p/3';
    const good = log.tiles.get(path) ?? assert.fail();
    const lying = Uint8Array.from(good);
    lying.set(leafHashOf(openingOf(3)), 32);
    log.tiles.set(path, lying);
    await assert.rejects(collectProofs(log, state, stored), { code: 'proof_invalid' });
    log.tiles.set(path, good);
    assert.deepEqual(await collectProofs(log, state, stored), []);
    await log.append(leafOf(3));
    assert.equal((await collectProofs(log, await stateOf(log), stored)).length, 1);
  });
});

describe('evidence of an omitted leaf', () => {
  it('shows by the time of a cosignature that its time was over', async () => {
    const log = memoryLog(LOG);
    await log.append(leafOf(1));
    const { note, checkpoint } = await stateOf(log);
    const witness = cosigner('w.example', signerFromSeed(new Uint8Array(32).fill(2)));
    const due = (AT + MERGE_DELAY_MS) / 1000;
    const latenessAt = async (time: number, witnesses = [witness]): Promise<string | undefined> => {
      const cosigned = note + witness.cosign(formatCheckpoint(checkpoint), time);
      const evidence = { kind: 'omitted', receipt: receiptOf(0), checkpoint: cosigned } as const;
      return (await verifyOmission(evidence, log, { log: LOG, witnesses })).lateness;
    };
    assert.equal(await latenessAt(due), 'w.example cosigned it after that');
    assert.equal(await latenessAt(due - 1), undefined);
    assert.equal(await latenessAt(due, []), undefined, 'a witness that nobody knows');
  });

  it('shows by a later promise of the same checkpoint that its time was over', async () => {
    const log = memoryLog(LOG);
    await log.append(leafOf(1), leafOf(2));
    const before = await stateOf(log);
    await log.append(leafOf(3));
    const state = await stateOf(log);
    const due = AT + MERGE_DELAY_MS;
    const latenessOf = async (later: OmissionEvidence['later']): Promise<string | undefined> => {
      const evidence = {
        kind: 'omitted',
        receipt: receiptOf(0),
        checkpoint: state.note,
        later,
      } as const;
      return (await verifyOmission(evidence, log, KEYS)).lateness;
    };
    const leaf = leafHashOf(openingOf(2));
    const proof = await proveLeaf(log, state, 1, leaf);
    assert.match((await latenessOf({ receipt: receiptOf(2, due), proof })) ?? '', /accepted after/);
    assert.equal(await latenessOf({ receipt: receiptOf(2, due - 1), proof }), undefined);

    const refused = { code: 'proof_invalid' };
    const older = await proveLeaf(log, before, 1, leaf);
    await assert.rejects(latenessOf({ receipt: receiptOf(2, due), proof: older }), refused);
    await assert.rejects(latenessOf({ receipt: receiptOf(3, due), proof }), refused);
  });
});
