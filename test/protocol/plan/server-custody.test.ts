import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePlan, parsePlan } from '../../../protocol/plan/plan.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import {
  custodyText,
  findCustodyFlaw,
  findCustodyText,
  serverCustodyText,
} from '../../../protocol/plan/server-custody.ts';
import { serverHolders } from '../../../protocol/trust/server-holder.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { recipientNamed, rootOf, signerNamed } from '../trust/network.ts';
import { digestNamed, lockedPlanOf, planOf } from './plans.ts';

const CUSTODIAN = { key: signerNamed('custody').publicKey, age: recipientNamed('custody') };

/** Two of three decide, three shares open. */
const root = (changes: Partial<TrustRoot> = {}): TrustRoot =>
  rootOf(undefined, { shareThreshold: 3, custodian: CUSTODIAN, ...changes });

/** A plan with release shares of these holders besides the officers'. */
function planWith(holders: readonly string[], changes: Partial<Plan> = {}): Plan {
  const { shares } = planOf();
  const server = holders.map((officer) => {
    return { key: 'release' as const, officer, sha256: digestNamed(`release ${officer}`) };
  });
  return planOf({ shareThreshold: 3, shares: [...shares, ...server], ...changes });
}

const invalid = { code: 'plan_invalid' };

describe('a plan that gives shares to the server', () => {
  it('gives it one of three, and two officers are needed besides', () => {
    const plan = planWith(['server']);
    assert.deepEqual(parsePlan(encodePlan(plan)), plan);
    checkPlan(plan, root());
  });

  it('gives it more only in an exercise, in which it may open alone', () => {
    for (const count of [2, 3]) {
      const holders = serverHolders(count);
      assert.throws(() => encodePlan(planWith(holders)), invalid);
      checkPlan(planWith(holders, { exercise: true }), root());
    }
    const four = planWith(serverHolders(4), { exercise: true });
    assert.throws(() => encodePlan(four), invalid);
  });

  it('leaves two officers between it and the patch, but in an exercise', () => {
    const two = planWith(['server'], { shareThreshold: 2 });
    assert.throws(() => encodePlan(two), { ...invalid, message: /fewer than two officers/ });
    checkPlan({ ...two, exercise: true }, root({ shareThreshold: 2 }));
  });

  it('needs keys in the root, and officers left out of a decision who are too few', () => {
    const plan = planWith(['server']);
    const check = (changes: Partial<TrustRoot>) => () => {
      checkPlan(plan, root(changes));
    };
    assert.throws(check({ custodian: undefined }), { ...invalid, message: /no server/ });
    // M + t > n holds with 3 + 3 > 5; with the server's share it has to be 3 + 2 > 5.
    const numbers = (m: number, t: number, n: number): string | undefined =>
      findCustodyFlaw(
        1,
        { exercise: false, shareThreshold: t },
        { directiveThreshold: m, people: { size: n } },
      );
    assert.match(numbers(3, 3, 5) ?? '', /left out/);
    assert.equal(numbers(4, 3, 5), undefined);
    assert.equal(numbers(3, 4, 5), undefined);
    assert.equal(numbers(2, 3, 3), undefined);
  });

  it('gives it shares of the release key alone, under its names in order', () => {
    const plan = planWith(['server']);
    const closing = { key: 'closing' as const, officer: 'server', sha256: digestNamed('c') };
    const wrong: readonly Plan[] = [
      { ...plan, shares: [...plan.shares, closing] },
      { ...planOf({ shareThreshold: 3 }), shares: [...planOf().shares, closing] },
      planWith(['server-2'], { exercise: true }),
      planWith(['server-2', 'server'], { exercise: true }),
      planWith(['server', 'server-3'], { exercise: true }),
      planWith(['server-x'], { exercise: true }),
      // Other spellings are no second name of it, and of nobody else.
      planWith(['server', 'Server']),
      planWith(['server', 's\u0435rver']),
      planWith(['server', 'server\n']),
    ];
    for (const it of wrong) assert.throws(() => encodePlan(it), invalid);
    for (const name of ['servers', 'server2', '0-server']) {
      assert.throws(() => {
        checkPlan(planWith(['server', name], { exercise: true }), root());
      }, invalid);
    }
    const locked = lockedPlanOf();
    const glass = { key: 'break-glass' as const, officer: 'server', sha256: digestNamed('g') };
    assert.throws(() => encodePlan({ ...locked, shares: [...locked.shares, glass] }), {
      ...invalid,
      message: /release key alone/,
    });
    const shares = plan.shares.filter(({ officer }) => officer !== 'cy');
    assert.throws(() => {
      checkPlan({ ...plan, shares }, root());
    }, invalid);
  });

  it('is not sealed to its custody key', () => {
    const plan = planWith(['server'], { accessRecipient: CUSTODIAN.age });
    assert.throws(() => {
      checkPlan(plan, root());
    }, invalid);
  });

  it('is told in one sentence, and others are not', () => {
    assert.equal(serverCustodyText(planOf()), undefined);
    assert.equal(
      serverCustodyText(planWith(['server'])),
      'SERVER CUSTODY: the server holds 1 of the 3 shares that open the patch: with 2 officers’ shares it opens',
    );
    assert.match(custodyText(1, 2) ?? '', /with one officer’s share it opens$/);
    const alone = serverCustodyText(planWith(serverHolders(3), { exercise: true }));
    assert.match(alone ?? '', /3 of the 3 .*opens ALONE, without any officer/);

    const text = custodyText(1, 3) ?? '';
    assert.equal(findCustodyText(`Be there.\n\n${text}\n`), text);
    assert.equal(findCustodyText('We speak of SERVER CUSTODY: not here.\n'), undefined);
    for (const wrong of [
      `${text}\n${text}\n`,
      `${text}\nServer custody: none of this is so.\n`,
      ` ${text}\n`,
      'Be there.\u2028SERVER CUSTODY: none\n',
      'server\u00a0custody : none\n',
    ]) {
      assert.throws(() => findCustodyText(wrong), { code: 'document_invalid' }, wrong);
    }
  });
});
