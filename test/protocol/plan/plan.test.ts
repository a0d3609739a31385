import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDocument, parseDocument } from '../../../protocol/commitment/document.ts';
import { encodePlan, parsePlan, planDigest } from '../../../protocol/plan/plan.ts';
import { DEFAULT_MILESTONES } from '../../../protocol/stake/milestone.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import { keysOf, thresholdOf } from '../../../protocol/plan/splits.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { NO_REVIEWS } from '../../../protocol/plan/review-policy.ts';
import { QUICKNET } from '../../../protocol/plan/timelock.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import { OTHER_NETWORK, PEOPLE, recipientNamed, rootOf, vouchersOf } from '../trust/network.ts';
import { digestNamed, digestOf, lockedPlanOf, planOf, revisionOf } from './plans.ts';

interface PlanVector extends Vector {
  readonly document: string;
  readonly sha256?: string;
  readonly code?: string;
}

/** A plan that asks for reviews. */
const withReviews = (required: number, ...by: string[]): Pick<Plan, 'policy'> => ({
  policy: { gate: 'attested', reviews: { required, by } },
});

/** Put another body into `plan.txt`. */
function withBody(edit: (text: string) => string): Uint8Array {
  const document = parseDocument(encodePlan(planOf()));
  const text = utf8Decode(document.body);
  const edited = edit(text);
  assert.notEqual(edited, text);
  return encodeDocument({ ...document, body: utf8Encode(edited) });
}

/** Each would reach somewhere else than a public mirror, or the same place by a second spelling. */
const HOSTILE_MIRRORS = [
  'http://a.example',
  'https://a.example/',
  'https://A.example',
  'https://a.example:443',
  'https://a.example:65536',
  'https://a.example:080',
  'https://user@a.example',
  'https://user:word@a.example',
  'https://a.example?x=1',
  'https://a.example/x#y',
  'https://a.example/../x',
  'https://a.example/./x',
  'https://a.example/.well-known',
  'https://a.example//x',
  'https://a.example/%2e%2e',
  'https://a.example/x y',
  'https://a.example/x\n',
  'https://a.example\\x',
  'https://localhost',
  'https://127.0.0.1',
  'https://10.0.0.1:8443/x',
  'https://0x7f.1',
  'https://2130706433',
  'https://[::1]',
  'https://a.example.',
  'https://-a.example',
  'https://\u0430.example',
  'file:///etc/passwd',
  '/srv/mirror',
  'ext::sh',
  `https://${'a'.repeat(64)}.example`,
  `https://a.example/${'x'.repeat(200)}`,
  '',
];

const [safety, supermajority, complete] = DEFAULT_MILESTONES;
assert.ok(safety && supermajority && complete);

describe('plan.txt', () => {
  it('is read back as it was written, and agrees with its root', () => {
    const plan = planOf();
    const bytes = encodePlan(plan);
    assert.deepEqual(parsePlan(bytes), plan);
    checkPlan(parsePlan(bytes), rootOf());
  });

  for (const { name, document, sha256 } of readVectors('plan', 'valid') as PlanVector[]) {
    it(`is accepted with its one digest: ${name}`, () => {
      const bytes = utf8Encode(document);
      assert.deepEqual(encodePlan(parsePlan(bytes)), bytes);
      assert.equal(planDigest(bytes), sha256);
    });
  }

  for (const { name, document, code } of readVectors('plan', 'invalid') as PlanVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parsePlan(utf8Encode(document)), { code });
    });
  }

  it('is the same whatever order its members were given in', () => {
    const plan = planOf();
    const shuffled = Object.fromEntries(Object.entries(plan).reverse()) as unknown as Plan;
    assert.deepEqual(encodePlan(shuffled), encodePlan(plan));
  });

  const respelled: Readonly<Record<string, (text: string) => string>> = {
    'compact JSON': (text) => JSON.stringify(JSON.parse(text)),
    'no final newline': (text) => text.trimEnd(),
    'a blank line more': (text) => `${text}\n`,
    'members in another order': (text) => {
      const entries = Object.entries(JSON.parse(text) as object).reverse();
      return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
    },
  };
  for (const [spelling, edit] of Object.entries(respelled)) {
    it(`is refused in another spelling: ${spelling}`, () => {
      assert.throws(() => parsePlan(withBody(edit)), { code: 'plan_invalid' });
    });
  }

  it('is refused with a member twice, an unknown member, or one missing', () => {
    const exercise = '  "exercise": false,\n';
    assert.throws(() => parsePlan(withBody((t) => t.replace(exercise, exercise + exercise))), {
      code: 'encoding_invalid',
    });
    for (const other of ['', `${exercise}  "dryRun": true,\n`]) {
      assert.throws(() => parsePlan(withBody((t) => t.replace(exercise, other))), {
        code: 'plan_invalid',
      });
    }
  });

  it('is refused inside a document of another type', () => {
    const document = parseDocument(encodePlan(planOf()));
    assert.throws(() => parsePlan(encodeDocument({ ...document, type: 'notice' })), {
      code: 'plan_invalid',
    });
  });

  it('voids every approval with any change: the digest covers each field', () => {
    const changes: Partial<Plan>[] = [
      { nonce: digestNamed('another') },
      { exercise: true },
      { network: OTHER_NETWORK },
      { releaseTime: '2026-11-20T14:00:01Z' },
      { latestDisclosure: '2026-12-20T14:00:01Z' },
      { releaseRecipient: recipientNamed('eve') },
      { accessRecipient: recipientNamed('eve') },
      { closingRecipient: recipientNamed('eve') },
      { closingBundle: { sha256: digestNamed('closing bundle'), size: 65_537 } },
      { milestones: [{ ...supermajority, den: 4 }] },
      { snapshot: { sha256: digestNamed('other'), point: 'epoch 650' } },
      { snapshot: { sha256: digestNamed('snapshot'), point: 'epoch 651' } },
      { shareThreshold: 3 },
      { campaign: 'SDX-2026-7KQ5' },
      { mirrors: ['https://a.example'] },
      { mirrors: ['https://a.example', 'https://b.example'] },
      withReviews(1, 'acme', 'bolt'),
      withReviews(2, 'acme', 'bolt'),
    ];
    const digests = [{}, ...changes].map((change) => digestOf(planOf(change)));
    assert.equal(new Set(digests).size, digests.length);
  });

  it('has one encoding only, whatever byte is changed (property)', () => {
    const bytes = encodePlan(planOf());
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ by;
        let plan;
        try {
          plan = parsePlan(changed);
        } catch {
          return;
        }
        assert.deepEqual(encodePlan(plan), changed);
        assert.notEqual(sha256Hex(changed), sha256Hex(bytes));
      }),
    );
  });
});

describe('a plan that contradicts itself', () => {
  const { documents, shares, bundles, closingBundle } = planOf();
  const [disclosure, notice, release] = documents;
  const [agave, jito] = bundles;
  const [share] = shares;
  assert.ok(disclosure && notice && release && agave && jito && share);
  const cases: Readonly<Record<string, Partial<Plan>>> = {
    'a commitment of other documents': { commitment: digestNamed('other') },
    'documents out of order': { documents: [notice, disclosure, release] },
    'a document twice': { documents: [disclosure, notice, notice, release] },
    'no disclosure': { documents: [notice, release] },
    'no notice': { documents: [disclosure, release] },
    'no release': { documents: [disclosure, notice] },
    'a document with a path for a name': {
      documents: [{ ...disclosure, name: '../disclosure.md' }, disclosure, notice, release],
    },
    'an earlier list in the first revision': {
      documents: [{ name: 'COMMITMENT', sha256: digestNamed('x') }, disclosure, notice, release],
    },
    'a second revision without the earlier list': { revision: 2 },
    'revision 0': { revision: 0 },
    'one recipient for release and access': { accessRecipient: recipientNamed('release') },
    'one recipient for release and closing': { closingRecipient: recipientNamed('release') },
    'a recipient in upper case': { releaseRecipient: recipientNamed('release').toUpperCase() },
    'one share for two officers': { shares: shares.map((s) => ({ ...s, sha256: share.sha256 })) },
    'two shares for one officer': {
      shares: [...shares, { ...share, sha256: digestNamed('one more') }],
    },
    'two bundles for one variant': { bundles: [agave, { ...jito, variant: 'agave' }] },
    'one ciphertext for two variants': { bundles: [agave, { ...jito, sha256: agave.sha256 }] },
    'one ciphertext for a variant and the closing': {
      closingBundle: { ...closingBundle, sha256: agave.sha256 },
    },
    'no bundle': { bundles: [] },
    'an empty bundle': { bundles: [{ ...agave, size: 0 }] },
    'a latest date before T0': { latestDisclosure: '2026-11-20T13:59:59Z' },
    'a latest date at T0': { latestDisclosure: '2026-11-20T14:00:00Z' },
    'a date that does not exist': { releaseTime: '2026-11-31T14:00:00Z' },
    'no milestone that gates': { milestones: [safety, complete] },
    'two milestones that gate': { milestones: [supermajority, { ...complete, action: 'gate' }] },
    'a gate that is not strict': { milestones: [{ ...supermajority, strict: false }] },
    'two milestones of one name': {
      milestones: [supermajority, { ...safety, name: 'supermajority' }],
    },
    'a milestone over the whole': { milestones: [supermajority, { ...safety, num: 4 }] },
    'a strict milestone of the whole': { milestones: [{ ...supermajority, num: 3 }] },
    'a milestone of nothing': { milestones: [supermajority, { ...safety, num: 0 }] },
    'a fraction that is not whole numbers': {
      milestones: [supermajority, { ...safety, num: 0.5, den: 1 }],
    },
    'a snapshot of no point': { snapshot: { sha256: digestNamed('snapshot'), point: '' } },
    'a point of two lines': { snapshot: { sha256: digestNamed('snapshot'), point: 'a\nb' } },
    'an empty list of mirrors': { mirrors: [] },
    'mirrors out of order': { mirrors: ['https://b.example', 'https://a.example'] },
    'a mirror twice': { mirrors: ['https://a.example', 'https://a.example'] },
    'seventeen mirrors': {
      mirrors: Array.from({ length: 17 }, (_, i) => `https://m${String(i + 10)}.example`),
    },
    'a policy that is not known': {
      policy: { gate: 'observed' as 'attested', reviews: NO_REVIEWS },
    },
    'more reviews than firms': withReviews(2, 'acme'),
    'a review by anybody': withReviews(1),
    'firms whose reviews are not required': withReviews(0, 'acme'),
    'a firm twice': withReviews(1, 'acme', 'acme'),
    'firms out of order': withReviews(1, 'bolt', 'acme'),
    'a firm with a name in place of an id': withReviews(1, 'Acme Audits'),
    'half a review': withReviews(0.5, 'acme'),
    'another kind': { kind: 'open' as 'embargoed' },
  };
  for (const [flaw, changes] of Object.entries(cases)) {
    it(`is neither written nor accepted: ${flaw}`, () => {
      // Given the commitment its documents would make, if they make one at all.
      const plan = ((): Plan => {
        try {
          return planOf(changes);
        } catch {
          return { ...planOf(), ...changes };
        }
      })();
      assert.throws(() => encodePlan(plan), { code: 'plan_invalid' });
      const body = JSON.stringify({ ...plan, campaign: undefined, nonce: undefined }, null, 2);
      const { campaign, nonce } = plan;
      const document = { type: 'plan', campaign, nonce, body: utf8Encode(`${body}\n`) } as const;
      assert.throws(() => parsePlan(encodeDocument(document)), { code: 'plan_invalid' });
    });
  }

  for (const mirror of HOSTILE_MIRRORS) {
    it(`is neither written nor accepted: a mirror at ${mirror.slice(0, 60)}`, () => {
      assert.throws(() => encodePlan(planOf({ mirrors: [mirror] })), { code: 'plan_invalid' });
      const good = encodePlan(planOf({ mirrors: ['https://a.example'] }));
      const document = parseDocument(good);
      const body = utf8Decode(document.body).replace(
        '"https://a.example"',
        JSON.stringify(mirror).replaceAll('$', '$$$$'),
      );
      const bytes = encodeDocument({ ...document, body: utf8Encode(body) });
      assert.throws(() => parsePlan(bytes), { code: 'plan_invalid' });
    });
  }

  it('names mirrors by host, port and path, the most that it may', () => {
    const mirrors = [
      'https://a.example',
      'https://a.example:8443',
      'https://a.example:8443/shares/SDX.2026_x~y-',
      'https://cdn-1.mirrors.xn--p1ai/v1',
      ...Array.from({ length: 12 }, (_, i) => `https://m${String(i + 10)}.example`),
    ];
    const plan = planOf({ mirrors });
    assert.deepEqual(parsePlan(encodePlan(plan)), plan);
  });

  it('is otherwise the same plan: nothing but the flaw refuses it', () => {
    const plan = planOf();
    const body = JSON.stringify({ ...plan, campaign: undefined, nonce: undefined }, null, 2);
    const { campaign, nonce } = plan;
    const document = { type: 'plan', campaign, nonce, body: utf8Encode(`${body}\n`) } as const;
    assert.deepEqual(encodeDocument(document), encodePlan(plan));
  });

  it('is never accepted by checkPlan either, which takes it as a value', () => {
    const late = planOf({ latestDisclosure: '2026-11-20T14:00:00Z' });
    assert.throws(
      () => {
        checkPlan(late, rootOf());
      },
      { code: 'plan_invalid' },
    );
  });
});

describe('a plan against its root of trust', () => {
  const refused = (plan: Plan, root = rootOf()): void => {
    assert.throws(
      () => {
        checkPlan(plan, root);
      },
      { code: 'plan_invalid' },
    );
  };
  const { shares } = planOf();

  it('is refused for another network or share threshold', () => {
    refused(planOf({ network: OTHER_NETWORK }));
    refused(planOf({ shareThreshold: 3 }));
  });

  it('is refused unless every officer holds exactly one share of each key', () => {
    refused(planOf({ shares: shares.slice(1) }));
    refused(planOf({ shares: shares.filter(({ key }) => key === 'release') }));
    refused(planOf({ shares: shares.filter(({ officer }) => officer !== 'cy') }));
    refused(planOf({ shares: [] }));
    const dora = { key: 'release' as const, officer: 'dora', sha256: digestNamed('dora') };
    refused(planOf({ shares: [...shares, dora] }));
    refused(planOf({ shares: [dora, ...shares.slice(1)] }));
    refused(planOf(), rootOf(['ada', 'bo', 'dora']));
  });

  it('is refused when it asks for reviews by a firm that is no reviewer, officers included', () => {
    const root = rootOf(PEOPLE, vouchersOf(['acme', 'bolt'], ['max']));
    checkPlan(planOf(withReviews(1, 'acme', 'bolt')), root);
    checkPlan(planOf(), root);
    for (const id of ['eve', 'ada', 'max']) refused(planOf(withReviews(1, id)), root);
    refused(planOf(withReviews(1, 'acme', 'eve')), root);
  });

  it('is refused when a recipient of the campaign is an officer or reviewer of the root', () => {
    for (const field of ['releaseRecipient', 'accessRecipient', 'closingRecipient'] as const) {
      refused(planOf({ [field]: recipientNamed('bo') }));
      const root = rootOf(PEOPLE, vouchersOf(['acme'], []));
      refused(planOf({ [field]: recipientNamed('acme') }), root);
    }
  });
});

describe('a revised plan', () => {
  it('lists the COMMITMENT before it, whose name tells the revision', () => {
    const second = revisionOf(planOf(), { 'disclosure.md': digestNamed('reworded') });
    const third = revisionOf(second, {});
    for (const plan of [second, third]) assert.deepEqual(parsePlan(encodePlan(plan)), plan);
    assert.deepEqual(third.documents[0], { name: 'COMMITMENT.r2', sha256: second.commitment });
    assert.throws(() => encodePlan({ ...third, revision: 4 }), { code: 'plan_invalid' });
  });
});

describe('a time-lock in a plan', () => {
  const plan = lockedPlanOf();
  const { shares, timelock } = plan;
  assert.ok(timelock);
  const without = (...names: readonly (keyof Plan)[]): Plan =>
    Object.fromEntries(
      Object.entries(plan).filter(([name]) => !names.some((it) => it === name)),
    ) as unknown as Plan;

  it('is read back as it was written, with its second split', () => {
    const bytes = encodePlan(plan);
    assert.deepEqual(parsePlan(bytes), plan);
    checkPlan(plan, rootOf());
    assert.deepEqual(timelock, { chain: QUICKNET.hash, round: 34_126_612 });
    assert.deepEqual(
      keysOf(plan).map((key) => thresholdOf(plan, key)),
      [2, 2, 3],
    );
    assert.throws(() => thresholdOf(planOf(), 'break-glass'), { code: 'plan_invalid' });
  });

  const flaws: Readonly<Record<string, Plan>> = {
    'to the round before': { ...plan, timelock: { ...timelock, round: timelock.round - 1 } },
    'to the round after': { ...plan, timelock: { ...timelock, round: timelock.round + 1 } },
    'to a chain that is not pinned': { ...plan, timelock: { ...timelock, chain: 'a'.repeat(64) } },
    'with another T0': { ...plan, releaseTime: '2026-11-20T14:00:03Z' },
    'with one share unlocked': {
      ...plan,
      shares: shares.map(({ locked, ...share }, i) =>
        i === 0 || locked === undefined ? share : { ...share, locked },
      ),
    },
    'with a closing share locked': {
      ...plan,
      shares: shares.map((share) =>
        share.key === 'closing' ? { ...share, locked: digestNamed(share.officer) } : share,
      ),
    },
    'with locked shares and no time-lock': without('timelock', 'breakGlassThreshold'),
    'with break-glass shares and no threshold': without('breakGlassThreshold'),
    'with a threshold and no break-glass shares': {
      ...plan,
      shares: shares.filter(({ key }) => key !== 'break-glass'),
    },
    'with a second split as easy as the first': { ...plan, breakGlassThreshold: 2 },
    'with a second split that nobody can open': { ...plan, breakGlassThreshold: 4 },
  };
  for (const [flaw, flawed] of Object.entries(flaws)) {
    it(`is refused ${flaw}`, () => {
      assert.throws(() => encodePlan(flawed), { code: 'plan_invalid' });
    });
  }

  it('may come without the second split, and the second split not without it', () => {
    const alone = {
      ...without('breakGlassThreshold'),
      shares: shares.filter(({ key }) => key !== 'break-glass'),
    };
    checkPlan(parsePlan(encodePlan(alone)), rootOf());
    const unlocked = without('timelock');
    const open = unlocked.shares.map(({ key, officer, sha256 }) => ({ key, officer, sha256 }));
    assert.throws(() => encodePlan({ ...unlocked, shares: open }), {
      message: /goes with a time-lock, only there/,
    });
  });
});
