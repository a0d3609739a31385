import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { generateKey } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { checkDraft } from '../../../protocol/embargo/check-draft.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodePlan } from '../../../protocol/plan/plan.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { custodyText } from '../../../protocol/plan/server-custody.ts';
import { digestAndSize, sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

let sealed: SealedCampaign;

before(async () => {
  sealed = await sealCampaign({ officers: ['alice', 'bob', 'carol', 'dave'], threshold: 3 });
});

describe('checkDraft', () => {
  const check = (changes: Partial<Draft>, plan: Plan = sealed.plan): Promise<void> =>
    checkDraft({ ...sealed.draft, ...changes }, plan, sealed.ciphertexts);

  it('accepts an honest draft', () => check({}));

  it('refuses another plan than the one the directive is about', async () => {
    const changed = { ...sealed.plan, latestDisclosure: '2027-01-01T00:00:00Z' };
    await assert.rejects(check({}, changed), { code: 'plan_invalid' });
    await assert.rejects(check({ plan: encodePlan(changed) }), { code: 'plan_invalid' });
  });

  it('refuses a document that is not the committed one, missing or too many', async () => {
    const { documents } = sealed.draft;
    const other = await sealCampaign();
    for (const name of documents.keys()) {
      const theirs = other.draft.documents.get(name) ?? new Uint8Array();
      const swapped = new Map(documents).set(name, theirs);
      await assert.rejects(check({ documents: swapped }), { name: 'ProtocolError' }, name);
      const missing = new Map(documents);
      missing.delete(name);
      await assert.rejects(check({ documents: missing }), { code: 'bundle_invalid' }, name);
    }
    const more = new Map(documents).set('extra.md', utf8Encode('x'));
    await assert.rejects(check({ documents: more }), { code: 'bundle_invalid' });
  });

  it('refuses what the bundles do not hold: instructions, sums, artifacts', async () => {
    const { artifacts } = sealed.draft;
    const changed = new Map(artifacts).set('agave.patch', new Uint8Array(1000));
    const fewer = new Map(artifacts);
    fewer.delete('jito.patch');
    const flaws: readonly Partial<Draft>[] = [
      { instructions: utf8Encode('# Other\n') },
      { sums: utf8Encode(`${'a'.repeat(64)}  agave.patch\n`) },
      { artifacts: changed },
      { artifacts: fewer },
      { artifacts: new Map(artifacts).set('more.patch', new Uint8Array(1)) },
    ];
    for (const flaw of flaws) await assert.rejects(check(flaw), { code: 'bundle_invalid' });
  });

  it('refuses a notice that says something else than the plan of the shares of the server', async () => {
    const said = await sealCampaign({ notice: `Be ready.\n${custodyText(1, 2) ?? ''}\n` });
    await assert.rejects(checkDraft(said.draft, said.plan, said.ciphertexts), {
      code: 'document_invalid',
      message: /shares that the server holds/,
    });
    const aside = await sealCampaign({ notice: 'Be ready, whatever the server holds.\n' });
    await checkDraft(aside.draft, aside.plan, aside.ciphertexts);
  });

  it('refuses keys that are not those of the plan', async () => {
    const { identity } = await generateKey();
    await assert.rejects(check({ releaseKey: identity }), { code: 'key_mismatch' });
    await assert.rejects(check({ closingKey: identity }), { code: 'key_mismatch' });
    await assert.rejects(check({ closingKey: sealed.draft.releaseKey }), { code: 'key_mismatch' });
  });

  it('refuses a share that is missing, changed, too many or in another’s place', async () => {
    const { shares } = sealed.draft;
    const [alice, bob, ...rest] = shares.closing;
    assert.ok(alice && bob);
    const swapped = [
      { ...alice, document: bob.document },
      { ...bob, document: alice.document },
    ];
    const flaws = [
      [bob, ...rest],
      [...swapped, ...rest],
      [...shares.closing, { officer: 'mallory', document: alice.document }],
      shares.release,
    ];
    for (const closing of flaws) {
      await assert.rejects(
        check({ shares: { ...shares, closing } }),
        (error: { code?: string }) =>
          error.code === 'share_invalid' || error.code === 'commitment_mismatch',
      );
    }
  });

  it('refuses shares of another key, though the plan commits to them', async () => {
    const other = await sealCampaign({ officers: ['alice', 'bob', 'carol', 'dave'], threshold: 3 });
    const planned = other.plan.shares.filter(({ key }) => key === 'closing');
    const kept = sealed.plan.shares.filter(({ key }) => key === 'release');
    const plan = { ...sealed.plan, shares: [...kept, ...planned] };
    const shares = { ...sealed.draft.shares, closing: other.draft.shares.closing };
    await assert.rejects(check({ plan: encodePlan(plan), shares }, plan), { code: 'key_mismatch' });
  });

  it('refuses ciphertext that holds something else, or is for fewer variants', async () => {
    const { plan, draft, ciphertexts, keys } = sealed;
    const bundles = new Map(ciphertexts.bundles).set('jito', ciphertexts.closing);
    await assert.rejects(checkDraft(draft, plan, { ...ciphertexts, bundles }), {
      code: 'commitment_mismatch',
    });
    const none = { ...ciphertexts, bundles: new Map() };
    await assert.rejects(checkDraft(draft, plan, none), { code: 'commitment_mismatch' });
    const fewer = { ...plan, bundles: plan.bundles.slice(0, 1) };
    await assert.rejects(check({ plan: encodePlan(fewer) }, fewer), { code: 'plan_invalid' });

    const lie = new Map(draft.documents).set('disclosure.md', utf8Encode('nothing happened\n'));
    const closing = await sealBundle(lie, keys.closing.recipient);
    const lying = { ...plan, closingBundle: digestAndSize(closing) };
    const shown = { ...draft, plan: encodePlan(lying) };
    await assert.rejects(checkDraft(shown, lying, { ...ciphertexts, closing }), {
      code: 'commitment_mismatch',
    });
  });

  it('refuses another T0 in release.txt than in the plan', async () => {
    const plan = { ...sealed.plan, releaseTime: '2026-11-20T15:00:00Z' };
    await assert.rejects(check({ plan: encodePlan(plan) }, plan), { code: 'plan_invalid' });
  });
});
