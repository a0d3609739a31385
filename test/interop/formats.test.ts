import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toHex } from '../../protocol/encoding/bytes.ts';
import { rootOf } from '../../protocol/log/merkle.ts';
import { LOG_VKEY, ORIGIN, writeLog, type LogOnDisk } from './support/log.ts';
import { cosigned, WITNESS_VKEY } from './support/proof.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const SIZE = 600;
/** A line by a key that nobody knows, of a kind that not every reader knows. */
const STRANGER = `— stranger.example.net ${Buffer.alloc(2432, 6).toString('base64')}\n`;

describe('transparency-dev/formats', { skip: missing('formats') }, () => {
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

  const check = (text: string, origin = ORIGIN, keys = [LOG_VKEY, WITNESS_VKEY]): Outcome =>
    shop.run('formats', [origin, shop.write('checkpoint', text), ...keys]);

  it('verifies log and witness, and passes over strangers', () => {
    const root = toHex(rootOf(log.hashes));
    const { text } = check(`${cosigned(note)}${STRANGER}`);
    assert.equal(text, `OK: size ${SIZE}, root ${root}, verified 2, unverified 1\n`);
    const alone = check(cosigned(note), ORIGIN, [LOG_VKEY]);
    assert.equal(alone.text, `OK: size ${SIZE}, root ${root}, verified 1, unverified 1\n`);
  });

  it('refuses another origin, a changed text, a changed cosignature, and a witness alone', () => {
    const good = cosigned(note);
    const lines = good.split('\n');
    const forged = (index: number): string => {
      const line = lines[index] ?? '';
      return lines.with(index, `${line.slice(0, -6)}AAA${line.slice(-3)}`).join('\n');
    };
    const refused = [
      check(good, 'patches.example.com/log'),
      check(good.replace(`\n${SIZE}\n`, `\n${SIZE + 1}\n`)),
      check(forged(4)),
      check(forged(5)),
      check(lines.toSpliced(4, 1).join('\n')),
    ];
    for (const { status, text } of refused) assert.notEqual(status, 0, text);
  });
});
