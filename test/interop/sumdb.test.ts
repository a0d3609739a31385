import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toBase64 } from '../../protocol/encoding/bytes.ts';
import { rootOf } from '../../protocol/log/merkle.ts';
import { LOG_VKEY, numberedLeaf, writeLog, type LogOnDisk } from './support/log.ts';
import { flipped, missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const SIZES = [0, 1, 2, 255, 256, 257, 600, 1000];

describe('golang.org/x/mod/sumdb', { skip: missing('sumdb') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), SIZES);
  });

  after(() => {
    shop.remove();
  });

  const checkpoint = (of: LogOnDisk, size: number, name = `${size}`): string =>
    shop.write(`checkpoint-${name}`, of.checkpoints.get(size) ?? '');
  const check = (paths: readonly string[], path = log.path, vkey = LOG_VKEY): Outcome =>
    shop.run('sumdb', [path, vkey, '7', ...paths]);

  it('proves consistency between every two published sizes, and inclusion of every seventh leaf', () => {
    const { status, text } = check(SIZES.map((size) => checkpoint(log, size)));
    assert.equal(status, 0, text);
    const root = toBase64(rootOf(log.hashes));
    assert.equal(text, `OK: 8 checkpoints, 28 pairs, 143 leaves, size 1000, root ${root}\n`);
  });

  it('refuses a fork of equal size, and one that is shorter', async () => {
    for (const size of [600, 1000]) {
      const fork = await writeLog(join(shop.path, `fork-${size}`), [size], (n) =>
        numberedLeaf(n, n === 300 ? 'f' : ''),
      );
      const forked = checkpoint(fork, size, `fork-${size}`);
      assert.notEqual(check([checkpoint(log, 1000), forked], fork.path).status, 0);
      if (size < 1000) assert.notEqual(check([checkpoint(log, 1000), forked]).status, 0);
    }
  });

  it('refuses a changed leaf, a changed tile, a changed signature and another key', () => {
    const paths = ['tile/entries/001', 'tile/0/002', 'tile/1/000.p/3'];
    for (const name of paths) {
      const path = join(log.path, name);
      const bytes = readFileSync(path);
      writeFileSync(path, flipped(bytes, 40));
      // Leaf 259 is not a seventh one of 1000, so look at all.
      const every = shop.run('sumdb', [log.path, LOG_VKEY, '1', checkpoint(log, 1000)]);
      writeFileSync(path, bytes);
      assert.notEqual(every.status, 0, name);
    }
    const good = log.checkpoints.get(1000) ?? '';
    const forged = shop.write('forged', good.replace('\n1000\n', '\n1001\n'));
    assert.notEqual(check([forged]).status, 0);
    const key = LOG_VKEY.replace('patches', 'patchez');
    assert.notEqual(check([checkpoint(log, 1000)], log.path, key).status, 0);
    assert.equal(check([checkpoint(log, 1000)]).status, 0);
  });
});
