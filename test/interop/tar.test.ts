import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packFiles } from '../../protocol/embargo/tar.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { missing, openWorkshop, type Workshop } from './support/tools.ts';

let shop: Workshop;
before(() => {
  shop = openWorkshop();
});
after(() => {
  shop.remove();
});

describe('tar', { skip: missing('tar') }, () => {
  it('lists and unpacks our archive without a warning', async () => {
    const files = new Map([
      ['release.txt', utf8Encode('text\n')],
      ['empty', new Uint8Array()],
      [`${'a'.repeat(99)}z`, new Uint8Array(1234).fill(1)],
    ]);
    const archive = shop.write('bundle.tar', await packFiles(files));
    const listed = shop.run('tar', ['-tvf', archive]);
    assert.equal(listed.status, 0);
    assert.equal(listed.text.match(/^-rw-r--r-- .* 1970-01-01 /gm)?.length, 3);
    mkdirSync(join(shop.path, 'unpacked'));
    const unpacked = shop.run('tar', ['-xf', archive, '-C', 'unpacked']);
    assert.deepEqual([unpacked.status, unpacked.text], [0, '']);
    for (const [name, bytes] of files) {
      assert.ok(readFileSync(join(shop.path, 'unpacked', name)).equals(bytes));
    }
  });
});
