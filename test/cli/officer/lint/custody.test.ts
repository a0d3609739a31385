import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CampaignFile } from '../../../../cli/officer/campaign/campaign-file.ts';
import { lintCustody } from '../../../../cli/officer/lint/custody.ts';
import type { TrustRoot } from '../../../../protocol/trust/root.ts';
import { recipientNamed, rootOf, signerNamed } from '../../../protocol/trust/network.ts';

describe('lint of shares for the server', () => {
  const custodian = { key: signerNamed('custody').publicKey, age: recipientNamed('custody') };
  const find = (
    campaign: Pick<CampaignFile, 'serverCustody'> & Partial<CampaignFile>,
    changes: Partial<TrustRoot> = {},
  ): readonly string[] =>
    lintCustody(
      { exercise: false, ...campaign } as CampaignFile,
      rootOf(undefined, { shareThreshold: 3, custodian, ...changes }),
    ).map(({ severity, message }) => `${severity}: ${message}`);

  it('warns where it is allowed, and refuses where seal would', () => {
    assert.deepEqual(find({}), []);
    assert.match(find({ serverCustody: 'one' }).join(), /^warning: .*one officer less/);
    assert.match(find({ serverCustody: 'alone' }).join(), /^error: .*only an exercise/);
    const exercise = { serverCustody: 'alone', exercise: true } as const;
    assert.match(find(exercise).join(), /^warning: .*ALONE/);
    assert.match(find({ serverCustody: 'one' }, { shareThreshold: 2 }).join(), /^error: .*two/);
    assert.match(find({ serverCustody: 'one' }, { custodian: undefined }).join(), /^error: .*keys/);
  });
});
