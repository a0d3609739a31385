import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import {
  applyAdoption,
  applyDirective,
  applyRelease,
  openCampaign,
} from '../../../protocol/campaign/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { encodeDirective, verifyDirective } from '../../../protocol/campaign/directive.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { digestNamed, digestOf, planOf } from '../plan/plans.ts';
import { rootOf, rootSigners, signerNamed, signingSigners } from '../trust/network.ts';
import { directiveOf, ISSUED, signedBy } from './directives.ts';

/** Two of three people decide; in the second root bo has left, and dora is there instead. */
const ROOTS = new Map([
  [1, rootOf(['ada', 'bo', 'cy'])],
  [2, rootOf(['ada', 'cy', 'dora'], { version: 2 })],
]);

/** What was right about the step, and where the campaign stands. */
interface Honest {
  readonly directive: Directive;
  readonly state: CampaignState;
  /** What was decided last. */
  readonly last: Envelope | undefined;
}

const byTwo = (directive: Directive): Envelope => signedBy(['ada', 'cy'], directive);

/** Approvals that are none; `undefined` where there is no such thing. */
const HOSTILE = {
  'one person fewer': ({ directive }) => signedBy(['ada'], directive),
  nobody: ({ directive }) => ({ ...byTwo(directive), signatures: [] }),
  'one person as often as it takes': ({ directive }) => {
    const envelope = signedBy(['ada'], directive);
    return { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] };
  },
  'one person under the key id of another': ({ directive }) => {
    const [ada, cy] = byTwo(directive).signatures;
    assert.ok(ada && cy);
    return { ...byTwo(directive), signatures: [ada, { ...ada, keyid: cy.keyid }] };
  },
  'one person with two keys': ({ directive }) =>
    signEnvelope(encodeDirective(directive), ...signingSigners(['ada']), ...rootSigners(['ada'])),
  'somebody unknown': ({ directive }) =>
    signEnvelope(encodeDirective(directive), ...signingSigners(['ada']), signerNamed('eve')),
  'somebody who has left': ({ directive }) =>
    directive.rootVersion === 2 ? signedBy(['ada', 'bo'], directive) : undefined,
  'the root before': ({ directive, state }) =>
    state.rootVersion === 2 ? signedBy(['ada', 'bo'], { ...directive, rootVersion: 1 }) : undefined,
  'a root that nobody made': ({ directive }) => byTwo({ ...directive, rootVersion: 3 }),
  'another draft': ({ directive }) =>
    byTwo({ ...directive, plan: digestOf(planOf({ nonce: digestNamed('second draft') })) }),
  'another campaign': ({ directive }) => byTwo({ ...directive, campaign: 'SDX-2026-7KQ5' }),
  'an hour that has passed': ({ directive }) =>
    byTwo({
      ...directive,
      issuedAt: formatTime(ISSUED - 3_600_000),
      expiresAt: formatTime(ISSUED),
    }),
  'the step before': ({ last }) => last,
  'signatures that were made for other words': ({ directive }) => ({
    ...byTwo(directive),
    signatures: byTwo({ ...directive, reason: 'other words' }).signatures,
  }),
} satisfies Readonly<Record<string, (honest: Honest) => Envelope | undefined>>;

type Flaw = keyof typeof HOSTILE;
const FLAWS = Object.keys(HOSTILE) as Flaw[];

/** Ways on from each state that leave the plan as it is. */
const ONWARD: Readonly<Record<string, readonly Action[]>> = {
  draft: ['commit', 'commit', 'abort', 'leaked'],
  committed: ['notify', 'arm', 'abort', 'leaked'],
  notified: ['arm', 'abort', 'leaked'],
  armed: ['reschedule', 'reschedule', 'abort', 'leaked'],
  released: ['withdraw', 'disclose', 'leaked'],
  adopted: ['withdraw', 'disclose', 'leaked'],
  withdrawn: ['disclose', 'leaked'],
  aborted: ['disclose', 'leaked'],
  disclosed: [],
};

const steps = fc.array(
  fc.record({
    choice: fc.nat(),
    flaws: fc.subarray(FLAWS, { minLength: 2, maxLength: 5 }),
    rotates: fc.nat(3).map((n) => n === 0),
    isDue: fc.boolean(),
  }),
  { minLength: 4, maxLength: 8 },
);

/** T0 and the tally, if it is time for them. */
function pass(state: CampaignState): CampaignState {
  if (state.status === 'armed') return applyRelease(state);
  return state.status === 'released' ? applyAdoption(state) : state;
}

describe('a campaign whose approvals are forged', () => {
  it('moves on enough people of the newest root that decided, on nothing else (property)', () => {
    const seen = new Set<Flaw>();
    const plan = planOf();
    fc.assert(
      fc.property(steps, (walk) => {
        let state = openCampaign(plan, digestOf(plan));
        let last: Envelope | undefined;
        let rootVersion = 1;
        for (const { choice, flaws, rotates, isDue } of walk) {
          if (isDue) state = pass(state);
          if (rotates) rootVersion = 2;
          const actions = ONWARD[state.status] ?? [];
          const action = actions[choice % actions.length];
          if (action === undefined) return;
          const directive = directiveOf(state, action, { rootVersion });
          const take = (envelope: Envelope): CampaignState => {
            const verified = verifyDirective(envelope, ROOTS, verifyEd25519);
            return applyDirective(state, verified, verified.digest, ISSUED);
          };
          for (const flaw of flaws) {
            const envelope = HOSTILE[flaw]({ directive, state, last });
            if (envelope === undefined) continue;
            assert.throws(() => take(envelope), { name: 'ProtocolError' }, `${action}: ${flaw}`);
            seen.add(flaw);
          }
          // What they were made from is taken, so none was refused for anything else.
          last = byTwo(directive);
          state = take(last);
          assert.equal(state.rootVersion, rootVersion);
        }
      }),
      { numRuns: 100 },
    );
    assert.deepEqual([...seen].sort(), FLAWS.toSorted());
  });
});
