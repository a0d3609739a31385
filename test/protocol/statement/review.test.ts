import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { judgeReviews, requireReviews } from '../../../protocol/campaign/reviews.ts';
import type { ReviewStanding } from '../../../protocol/campaign/reviews.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { encodeReview, parseReview, verifyReview } from '../../../protocol/statement/review.ts';
import type { Review } from '../../../protocol/statement/review.ts';
import { encodeStatement } from '../../../protocol/statement/statement.ts';
import { CAMPAIGN, digestNamed, digestOf, planOf, revisionOf } from '../plan/plans.ts';
import {
  NETWORK,
  OTHER_NETWORK,
  PEOPLE,
  reviewerNamed,
  rootOf,
  signerNamed,
  signingSigners,
  vouchersOf,
} from '../trust/network.ts';

const root = rootOf(PEOPLE, vouchersOf(['acme', 'bolt', 'coda'], ['max']));
const policy = { gate: 'attested', reviews: { required: 2, by: ['acme', 'bolt'] } } as const;
const plan = planOf({ policy });
const digest = digestOf(plan);

const review: Review = {
  release: digestNamed('release'),
  campaign: CAMPAIGN,
  network: NETWORK,
  revision: 1,
  plan: digest,
  verdict: 'sound',
  firm: 'acme',
  issuedAt: '2026-11-16T09:00:00Z',
};

const keyOf = (firm: string): Signer => signerNamed(`${firm} review`);
const by = (firm: string, changes: Partial<Review> = {}, signer = keyOf(firm)): Envelope =>
  signEnvelope(encodeReview({ ...review, firm, ...changes }), signer);
const judge = (envelopes: readonly Envelope[], under = root): ReviewStanding =>
  judgeReviews(envelopes, { plan, digest }, under, verifyEd25519);

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('a review', () => {
  it('is read back as it was written, and verified under its firm’s key', () => {
    assert.deepEqual(parseReview(encodeReview(review)), review);
    assert.deepEqual(verifyReview(by('acme'), verifyEd25519, root), review);
  });

  it('is signed by its firm alone', () => {
    const verify = (envelope: Envelope): unknown => verifyReview(envelope, verifyEd25519, root);
    const [ada] = signingSigners(['ada']);
    assert.ok(ada);
    refused('signature_invalid', () => verify(by('acme', {}, keyOf('bolt'))));
    refused('signature_invalid', () => verify(by('acme', {}, ada)));
    const payload = encodeReview(review);
    refused('signature_invalid', () => verify(signEnvelope(payload, keyOf('acme'), keyOf('bolt'))));
    refused('statement_invalid', () => verify(by('eve')));
    refused('statement_invalid', () => verify(by('ada', {}, ada)));
    refused('statement_invalid', () => verify(by('acme', { network: OTHER_NETWORK })));
  });

  it('is of one kind, about release.txt alone, in one shape', () => {
    const { release, ...predicate } = review;
    const subject = { name: 'release.txt', sha256: release };
    const parse = (...args: Parameters<typeof encodeStatement>): unknown =>
      parseReview(encodeStatement(...args));
    parse('review', [subject], predicate);
    refused('statement_invalid', () => parse('attest', [subject], predicate));
    refused('statement_invalid', () =>
      parse('review', [{ ...subject, name: 'plan.txt' }], predicate),
    );
    refused('statement_invalid', () =>
      parse('review', [subject, { ...subject, name: 'notice.txt' }], predicate),
    );
    for (const changes of [
      { verdict: 'fine' },
      { firm: 'Acme' },
      { plan: 'ab' },
      { revision: 0 },
      { note: 'x' },
    ]) {
      refused('statement_invalid', () => parse('review', [subject], { ...predicate, ...changes }));
    }
  });
});

describe('the reviews that a plan asks for', () => {
  it('are met by enough of the firms it names, and by no fewer', () => {
    const enough = judge([by('bolt'), by('acme')]);
    assert.deepEqual(enough, { required: 2, sound: ['acme', 'bolt'], unsound: [], missing: [] });
    requireReviews(enough);
    const one = judge([by('acme')]);
    assert.deepEqual(one.missing, ['bolt']);
    refused('threshold_unmet', () => {
      requireReviews(one);
    });
    requireReviews(judgeReviews([], { plan: planOf(), digest: 'x' }, root, verifyEd25519));
  });

  it('count firms, not reviews: one firm that says it twice is one', () => {
    const twice = [by('acme'), by('acme', { issuedAt: '2026-11-17T09:00:00Z' })];
    assert.deepEqual(judge(twice).sound, ['acme']);
  });

  it('are not met by a firm that the plan does not name, by officers or endorsers', () => {
    const others = [by('coda'), by('max', {}, signerNamed('max endorsement')), by('ada')];
    assert.deepEqual(judge([by('acme'), ...others]).sound, ['acme']);
  });

  it('are not met by a review of another plan, revision, campaign or release', () => {
    const next = revisionOf(plan, { 'disclosure.md': digestNamed('reworded') });
    const others: Partial<Review>[] = [
      { plan: digestOf(next) },
      { plan: digestOf(next), revision: 2 },
      { revision: 2 },
      { campaign: 'SDX-2026-7KQ5' },
      { release: digestNamed('another patch') },
    ];
    for (const changes of others) assert.deepEqual(judge([by('acme', changes)]).sound, []);
    assert.deepEqual(judge([by('acme')]).sound, ['acme']);
  });

  it('are not met by a firm that was removed, or with a key that it has given up', () => {
    const without = { ...root, ...vouchersOf(['bolt'], ['max']) };
    assert.deepEqual(judge([by('acme'), by('bolt')], without).sound, ['bolt']);
    const renewed = { ...reviewerNamed('acme'), key: keyOf('acme anew').publicKey };
    const later = { ...root, reviewers: new Map([...root.reviewers, ['acme', renewed]]) };
    assert.deepEqual(judge([by('acme')], later).sound, []);
    assert.deepEqual(judge([by('acme', {}, keyOf('acme anew'))], later).sound, ['acme']);
  });

  it('are not met by a firm that found it unsound, whichever came first', () => {
    const unsound = by('acme', { verdict: 'unsound' });
    for (const envelopes of [
      [unsound, by('acme')],
      [by('acme'), unsound],
    ]) {
      assert.deepEqual(judge(envelopes), {
        required: 2,
        sound: [],
        unsound: ['acme'],
        missing: ['bolt'],
      });
    }
    assert.deepEqual(judge([by('coda', { verdict: 'unsound' })]).unsound, ['coda']);
  });

  it('are not hidden by what does not verify', () => {
    const forged = by('bolt', {}, keyOf('eve'));
    const noise = signEnvelope(new Uint8Array([1, 2, 3]), keyOf('acme'));
    assert.deepEqual(judge([noise, forged, by('bolt'), by('acme')]).sound, ['acme', 'bolt']);
  });
});
