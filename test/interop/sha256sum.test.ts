import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeSums } from '../../protocol/embargo/sums.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { encodeOpening } from '../../protocol/log/opening.ts';
import { writeLog } from './support/log.ts';
import { flipped, missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

describe('sha256sum', { skip: missing('sha256sum', 'bash') }, () => {
  let shop: Workshop;

  before(() => {
    shop = openWorkshop();
  });

  after(() => {
    shop.remove();
  });

  it('checks our SHA256SUMS strictly, and finds the file that changed', () => {
    const cwd = join(shop.path, 'sums');
    mkdirSync(cwd);
    const digestOfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    writeFileSync(join(cwd, 'hello.txt'), 'hello');
    const sums = encodeSums([
      { name: 'hello.txt', sha256: digestOfHello },
      { name: 'other.txt', sha256: 'a'.repeat(64) },
    ]);
    writeFileSync(join(cwd, 'SHA256SUMS'), sums);
    const check = ['--strict', '--ignore-missing', '-c', 'SHA256SUMS'];
    const checked = shop.run('sha256sum', check, { cwd });
    assert.deepEqual([checked.status, checked.text], [0, 'hello.txt: OK\n']);
    writeFileSync(join(cwd, 'hello.txt'), 'hello!');
    assert.notEqual(shop.run('sha256sum', check, { cwd }).status, 0);
  });

  it('finds the sealed leaf of every opening, and misses one that was changed or left out', async () => {
    const openings = [1, 2, 3].map((n) =>
      encodeOpening({
        campaign: 'SDX-2026-7KQ4',
        nonce: `${n}`.repeat(64),
        kind: 'statement',
        content: utf8Encode(`statement ${n}`),
      }),
    );
    const path = join(shop.path, 'log');
    await writeLog(path, [openings.length], (n) =>
      utf8Encode(
        formatLeaf({ type: 'sealed', sha256: sha256Hex(openings[n] ?? new Uint8Array()) }),
      ),
    );
    mkdirSync(join(path, 'openings'));
    const put = (n: number, bytes: Uint8Array): void => {
      writeFileSync(join(path, 'openings', `${n}`), bytes);
    };
    for (const [n, bytes] of openings.entries()) put(n, bytes);
    /** Every sealed leaf has its opening, every opening its leaf, each once. */
    const check = (): Outcome =>
      shop.run(
        'bash',
        [
          '-ec',
          `sha256sum openings/* | cut -d' ' -f1 | sort > opened
           grep -ao 'sealed/v1 [0-9a-f]*' tile/entries/000.p/3 | cut -d' ' -f2 | sort > sealed
           cmp opened sealed`,
        ],
        { cwd: path },
      );
    assert.equal(check().status, 0, check().text);
    put(1, flipped(openings[1] ?? new Uint8Array()));
    assert.notEqual(check().status, 0);
    put(1, openings[1] ?? new Uint8Array());
    put(3, openings[1] ?? new Uint8Array());
    assert.notEqual(check().status, 0);
    renameSync(join(path, 'openings/3'), join(shop.path, 'gone'));
    assert.equal(check().status, 0);
    renameSync(join(path, 'openings/2'), join(shop.path, 'gone'));
    assert.notEqual(check().status, 0);
    assert.ok(readFileSync(join(shop.path, 'gone')).length > 0);
  });
});
