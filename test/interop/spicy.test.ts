import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { concatBytes, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { LOG_VKEY, writeLog, type LogOnDisk } from './support/log.ts';
import { proofOf } from './support/proof.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const SIZE = 257;
const INDEX = 256;

describe('spicy of torchwood', { skip: missing('spicy') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;
  let proof = '';

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), [SIZE]);
    proof = proofOf(log, INDEX, log.checkpoints.get(SIZE) ?? '');
  });

  after(() => {
    shop.remove();
  });

  /** It reads what our proof file says below its first line. */
  const verify = (leaf: Uint8Array, text = proof, vkey = LOG_VKEY): Outcome => {
    shop.write('leaf.spicy', text.slice(text.indexOf('\n') + 1));
    return shop.run('spicy', ['-verify', vkey, shop.write('leaf', leaf)]);
  };

  it('verifies a leaf by our proof file, and no other leaf, log or key', () => {
    const leaf = log.leaves[INDEX] ?? new Uint8Array();
    const good = verify(leaf);
    assert.equal(good.status, 0, good.text);
    assert.match(good.text, /verified/);
    for (const bad of [
      verify(concatBytes(leaf, utf8Encode('\n'))),
      verify(log.leaves[0] ?? leaf),
      verify(leaf, proof.replace(`index ${INDEX}`, 'index 0')),
      verify(leaf, proof.replace(`\n${SIZE}\n`, `\n${SIZE + 1}\n`)),
      verify(leaf, proof, LOG_VKEY.replace('patches', 'patchez')),
    ]) {
      assert.notEqual(bad.status, 0);
      assert.doesNotMatch(bad.text, /verified!/);
    }
  });
});
