import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { concatBytes, fromBase64, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { minisignKey } from '../../protocol/signature/minisig.ts';
import { signerNamed } from '../protocol/trust/network.ts';
import { handSign, SUMS } from './support/hand-signed.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const COMMENT = 'SHA256SUMS of SDX-2026-7KQ4, revision 1';

describe('minisign', { skip: missing('minisign') }, () => {
  let shop: Workshop;

  before(() => {
    shop = openWorkshop();
  });

  beforeEach(() => {
    handSign(shop);
  });

  after(() => {
    shop.remove();
  });

  /** `-H` takes prehashed signatures only. */
  const verify = (officer: string, key = officer): Outcome =>
    shop.run('minisign', [
      ...['-HVm', 'SHA256SUMS', '-x', `SHA256SUMS.${officer}.minisig`],
      ...['-p', `SHA256SUMS.${key}.pub`],
    ]);
  const lines = (): string[] =>
    readFileSync(join(shop.path, 'SHA256SUMS.ada.minisig'), 'utf8').split('\n');

  it('verifies every officer’s signature, and shows what it is of', () => {
    for (const officer of ['ada', 'bo']) {
      const { status, text } = verify(officer);
      assert.equal(status, 0, text);
      assert.match(text, /Signature and comment signature verified/);
      assert.ok(text.includes(`Trusted comment: ${COMMENT}`));
    }
  });

  it('refuses another officer’s key, also under the same key number', () => {
    assert.notEqual(verify('ada', 'bo').status, 0);
    const [ada, bo] = ['ada', 'bo'].map((id) =>
      fromBase64(minisignKey(signerNamed(`${id} signing`).publicKey).split('\n')[1] ?? ''),
    );
    assert.ok(ada && bo);
    const mixed = toBase64(concatBytes(ada.subarray(0, 10), bo.subarray(10)));
    shop.write('SHA256SUMS.ada.pub', `untrusted comment: x\n${mixed}\n`);
    assert.notEqual(verify('ada').status, 0);
  });

  it('refuses a changed file and a changed trusted comment', () => {
    shop.write('SHA256SUMS', 'changed\n');
    assert.notEqual(verify('ada').status, 0);
    handSign(shop);
    const edited = lines().with(2, `trusted comment: ${COMMENT.replace('1', '2')}`);
    shop.write('SHA256SUMS.ada.minisig', edited.join('\n'));
    assert.notEqual(verify('ada').status, 0);
  });

  it('refuses a legacy signature, which -H has to ask for', () => {
    const signer = signerNamed('ada signing');
    const number = fromBase64(lines()[1] ?? '').subarray(2, 10);
    const signature = signer.sign(SUMS);
    const legacy = toBase64(concatBytes(utf8Encode('Ed'), number, signature));
    const global = toBase64(signer.sign(concatBytes(signature, utf8Encode(COMMENT))));
    shop.write('SHA256SUMS.ada.minisig', lines().with(1, legacy).with(3, global).join('\n'));
    assert.notEqual(verify('ada').status, 0);
    const lenient = ['-Vm', 'SHA256SUMS', '-x', 'SHA256SUMS.ada.minisig'];
    assert.equal(shop.run('minisign', [...lenient, '-p', 'SHA256SUMS.ada.pub']).status, 0);
  });
});
