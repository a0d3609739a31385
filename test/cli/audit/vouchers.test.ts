import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planDigest, type Plan } from '../../../protocol/plan/plan.ts';
import { NO_CAMPAIGN } from '../../../protocol/log/opening.ts';
import { encodeEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Endorsement } from '../../../protocol/statement/endorsement.ts';
import { encodeEndorsement } from '../../../protocol/statement/endorsement.ts';
import type { Review } from '../../../protocol/statement/review.ts';
import { encodeReview } from '../../../protocol/statement/review.ts';
import { digestNamed } from '../../protocol/plan/plans.ts';
import { signerNamed, vouchersOf } from '../../protocol/trust/network.ts';
import { step, tellStory, type Story } from './support/story.ts';
import { assertFails, assertGood, audit, failuresOf } from './support/verdict.ts';

// Two of three named firms have to review; one of two endorsers is enough.

const seal = {
  tweak: (plan: Plan): Plan => ({
    ...plan,
    policy: { gate: 'attested', reviews: { required: 2, by: ['acme', 'bolt', 'coda'] } },
  }),
};
const vouchers = vouchersOf(['acme', 'bolt', 'coda'], ['max', 'nina']);

function review(story: Story, firm: string, changes: Partial<Review> = {}, key = firm): void {
  const { plan, planBytes } = story.sealed;
  const { campaign, network, revision } = plan;
  const payload = encodeReview({
    release: plan.documents.find(({ name }) => name === 'release.txt')?.sha256 ?? '',
    campaign,
    network,
    revision,
    plan: planDigest(planBytes),
    verdict: 'sound',
    firm,
    issuedAt: '2026-11-17T09:00:00Z',
    ...changes,
  });
  const envelope = signEnvelope(payload, signerNamed(`${key} review`));
  story.log.seal(campaign, 'review', encodeEnvelope(envelope));
  story.reviews.push(envelope);
}

function endorse(story: Story, changes: Partial<Endorsement> = {}, key = 'max'): void {
  const { network, origin } = story.officers.root;
  const payload = encodeEndorsement({
    commitment: story.sealed.plan.commitment,
    network,
    origin,
    endorser: 'max',
    posted: ['https://social.example/@max/1'],
    issuedAt: '2026-11-17T09:00:00Z',
    ...changes,
  });
  const envelope = signEnvelope(payload, signerNamed(`${key} endorsement`));
  story.log.seal(NO_CAMPAIGN, 'endorsement', encodeEnvelope(envelope));
  story.endorsements.push(envelope);
}

/** The record of a campaign in which this was said just before it was armed. */
async function recordWith(say: (story: Story) => void): ReturnType<typeof tellStory> {
  const arm = (story: Story): void => {
    say(story);
    void step('arm')(story);
  };
  return tellStory({ seal, vouchers, instead: { arm } });
}

const enough = (story: Story): void => {
  review(story, 'acme');
  review(story, 'coda');
};

describe('audit of reviews and endorsements', () => {
  it('accepts a campaign that had the reviews it asks for, and tells who endorsed it', async () => {
    const { files } = await recordWith((story) => {
      enough(story);
      endorse(story);
    });
    await assertGood(files);
    const found = new Map((await audit(files)).map(({ id, detail }) => [id, detail]));
    assert.equal(found.get('reviews.policy'), 'arm: 2 needed, acme, coda');
    assert.equal(
      found.get('endorsements.signatures'),
      '1 of the 1 that it takes: max; missing: nina',
    );
  });

  it('refuses a campaign that was armed on too few reviews, though officers signed it', async () => {
    const cases: ((story: Story) => void)[] = [
      () => undefined,
      (story) => {
        review(story, 'acme');
      },
      (story) => {
        review(story, 'acme');
        review(story, 'acme', { issuedAt: '2026-11-17T10:00:00Z' });
      },
      (story) => {
        review(story, 'acme');
        review(story, 'bolt', { plan: digestNamed('another plan') });
      },
      (story) => {
        enough(story);
        review(story, 'coda', { verdict: 'unsound' });
      },
    ];
    for (const say of cases) {
      const { files } = await recordWith(say);
      await assertFails(files, 'reviews.policy', /reviews that the plan asks for/);
    }
  });

  it('does not count a review that came after the arming', async () => {
    const arm = (story: Story): void => {
      review(story, 'acme');
      void step('arm')(story);
      review(story, 'coda');
    };
    const { files } = await tellStory({ seal, vouchers, instead: { arm } });
    await assertFails(files, 'reviews.policy', /missing: bolt, coda/);
  });

  it('refuses what a stranger signed, and what the record leaves out or makes up', async () => {
    const forged = await recordWith((story) => {
      enough(story);
      review(story, 'bolt', {}, 'eve');
    });
    await assertFails(forged.files, 'reviews.signatures', /no say here/);
    const stranger = await recordWith((story) => {
      enough(story);
      endorse(story, {}, 'eve');
    });
    await assertFails(stranger.files, 'endorsements.signatures', /no say here/);
    const early = await recordWith((story) => {
      enough(story);
      endorse(story, { commitment: digestNamed('nobody') });
    });
    await assertFails(early.files, 'endorsements.signatures', /nobody had committed/);
    const hidden = await recordWith((story) => {
      enough(story);
      review(story, 'bolt', { verdict: 'unsound' });
      story.reviews.pop();
    });
    await assertFails(hidden.files, 'openings.content', /review, is not in the record/);
    const unlogged = await recordWith((story) => {
      enough(story);
      endorse(story);
      const [envelope] = story.endorsements;
      assert.ok(envelope);
      story.endorsements.push(signEnvelope(envelope.payload, signerNamed('max endorsement')));
    });
    assert.notEqual((await failuresOf(unlogged.files)).size, 0);
  });
});
