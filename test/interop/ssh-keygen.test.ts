import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { signSshsig } from '../../protocol/signature/sshsig.ts';
import { signerNamed } from '../protocol/trust/network.ts';
import { handSign, SUMS } from './support/hand-signed.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

describe('ssh-keygen', { skip: missing('ssh-keygen') }, () => {
  let shop: Workshop;

  before(() => {
    shop = openWorkshop();
    handSign(shop);
  });

  after(() => {
    shop.remove();
  });

  interface Question {
    readonly file?: string;
    readonly namespace?: string;
    readonly input?: Uint8Array | string;
  }
  const verify = (principal: string, question: Question = {}): Outcome => {
    const { file = principal, namespace = 'sealdrop', input = SUMS } = question;
    const keys = ['-f', 'SHA256SUMS.allowed_signers', '-I', principal, '-n', namespace];
    return shop.run('ssh-keygen', ['-Y', 'verify', ...keys, '-s', `SHA256SUMS.${file}.sshsig`], {
      input,
    });
  };

  it('verifies every officer’s signature under their own name', () => {
    for (const officer of ['ada', 'bo']) {
      const { status, text } = verify(officer);
      assert.equal(status, 0, text);
      assert.match(text, new RegExp(`^Good "sealdrop" signature for ${officer} with ED25519 key`));
    }
  });

  it('refuses another officer, another purpose and other bytes', () => {
    const sshsig = signSshsig(SUMS, 'file', signerNamed('ada signing'));
    shop.write('SHA256SUMS.for-files.sshsig', sshsig);
    const refused = [
      verify('bo', { file: 'ada' }),
      verify('eve', { file: 'ada' }),
      verify('ada', { namespace: 'file' }),
      // Good in itself, but the key is listed for one purpose only.
      verify('ada', { file: 'for-files', namespace: 'file' }),
      verify('ada', { file: 'for-files' }),
      verify('ada', { input: 'changed\n' }),
    ];
    for (const { status, text } of refused) {
      assert.notEqual(status, 0);
      assert.doesNotMatch(text, /^Good/m);
    }
  });
});
