import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import {
  openSignatures,
  sealSignatures,
  signatureFiles,
} from '../../../protocol/embargo/signature-bundle.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

let sealed: SealedCampaign;

before(async () => {
  sealed = await sealCampaign();
});

describe('openSignatures', () => {
  it('gives back every file, and refuses any other set of files', async () => {
    const { identity, recipient } = sealed.keys.release;
    const pair = { minisig: utf8Encode('minisig'), sshsig: utf8Encode('sshsig') };
    const byOfficer = new Map([
      ['ada', pair],
      ['bo', pair],
    ]);
    const signatures = { sums: utf8Encode('asc'), release: utf8Encode('{}'), byOfficer };
    const ciphertext = await sealSignatures(signatures, recipient);
    assert.deepEqual(await openSignatures(ciphertext, identity), signatures);

    const names = [...signatureFiles(signatures).keys()];
    assert.deepEqual(names, [
      'SHA256SUMS.asc',
      'release.intoto.json',
      'SHA256SUMS.ada.minisig',
      'SHA256SUMS.ada.sshsig',
      'SHA256SUMS.bo.minisig',
      'SHA256SUMS.bo.sshsig',
    ]);
    const flaws: readonly (readonly string[])[] = [
      ...names.map((name) => names.filter((it) => it !== name)),
      [...names, 'x'],
      [...names, 'SHA256SUMS.ada.sig'],
      [...names, 'SHA256SUMS.Ada.minisig', 'SHA256SUMS.Ada.sshsig'],
      [...names, 'SHA256SUMS.allowed_signers'],
    ];
    for (const flaw of flaws) {
      const other = new Map(flaw.map((name) => [name, utf8Encode('{}')]));
      await assert.rejects(
        openSignatures(await sealBundle(other, recipient), identity),
        { code: 'bundle_invalid' },
        flaw.join(),
      );
    }
  });
});
