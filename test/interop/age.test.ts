import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateKey, open, seal } from '../../protocol/embargo/age.ts';
import { sealCampaign, type SealedCampaign } from '../protocol/embargo/sealed-campaign.ts';
import { missing, openWorkshop, type Workshop } from './support/tools.ts';

let shop: Workshop;
before(() => {
  shop = openWorkshop();
});
after(() => {
  shop.remove();
});

describe('age', { skip: missing('age') }, () => {
  it('opens what we seal, and we open what it seals', async () => {
    const { identity, recipient } = await generateKey();
    const plaintext = new Uint8Array(200_000).fill(7);
    const key = shop.write('release.key', `${identity}\n`);
    const sealed = shop.write('bundle.age', await seal(plaintext, [recipient]));
    const { status, stdout } = shop.run('age', ['-d', '-i', key, sealed]);
    assert.equal(status, 0);
    assert.ok(stdout.equals(plaintext));

    const theirs = join(shop.path, 'theirs.age');
    const plain = shop.write('plain', plaintext);
    assert.equal(shop.run('age', ['-r', recipient, '-o', theirs, plain]).status, 0);
    assert.deepEqual(await open(Uint8Array.from(readFileSync(theirs)), identity), plaintext);
  });

  it('refuses a bundle with one byte changed', async () => {
    const { identity, recipient } = await generateKey();
    const sealed = await seal(new Uint8Array(1000), [recipient]);
    sealed[500] = 1 ^ (sealed[500] ?? 0);
    const key = shop.write('other.key', `${identity}\n`);
    assert.notEqual(
      shop.run('age', ['-d', '-i', key, shop.write('changed.age', sealed)]).status,
      0,
    );
  });
});

describe('age, tar and sha256sum in a row', () => {
  const skip = missing('age', 'tar', 'sha256sum');
  let sealed: SealedCampaign;

  before(async () => {
    sealed = await sealCampaign();
  });

  it('open a bundle with nothing of ours but the released key', { skip }, () => {
    const cwd = join(shop.path, 'by-hand');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'key'), `${sealed.keys.release.identity}\n`);
    writeFileSync(join(cwd, 'b.age'), sealed.ciphertexts.bundles.get('agave') ?? '');
    const steps: readonly (readonly [string, ...string[]])[] = [
      ['age', '-d', '-i', 'key', '-o', 'b.tar', 'b.age'],
      ['tar', '-xf', 'b.tar'],
      ['sha256sum', '--strict', '--ignore-missing', '-c', 'SHA256SUMS'],
    ];
    for (const [tool, ...parameters] of steps) {
      const { status, text } = shop.run(tool, parameters, { cwd });
      assert.equal(status, 0, text);
    }
    assert.deepEqual(
      readdirSync(cwd).filter((name) => !/^(key|b\..*)$/.test(name)),
      ['INSTRUCTIONS.md', 'SHA256SUMS', 'agave.patch', 'agave.tar.gz', 'release.txt'],
    );
  });
});
