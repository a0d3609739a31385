import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { generateKey } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { checkDraft } from '../../../protocol/embargo/check-draft.ts';
import { openDraft, packDraft } from '../../../protocol/embargo/draft.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

let sealed: SealedCampaign;

before(async () => {
  sealed = await sealCampaign({ officers: ['alice', 'bob', 'carol', 'dave'], threshold: 3 });
});

describe('packDraft and openDraft', () => {
  it('hand every file over to each officer and to nobody else', async () => {
    const [alice, bob, other] = [await generateKey(), await generateKey(), await generateKey()];
    const packed = await packDraft(sealed.draft, [alice.recipient, bob.recipient]);
    for (const { identity } of [alice, bob]) {
      const draft = await openDraft(packed, identity);
      const sorted = { documents: new Map([...sealed.draft.documents].sort()) };
      assert.deepEqual(draft, { ...sealed.draft, ...sorted });
      await checkDraft(draft, sealed.plan, sealed.ciphertexts);
    }
    await assert.rejects(openDraft(packed, other.identity), { code: 'bundle_invalid' });
  });

  it('refuse two files of one name, and a draft without one of its files', async () => {
    const { identity, recipient } = await generateKey();
    const documents = new Map([...sealed.draft.documents, ['plan.txt', utf8Encode('')]]);
    await assert.rejects(packDraft({ ...sealed.draft, documents }, [recipient]), {
      code: 'bundle_invalid',
    });
    const partial = await sealBundle(new Map([['plan.txt', sealed.draft.plan]]), recipient);
    await assert.rejects(openDraft(partial, identity), { code: 'bundle_invalid' });
  });
});
