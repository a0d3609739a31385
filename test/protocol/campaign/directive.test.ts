import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  directiveDigest,
  encodeDirective,
  parseDirective,
} from '../../../protocol/campaign/directive.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { ACTIONS, CAMPAIGN_STATUSES, MOVES } from '../../../protocol/campaign/transitions.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeStatement } from '../../../protocol/statement/statement.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import { NETWORK } from '../trust/network.ts';

interface DirectiveVector extends Vector {
  readonly payload: string;
  readonly digest?: string;
  readonly code?: string;
}

const SHA256 = 'ab'.repeat(32);

const notify: Directive = {
  plan: SHA256,
  campaign: 'SDX-2026-7KQ4',
  network: NETWORK,
  rootVersion: 1,
  exercise: false,
  action: 'notify',
  from: 'committed',
  to: 'notified',
  sequence: 2,
  previous: 'cd'.repeat(32),
  revision: 1,
  reason: '',
  issuedAt: '2026-11-13T14:00:00Z',
  expiresAt: '2026-11-14T14:00:00Z',
};
const reschedule: Directive = {
  ...notify,
  action: 'reschedule',
  from: 'armed',
  to: 'armed',
  reason: 'an operator needs another day',
  releaseTime: '2026-11-21T14:00:00Z',
};
const disclose: Directive = { ...notify, action: 'disclose', from: 'adopted', to: 'disclosed' };
const override: Directive = {
  ...disclose,
  from: 'released',
  reason: 'the rest is unreachable',
  override: true,
};

const refused = (code: string, directive: object): void => {
  assert.throws(() => encodeDirective(directive as Directive), { code });
  // What encodeDirective will not write must not be read from elsewhere either.
  const { plan, ...predicate } = directive as Directive;
  const payload = encodeStatement('directive', [{ name: 'plan.txt', sha256: plan }], predicate);
  assert.throws(() => parseDirective(payload), { code });
};

describe('a directive', () => {
  for (const { name, payload, digest } of readVectors('directive', 'valid') as DirectiveVector[]) {
    it(`is accepted: ${name}`, () => {
      const bytes = utf8Encode(payload);
      assert.equal(directiveDigest(bytes), digest);
      assert.deepEqual(encodeDirective(parseDirective(bytes)), bytes);
    });
  }

  for (const { name, payload, code } of readVectors('directive', 'invalid') as DirectiveVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseDirective(utf8Encode(payload)), { code });
    });
  }

  it('is read back as it was written', () => {
    for (const directive of [notify, reschedule, disclose, override]) {
      assert.deepEqual(parseDirective(encodeDirective(directive)), directive);
    }
  });

  it('is known by the SHA-256 of its payload', () => {
    const payload = encodeDirective(notify);
    assert.equal(directiveDigest(payload), sha256Hex(payload));
  });

  it('may describe every move of the table that is a decision, and no other', () => {
    let accepted = 0;
    for (const from of CAMPAIGN_STATUSES) {
      for (const action of ACTIONS) {
        for (const to of CAMPAIGN_STATUSES) {
          const row = MOVES.find((move) => move.from.includes(from) && move.by === action);
          const directive = {
            ...notify,
            action,
            from,
            to,
            reason: 'because',
            ...(action === 'reschedule' && { releaseTime: '2026-11-21T14:00:00Z' }),
            ...(row?.override && { override: true as const }),
          };
          if (row?.to.includes(to)) {
            encodeDirective(directive);
            accepted++;
          } else {
            refused('transition_refused', directive);
          }
        }
      }
    }
    assert.equal(accepted, 30 + 3); // supersede leads two ways from three states
  });

  it('needs a reason wherever the table asks for one, and blanks are none', () => {
    for (const reason of ['', ' ', '\u00a0']) {
      refused('statement_invalid', { ...reschedule, reason });
      refused('statement_invalid', { ...override, reason });
    }
    for (const { from, by, to, reason, override: overrides } of MOVES) {
      const action = ACTIONS.find((it) => it === by);
      const [[state], [next]] = [from, to];
      if (!reason || !action || !state || !next) continue;
      refused('statement_invalid', {
        ...notify,
        action,
        from: state,
        to: next,
        ...(action === 'reschedule' && { releaseTime: '2026-11-21T14:00:00Z' }),
        ...(overrides && { override: true }),
      });
    }
  });

  it('carries an override to disclose from released, and nowhere else', () => {
    refused('statement_invalid', { ...override, override: undefined });
    refused('statement_invalid', { ...override, override: false });
    refused('statement_invalid', { ...disclose, override: true });
    refused('statement_invalid', { ...notify, override: true });
    refused('statement_invalid', { ...disclose, from: 'aborted', override: true });
  });

  it('carries a release time to reschedule, and nowhere else', () => {
    const { releaseTime, ...without } = reschedule;
    refused('statement_invalid', without);
    refused('statement_invalid', { ...notify, releaseTime });
    refused('statement_invalid', { ...disclose, releaseTime });
  });

  const flaws: Readonly<Record<string, object>> = {
    'a member that is not known': { ...notify, urgent: true },
    'another campaign id': { ...notify, campaign: 'sdx-2026-7kq4' },
    'a network by its name': { ...notify, network: 'mainnet-beta' },
    'no root version': { ...notify, rootVersion: 0 },
    'a root version that is a text': { ...notify, rootVersion: '1' },
    'an exercise that is a text': { ...notify, exercise: 'false' },
    'sequence 0': { ...notify, sequence: 0, previous: null },
    'a sequence that is no whole number': { ...notify, sequence: 1.5 },
    'no predecessor in the second': { ...notify, previous: null },
    'a predecessor in the first': { ...notify, sequence: 1 },
    'a predecessor in upper case': { ...notify, previous: 'CD'.repeat(32) },
    'revision 0': { ...notify, revision: 0 },
    'a reason of 1001 characters': { ...notify, reason: 'x'.repeat(1001) },
    'a reason of two lines': { ...notify, reason: 'a\nb' },
    'a reason with a terminal escape': { ...notify, reason: '\u001b[2J' },
    'a reason that turns its direction': { ...notify, reason: '\u202egnp.exe' },
    'a time with an offset': { ...notify, issuedAt: '2026-11-13T15:00:00+01:00' },
    'a time with a fraction': { ...notify, issuedAt: '2026-11-13T14:00:00.000Z' },
    'an expiry at its issue': { ...notify, expiresAt: notify.issuedAt },
    'an expiry before its issue': { ...notify, expiresAt: '2026-11-12T14:00:00Z' },
  };
  for (const [flaw, directive] of Object.entries(flaws)) {
    it(`is refused with ${flaw}`, () => {
      refused('statement_invalid', directive);
    });
  }

  it('is about plan.txt alone', () => {
    const { plan: sha256, ...predicate } = notify;
    const plan = { name: 'plan.txt', sha256 };
    for (const subject of [
      [{ name: 'notice.txt', sha256 }],
      [plan, { name: 'notice.txt', sha256 }],
      [{ name: 'Plan.txt', sha256 }],
    ]) {
      assert.throws(() => parseDirective(encodeStatement('directive', subject, predicate)), {
        code: 'statement_invalid',
      });
    }
    assert.throws(() => parseDirective(encodeStatement('ack', [plan], predicate)), {
      code: 'statement_invalid',
    });
  });
});
