import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LOG_VKEY, writeLog, type LogOnDisk } from './support/log.ts';
import { cosigned, proofOf, WITNESS_VKEY } from './support/proof.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const SIZE = 600;
const INDEX = 300;

describe('VerifyProof of torchwood', { skip: missing('torchwood') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;
  let note = '';

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), [SIZE]);
    note = log.checkpoints.get(SIZE) ?? '';
  });

  after(() => {
    shop.remove();
  });

  const policy = (vkey = LOG_VKEY): string =>
    `log ${vkey}\nwitness w1 ${WITNESS_VKEY}\ngroup all-of-us all w1\nquorum all-of-us\n`;
  const verify = (proof: string, leaf = log.leaves[INDEX], rules = policy()): Outcome =>
    shop.run('torchwood', [
      shop.write('policy', rules),
      shop.write('proof', proof),
      shop.write('leaf', leaf ?? ''),
    ]);

  it('accepts a proof of ours under a quorum of witnesses', () => {
    const { status, text } = verify(proofOf(log, INDEX, cosigned(note)));
    assert.deepEqual([status, text], [0, 'OK\n']);
  });

  it('refuses one without the cosignature, of another leaf, of another log, or changed', () => {
    const good = proofOf(log, INDEX, cosigned(note));
    const refused: readonly Outcome[] = [
      verify(proofOf(log, INDEX, note)),
      verify(good, log.leaves[INDEX + 1]),
      verify(good.replace(`index ${INDEX}`, `index ${INDEX + 1}`)),
      verify(good.replace('patches.example.org/log\n', 'patches.example.com/log\n')),
      verify(good, log.leaves[INDEX], policy(LOG_VKEY.replace('patches', 'patchez'))),
      verify(good.replace(/\n[^\n]{43}=\n/, '\n')),
    ];
    for (const { status, text } of refused) assert.notEqual(status, 0, text);
  });
});
