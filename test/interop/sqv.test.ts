import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DAY_MS, meet, type People } from '../protocol/contact/people.ts';
import { NOW, twoSignatures } from './support/openpgp.ts';
import { missing, openWorkshop, type Workshop } from './support/tools.ts';

describe('sqv', { skip: missing('sqv') }, () => {
  let shop: Workshop;
  let people: People;

  before(async () => {
    shop = openWorkshop();
    people = await meet(new Date(NOW.getTime() - DAY_MS));
  });

  after(() => {
    shop.remove();
  });

  const count = (n: number, signature: string, data: string, known = 2): number | null => {
    const keys = [people.alice, people.bob]
      .slice(0, known)
      .flatMap(({ publicKey }, index) => ['--keyring', shop.write(`sqv${index}.asc`, publicKey)]);
    return shop.run('sqv', [...keys, '-n', String(n), signature, data]).status;
  };

  it('counts two signers in one merged block, no third, and none over other bytes', async () => {
    const { data, signature } = await twoSignatures(shop, people);
    assert.equal(count(2, signature, data), 0);
    assert.notEqual(count(3, signature, data), 0);
    assert.notEqual(count(2, signature, data, 1), 0);
    shop.write('SHA256SUMS', 'changed\n');
    assert.notEqual(count(1, signature, data), 0);
  });

  it('sees but the first of two concatenated blocks, which is why ours is one', async () => {
    const { data, blocks } = await twoSignatures(shop, people);
    const concatenated = shop.write('concatenated.asc', blocks.join(''));
    assert.equal(count(1, concatenated, data), 0);
    assert.notEqual(count(2, concatenated, data), 0);
  });
});
