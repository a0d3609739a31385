import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { verifyDirectives } from '../../../protocol/campaign/chain.ts';
import {
  applyAdoption,
  applyDirective,
  applyRelease,
  MAX_CLOCK_SKEW_MS,
  openCampaign,
} from '../../../protocol/campaign/campaign.ts';
import type { ChainKnowledge } from '../../../protocol/campaign/chain.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import { encodePlan } from '../../../protocol/plan/plan.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { parseEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import {
  directiveDigest,
  encodeDirective,
  verifyDirective,
} from '../../../protocol/campaign/directive.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import {
  OTHER_NETWORK,
  recipientNamed,
  rootOf,
  rootSigners,
  signerNamed,
  signingSigners,
} from '../trust/network.ts';
import { directiveOf, ISSUED, signedBy } from './directives.ts';
import { digestNamed, digestOf, planOf, revisionOf } from '../plan/plans.ts';

const plan = planOf();
const T0 = parseTime(plan.releaseTime);
const HOUR_MS = 3_600_000;
const roots = new Map([[1, rootOf()]]);

interface Chain {
  readonly state: CampaignState;
  readonly envelopes: readonly Envelope[];
  readonly plans: ReadonlyMap<string, Plan>;
}

const start: Chain = {
  state: openCampaign(plan, digestOf(plan)),
  envelopes: [],
  plans: new Map([[digestOf(plan), plan]]),
};

/** Add a directive that is right in everything but `changes`, signed by these people. */
function add(
  chain: Chain,
  action: Action,
  changes: Partial<Directive> = {},
  signers: readonly string[] = ['ada', 'bo'],
): Chain {
  const { state, envelopes, plans } = chain;
  const issued = state.released ? T0 + HOUR_MS : ISSUED;
  const directive = directiveOf(state, action, changes, issued);
  const digest = directiveDigest(encodeDirective(directive));
  return {
    state: applyDirective(state, directive, digest, issued, plans),
    envelopes: [...envelopes, signedBy(signers, directive)],
    plans,
  };
}

const release = (chain: Chain): Chain => ({ ...chain, state: applyRelease(chain.state) });
const adopt = (chain: Chain): Chain => ({ ...chain, state: applyAdoption(chain.state) });

const committed = add(start, 'commit');
const armed = add(add(committed, 'notify'), 'arm');
const whole = add(adopt(release(armed)), 'disclose');

const verify = (
  envelopes: readonly Envelope[],
  knowledge: ChainKnowledge = {},
  trusted: ReadonlyMap<number, TrustRoot> = roots,
): ReturnType<typeof verifyDirectives> =>
  verifyDirectives(plan, encodePlan(plan), envelopes, trusted, verifyEd25519, knowledge);

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

/** The second directive, `notify`, with something changed, after an honest first one. */
const second = (changes: Partial<Directive>, signers = ['ada', 'bo']): readonly Envelope[] => [
  ...committed.envelopes,
  signedBy(signers, directiveOf(committed.state, 'notify', changes)),
];

describe('verifyDirectives', () => {
  it('follows a whole campaign from files alone, in whatever order they come', () => {
    const { directives, state } = verify(whole.envelopes.toReversed());
    assert.deepEqual(
      directives.map(({ action, people }) => [action, ...people]),
      ['commit', 'notify', 'arm', 'disclose'].map((action) => [action, 'ada', 'bo']),
    );
    assert.deepEqual(state, whole.state);
  });

  it('stands at draft with no directive, and wherever the files end', () => {
    assert.equal(verify([]).state.status, 'draft');
    for (const [i, status] of ['committed', 'notified', 'armed', 'disclosed'].entries()) {
      assert.equal(verify(whole.envelopes.slice(0, i + 1)).state.status, status);
    }
  });

  it('tells by digest which payload each directive was', () => {
    const [first] = verify(whole.envelopes).directives;
    assert.equal(first?.digest, directiveDigest(whole.envelopes[0]?.payload ?? Buffer.of()));
  });

  it('refuses a plan that is not the one in the file', () => {
    const other = encodePlan(planOf({ exercise: true }));
    refused('plan_invalid', () => verifyDirectives(plan, other, [], roots, verifyEd25519));
  });

  it('refuses a plan that does not suit the root it was signed under', () => {
    const strange = planOf({ shareThreshold: 3 });
    const opened = openCampaign(strange, digestOf(strange));
    const envelope = signedBy(['ada', 'bo'], directiveOf(opened, 'commit'));
    refused('plan_invalid', () =>
      verifyDirectives(strange, encodePlan(strange), [envelope], roots, verifyEd25519),
    );
  });
});

describe('a plan that is armed by others than those who committed to it', () => {
  const everybody = ['ada', 'bo', 'cy', 'di', 'ed', 'flo', 'gil'];

  /**
   * Committed to by all of three, who open together, perhaps with the server; armed under a root of so
   * many people.
   */
  const armedUnder = (n: number, directiveThreshold: number, withServer: boolean): unknown => {
    const people = everybody.slice(0, n);
    const custodian = { key: signerNamed('custody').publicKey, age: recipientNamed('custody') };
    const three = rootOf(undefined, { directiveThreshold: 3, shareThreshold: 3, custodian });
    const now = rootOf(people, { version: 2, directiveThreshold, shareThreshold: 4, custodian });
    const server = {
      key: 'release' as const,
      officer: 'server',
      sha256: digestNamed('release server'),
    };
    const held = planOf({
      shareThreshold: 3,
      shares: [...plan.shares, ...(withServer ? [server] : [])],
    });
    const opened: Chain = {
      state: openCampaign(held, digestOf(held)),
      envelopes: [],
      plans: new Map([[digestOf(held), held]]),
    };
    const signers = people.slice(0, directiveThreshold);
    const chain = add(
      add(opened, 'commit', {}, ['ada', 'bo', 'cy']),
      'arm',
      { rootVersion: 2 },
      signers,
    );
    const trusted = new Map([three, now].map((root) => [root.version, root]));
    return verifyDirectives(held, encodePlan(held), chain.envelopes, trusted, verifyEd25519);
  };

  it('is not armed where those left out of a decision could open it', () => {
    armedUnder(5, 3, false);
    armedUnder(7, 5, false);
    refused('plan_invalid', () => armedUnder(7, 4, false));
  });

  it('is not armed where they could with the share of the server', () => {
    armedUnder(4, 3, true);
    armedUnder(5, 4, true);
    refused('plan_invalid', () => armedUnder(5, 3, true));
  });
});

describe('who signed a directive', () => {
  it('must be enough people, and only people of the root', () => {
    refused('threshold_unmet', () => verify(second({}, ['ada'])));
    refused('signature_invalid', () => verify(second({}, ['ada', 'eve'])));
    refused('signature_invalid', () => verify(second({}, ['ada', 'bo', 'eve'])));
  });

  it('must use the signing key, not the root key', () => {
    const payload = encodeDirective(directiveOf(committed.state, 'notify'));
    const envelope = signEnvelope(payload, ...rootSigners(['ada', 'bo']));
    refused('signature_invalid', () => verify([...committed.envelopes, envelope]));
  });

  it('counts once: one officer cannot sign twice, nor under the key id of another', () => {
    const [envelope] = second({}, ['ada']).slice(1);
    assert.ok(envelope);
    const [byAda] = envelope.signatures;
    const [bo] = signingSigners(['bo']);
    assert.ok(byAda && bo);
    const twice = { ...envelope, signatures: [byAda, byAda] };
    refused('threshold_unmet', () => verify([...committed.envelopes, twice]));
    const borrowed = { ...envelope, signatures: [byAda, { ...byAda, keyid: bo.publicKey }] };
    refused('signature_invalid', () => verify([...committed.envelopes, borrowed]));
  });

  it('signed exactly these bytes: any bit flipped in payload or signature is refused', () => {
    const [envelope] = committed.envelopes;
    assert.ok(envelope);
    const { payload, signatures } = envelope;
    for (let bit = 0; bit < payload.length * 8; bit += 13) {
      const flipped = payload.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verify([{ payload: flipped, signatures }]), { name: 'ProtocolError' });
    }
    for (let bit = 0; bit < 512; bit += 7) {
      const spoiled = signatures.map(({ keyid, sig }) => {
        const flipped = sig.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return { keyid, sig: flipped };
      });
      refused('signature_invalid', () => verify([{ payload, signatures: spoiled }]));
    }
  });

  it('approved a directive: no other statement passes for one', () => {
    const text = Buffer.from(committed.envelopes[0]?.payload ?? []).toString();
    const payload = Buffer.from(text.replace('urn:sealdrop:directive:v1', 'urn:sealdrop:ack:v1'));
    const envelope = signEnvelope(payload, ...signingSigners(['ada', 'bo']));
    refused('statement_invalid', () => verify([envelope]));
  });
});

describe('the root that a directive names', () => {
  /** After bo left: cy and dora took over. */
  const renewed = rootOf(['ada', 'cy', 'dora'], { version: 2 });
  const both = new Map([...roots, [2, renewed]]);

  it('must be among those trusted here', () => {
    refused('trust_invalid', () => verify(second({ rootVersion: 2 })));
    refused('trust_invalid', () => verify(committed.envelopes, {}, new Map()));
  });

  it('must be of the same network', () => {
    const elsewhere = new Map([[1, rootOf(['ada', 'bo', 'cy'], { network: OTHER_NETWORK })]]);
    refused('trust_invalid', () => verify(committed.envelopes, {}, elsewhere));
  });

  it('must be the version that it says, whatever it is filed under', () => {
    refused('trust_invalid', () => verify(committed.envelopes, {}, new Map([[1, renewed]])));
  });

  it('decides who may sign: a new officer under the new root, an old one no more', () => {
    const { state } = verify(second({ rootVersion: 2 }, ['cy', 'dora']), {}, both);
    assert.equal(state.rootVersion, 2);
    refused('signature_invalid', () => verify(second({ rootVersion: 2 }, ['ada', 'bo']), {}, both));
    refused('signature_invalid', () => verify(second({}, ['cy', 'dora']), {}, both));
  });

  it('never goes back', () => {
    const onNew = add(committed, 'notify', { rootVersion: 2 }, ['cy', 'dora']);
    const back = signedBy(['ada', 'bo'], directiveOf(onNew.state, 'arm'));
    refused('transition_refused', () => verify([...onNew.envelopes, back], {}, both));
  });

  it('must be the newest for whatever the verifier has not seen before', () => {
    const byRemoved = second({}, ['ada', 'bo']);
    assert.equal(verify(byRemoved, { known: 2 }, both).state.sequence, 2);
    refused('transition_refused', () => verify(byRemoved, { known: 1 }, both));
    refused('transition_refused', () => verify(byRemoved, { known: 0 }, both));
    const byPresent = second({ rootVersion: 2 }, ['cy', 'dora']);
    assert.equal(verify(byPresent, { known: 1 }, both).state.sequence, 2);
  });

  it('is enough in a later directive, which vouches for those it follows', () => {
    const older = add(committed, 'notify', {}, ['ada', 'bo']);
    const { envelopes } = add(older, 'arm', { rootVersion: 2 }, ['cy', 'dora']);
    assert.equal(verify(envelopes, { known: 1 }, both).state.sequence, 3);
    // It vouches for the one that it follows, and for no other in its place.
    const forged = signedBy(['ada', 'bo'], directiveOf(committed.state, 'notify', { reason: 'x' }));
    const [first, , third] = envelopes;
    assert.ok(first && third);
    refused('transition_refused', () => verify([first, forged, third], { known: 1 }, both));
  });

  it('need not be that of what the verifier has signed', () => {
    const older = second({}, ['ada', 'bo']);
    const [bo, cy] = signingSigners(['bo', 'cy']).map(({ publicKey }) => publicKey);
    assert.ok(bo && cy);
    assert.equal(verify(older, { known: 1, own: bo }, both).state.sequence, 2);
    refused('transition_refused', () => verify(older, { known: 1, own: cy }, both));
    // Nor does it help with what came after.
    const after = add(add(committed, 'notify', {}, ['ada', 'bo']), 'arm', {}, ['ada', 'cy']);
    refused('transition_refused', () => verify(after.envelopes, { known: 1, own: bo }, both));
  });
});

describe('a chain of directives', () => {
  it('is an alarm with two valid directives of one number', () => {
    const fork = second({ reason: 'another version of events' });
    const honest = second({});
    for (const envelopes of [
      [...honest, ...fork.slice(1)],
      [...fork, ...honest.slice(1)],
      [...whole.envelopes, ...fork.slice(1)],
    ]) {
      assert.throws(() => verify(envelopes), {
        code: 'directives_forked',
        message: 'alarm: two valid directives with one number exist, 2',
      });
    }
  });

  it('is an alarm even when the second one fits nowhere', () => {
    const stray = signedBy(
      ['bo', 'cy'],
      directiveOf(armed.state, 'abort', { previous: digestNamed('elsewhere') }),
    );
    const disclosed = whole.envelopes;
    assert.throws(() => verify([...disclosed, stray]), {
      message: 'alarm: two valid directives with one number exist, 4',
    });
  });

  it('is refused, without an alarm, when one directive is listed twice', () => {
    assert.throws(() => verify([...second({}), ...second({}).slice(1)]), {
      message: 'directive number 2 is listed twice',
    });
    // Other signatures over the same payload do not make it another directive.
    assert.throws(() => verify([...second({}), ...second({}, ['bo', 'cy']).slice(1)]), {
      message: 'directive number 2 is listed twice',
    });
  });

  it('is refused with one missing at the start or in the middle', () => {
    for (const missing of [0, 1, 2]) {
      refused('transition_refused', () => verify(whole.envelopes.toSpliced(missing, 1)));
    }
  });

  it('is refused when one follows another than the one before', () => {
    refused('transition_refused', () => verify(second({ previous: digestNamed('fork') })));
  });

  it('is refused when one was made for another campaign, network, plan or as an exercise', () => {
    refused('statement_invalid', () => verify(second({ campaign: 'SDX-2026-7KQ5' })));
    refused('trust_invalid', () => verify(second({ network: OTHER_NETWORK })));
    refused('statement_invalid', () => verify(second({ plan: digestNamed('draft 2') })));
    refused('statement_invalid', () => verify(second({ exercise: true })));
    refused('statement_invalid', () => verify(second({ revision: 2 })));
  });

  it('is refused when replayed whole in a campaign of another plan', () => {
    const other = planOf({ nonce: digestNamed('other') });
    refused('statement_invalid', () =>
      verifyDirectives(other, encodePlan(other), whole.envelopes, roots, verifyEd25519),
    );
    const exercise = planOf({ exercise: true });
    refused('statement_invalid', () =>
      verifyDirectives(exercise, encodePlan(exercise), whole.envelopes, roots, verifyEd25519),
    );
  });

  it('never skips the way: nothing is armed or released by saying so', () => {
    const jump = directiveOf(armed.state, 'abort', {
      sequence: 2,
      previous: committed.state.previous,
    });
    refused('transition_refused', () =>
      verify([...committed.envelopes, signedBy(['ada', 'bo'], jump)]),
    );
  });
});

describe('moves that need no directive', () => {
  it('are implied by what a later directive says, released before adopted', () => {
    const withdrawn = add(release(armed), 'withdraw');
    assert.deepEqual(verify(withdrawn.envelopes).state, withdrawn.state);
    assert.equal(verify(whole.envelopes).state.released, true);
  });

  it('are never implied before T0', () => {
    const directive = directiveOf(release(armed).state, 'withdraw', {}, T0 - 2 * HOUR_MS);
    const envelopes = [...armed.envelopes, signedBy(['ada', 'bo'], directive)];
    refused('transition_refused', () => verify(envelopes));
    const at = [ISSUED, ISSUED, ISSUED, T0 - MAX_CLOCK_SKEW_MS];
    assert.equal(verify(envelopes, { at }).state.status, 'withdrawn');
    refused('transition_refused', () =>
      verify(envelopes, { at: [...at.slice(0, 3), T0 - MAX_CLOCK_SKEW_MS - 1] }),
    );
  });

  it('never bring back what was aborted', () => {
    const aborted = add(armed, 'abort');
    const withdraw = directiveOf(release(armed).state, 'withdraw', {
      sequence: aborted.state.sequence + 1,
      previous: aborted.state.previous,
    });
    refused('transition_refused', () =>
      verify([...aborted.envelopes, signedBy(['ada', 'bo'], withdraw)]),
    );
  });
});

describe('the time of completion', () => {
  it('is compared with the expiry of each directive', () => {
    const expiry = ISSUED + 24 * HOUR_MS;
    assert.equal(verify(armed.envelopes, { at: [ISSUED, ISSUED, expiry - 1] }).state.sequence, 3);
    refused('transition_refused', () => verify(armed.envelopes, { at: [ISSUED, ISSUED, expiry] }));
    refused('transition_refused', () => verify(armed.envelopes, { at: [expiry, ISSUED, ISSUED] }));
  });

  it('is given for every directive or for none', () => {
    assert.throws(() => verify(armed.envelopes, { at: [ISSUED] }), RangeError);
  });

  it('belongs to its envelope in whatever order they are given', () => {
    const envelopes = armed.envelopes.toReversed();
    const expiry = ISSUED + 24 * HOUR_MS;
    const late = directiveOf(add(committed, 'notify').state, 'arm', {}, expiry);
    const mixed = [signedBy(['ada', 'bo'], late), ...envelopes.slice(1)];
    assert.equal(verify(mixed, { at: [expiry, ISSUED, ISSUED] }).state.status, 'armed');
    refused('transition_refused', () => verify(mixed, { at: [ISSUED, ISSUED, expiry] }));
  });
});

describe('later revisions of the plan', () => {
  const next = revisionOf(plan, { 'disclosure.md': digestNamed('reworded') });
  const changes = { plan: digestOf(next), revision: 2 };
  const revised = add(
    { ...armed, plans: new Map([...armed.plans, [digestOf(next), next]]) },
    'commit',
    changes,
  );

  it('are followed when their files are given', () => {
    const { state } = verify(revised.envelopes, { laterPlans: [encodePlan(next)] });
    assert.deepEqual(state, revised.state);
    assert.equal(state.plan, digestOf(next));
  });

  it('are refused without their files, or with others', () => {
    refused('plan_invalid', () => verify(revised.envelopes));
    const other = revisionOf(plan, { 'disclosure.md': digestNamed('other') });
    refused('plan_invalid', () => verify(revised.envelopes, { laterPlans: [encodePlan(other)] }));
  });

  it('void what was approved for the plan before', () => {
    const stale = directiveOf(revised.state, 'abort', { plan: digestOf(plan), revision: 1 });
    refused('statement_invalid', () =>
      verify([...revised.envelopes, signedBy(['ada', 'bo'], stale)], {
        laterPlans: [encodePlan(next)],
      }),
    );
  });

  it('must suit the root of the officers who signed them', () => {
    const foreign = revisionOf(plan, {}, { closingRecipient: recipientNamed('cy') });
    const directive = directiveOf(armed.state, 'commit', {
      plan: digestOf(foreign),
      revision: 2,
    });
    refused('plan_invalid', () =>
      verify([...armed.envelopes, signedBy(['ada', 'bo'], directive)], {
        laterPlans: [encodePlan(foreign)],
      }),
    );
  });
});

describe('verifyDirective', () => {
  it('names the people behind one directive', () => {
    const envelope = signedBy(['cy', 'ada'], directiveOf(start.state, 'commit'));
    const { people, action } = verifyDirective(envelope, roots, verifyEd25519);
    assert.deepEqual([action, ...people], ['commit', 'ada', 'cy']);
  });

  it('takes nothing for granted about how the envelope was read', () => {
    const directive = encodeDirective(directiveOf(start.state, 'commit'));
    const payload = Buffer.from(directive).toString('base64');
    const text = JSON.stringify({
      payloadType: 'application/vnd.in-toto+json',
      payload,
      signatures: [
        {
          keyid: signerNamed('ada signing').publicKey,
          sig: Buffer.alloc(64).toString('base64'),
        },
      ],
    });
    refused('signature_invalid', () =>
      verifyDirective(parseEnvelope(Buffer.from(text)), roots, verifyEd25519),
    );
  });
});
