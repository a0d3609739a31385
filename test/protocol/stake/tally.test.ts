import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import { bindIdentities } from '../../../protocol/stake/bindings.ts';
import type { Bindings } from '../../../protocol/stake/bindings.ts';
import { DEFAULT_MILESTONES } from '../../../protocol/stake/milestone.ts';
import type { Milestone } from '../../../protocol/stake/milestone.ts';
import {
  addStatement,
  isAdopted,
  openTally,
  readMilestones,
  readTally,
  tally,
} from '../../../protocol/stake/tally.ts';
import type { Adoption, AdoptionStatement, Tally } from '../../../protocol/stake/tally.ts';

import { readVectors, type Vector } from '../../support/vectors.ts';

interface TallyVector extends Vector {
  readonly stakes: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, string>>;
  readonly statements: readonly AdoptionStatement[];
  readonly attested: string;
  readonly reverted: string;
  readonly total: string;
  readonly validators: Readonly<Record<string, Adoption>>;
  readonly reached: readonly string[];
}

// Keys and identities are only compared here, so short names do.
const key = (name: string): Ed25519PublicKey => name as Ed25519PublicKey;

const snapshotOf = (
  stakes: Readonly<Record<string, bigint>>,
): { total: bigint; stakes: ReadonlyMap<string, bigint> } => ({
  stakes: new Map(Object.entries(stakes)),
  total: Object.values(stakes).reduce((sum, stake) => sum + stake, 0n),
});

/** Every validator with an operator of its own, called `op` and its name. */
const ownOperators = (stakes: Readonly<Record<string, bigint>>): Bindings =>
  new Map(Object.keys(stakes).map((validator) => [validator, key(`op ${validator}`)]));

const say = (
  kind: string,
  operator: string,
  counter: number,
  ...validators: readonly string[]
): AdoptionStatement => ({ kind, operator: key(operator), counter, validators });

const HEADS: Milestone = {
  name: 'heads',
  num: 2,
  den: 3,
  strict: true,
  weight: 'heads',
  action: 'record',
};
const MILESTONES = [...DEFAULT_MILESTONES, HEADS];

/** Count with one validator an operator; each of `attested` says so once. */
function count(stakes: Readonly<Record<string, bigint>>, attested: readonly string[]): Tally {
  const statements = attested.map((validator) => say('attest', `op ${validator}`, 1, validator));
  return tally(snapshotOf(stakes), ownOperators(stakes), statements, MILESTONES);
}

const reachedOf = ({ milestones }: Tally): readonly string[] =>
  milestones.filter(({ reached }) => reached).map(({ name }) => name);

const equalStakes = (n: number, stake: bigint): Record<string, bigint> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`v${i}`, stake]));

describe('tally', () => {
  for (const vector of readVectors('tally', 'valid') as TallyVector[]) {
    it(`counts as written down: ${vector.name}`, () => {
      const stakes = Object.entries(vector.stakes).map(([v, s]) => [v, BigInt(s)] as const);
      const bindings = new Map(Object.entries(vector.bindings).map(([v, op]) => [v, key(op)]));
      const result = tally(
        snapshotOf(Object.fromEntries(stakes)),
        bindings,
        vector.statements,
        DEFAULT_MILESTONES,
      );
      assert.equal(String(result.attested.stake), vector.attested);
      assert.equal(String(result.reverted.stake), vector.reverted);
      assert.equal(String(result.total.stake), vector.total);
      assert.deepEqual(Object.fromEntries(result.validators), vector.validators);
      assert.deepEqual(reachedOf(result), vector.reached);
    });
  }

  it('passes the gate with 17 of 24 equal validators, not with 16, by stake and by heads', () => {
    for (const stake of [1n, 10n ** 18n, 2n ** 64n]) {
      const stakes = equalStakes(24, stake);
      const names = Object.keys(stakes);
      const sixteen = count(stakes, names.slice(0, 16));
      assert.equal(sixteen.adopted, false);
      assert.deepEqual(reachedOf(sixteen), ['safety']);
      const seventeen = count(stakes, names.slice(0, 17));
      assert.equal(seventeen.adopted, true);
      assert.deepEqual(reachedOf(seventeen), ['safety', 'supermajority', 'heads']);
    }
  });

  it('is not adopted at exactly two thirds of stake, and is one lamport above', () => {
    const exact = { a: 2n * 10n ** 18n, b: 10n ** 18n };
    assert.equal(count(exact, ['a']).adopted, false);
    assert.equal(count({ ...exact, a: exact.a + 1n }, ['a']).adopted, true);
    assert.equal(count({ ...exact, b: exact.b + 1n }, ['a']).adopted, false);
  });

  it('adds exactly beyond 2^64 and 2^128', () => {
    for (const base of [2n ** 53n, 2n ** 64n, 2n ** 128n]) {
      const stakes = { a: base, b: base + 1n, c: base };
      const { attested, total } = count(stakes, ['a', 'b']);
      assert.equal(attested.stake, 2n * base + 1n);
      assert.equal(total.stake, 3n * base + 1n);
      assert.equal(count(stakes, ['a', 'b']).adopted, true);
      assert.equal(count({ ...stakes, b: base }, ['a', 'b']).adopted, false);
    }
  });

  it('has the whole snapshot as denominator, whoever is silent or unbound', () => {
    const stakes = { a: 66n, silent: 33n, delinquent: 1n };
    const result = tally(
      snapshotOf(stakes),
      new Map([['a', key('op a')]]),
      [say('attest', 'op a', 1, 'a')],
      MILESTONES,
    );
    assert.deepEqual(result.total, { stake: 100n, heads: 3n });
    assert.equal(result.adopted, false);
    assert.deepEqual(Object.fromEntries(result.validators), {
      a: 'attested',
      silent: 'unknown',
      delinquent: 'unknown',
    });
  });

  it('is adopted by nobody when there is no stake at all', () => {
    const result = count({ a: 0n, b: 0n }, ['a', 'b']);
    assert.equal(result.adopted, false);
    assert.deepEqual(reachedOf(result), []);
    assert.equal(tally(snapshotOf({}), new Map(), [], MILESTONES).adopted, false);
  });

  it('counts no heads without stake, which cost nothing to make', () => {
    const stakes = { a: 1n, b: 1n, ...Object.fromEntries(Object.entries(equalStakes(9, 0n))) };
    const result = count(stakes, Object.keys(equalStakes(9, 0n)));
    assert.deepEqual(result.attested, { stake: 0n, heads: 0n });
    assert.deepEqual(result.total, { stake: 2n, heads: 2n });
  });

  it('is gated by the one milestone that says so, and by none if there is none', () => {
    const stakes = { a: 100n };
    const statements = [say('attest', 'op a', 1, 'a')];
    const args = [snapshotOf(stakes), ownOperators(stakes), statements] as const;
    assert.equal(tally(...args, [HEADS]).adopted, false);
    assert.equal(tally(...args, [{ ...HEADS, action: 'gate' }]).adopted, true);
  });
});

describe('what an operator said', () => {
  const stakes = { a: 10n, b: 20n, c: 30n };
  const bindings: Bindings = new Map([
    ['a', key('one')],
    ['b', key('one')],
    ['c', key('two')],
  ]);
  const result = (...statements: readonly AdoptionStatement[]): Tally =>
    tally(snapshotOf(stakes), bindings, statements, MILESTONES);
  const attested = (...statements: readonly AdoptionStatement[]): bigint =>
    result(...statements).attested.stake;

  it('counts for the validators bound to that operator and no others', () => {
    assert.equal(attested(say('attest', 'one', 1, 'a', 'b', 'c')), 30n);
    assert.equal(attested(say('attest', 'two', 1, 'a', 'b')), 0n);
    assert.equal(attested(say('attest', 'eve', 1, 'a', 'b', 'c')), 0n);
  });

  it('counts for nothing about a validator that is not in the snapshot', () => {
    const bound: Bindings = new Map([...bindings, ['ghost', key('one')]]);
    const statements = [say('attest', 'one', 1, 'ghost', '__proto__', 'constructor')];
    const { attested: sum, validators } = tally(snapshotOf(stakes), bound, statements, MILESTONES);
    assert.deepEqual(sum, { stake: 0n, heads: 0n });
    assert.equal(validators.has('ghost'), false);
  });

  it('counts once, in a thousand copies and in two statements', () => {
    const statement = say('attest', 'one', 1, 'a', 'b');
    assert.equal(attested(...Array.from({ length: 1000 }, () => statement)), 30n);
    assert.equal(attested(say('attest', 'one', 1, 'a', 'b'), say('attest', 'one', 2, 'b')), 30n);
    assert.equal(attested(say('attest', 'one', 1, 'a', 'a', 'a')), 10n);
  });

  it('is taken back by a later revert, for the validators it names', () => {
    const both = [say('attest', 'one', 1, 'a', 'b'), say('revert', 'one', 2, 'b')];
    const { attested: sum, reverted, validators } = result(...both);
    assert.equal(sum.stake, 10n);
    assert.deepEqual(reverted, { stake: 20n, heads: 1n });
    assert.equal(validators.get('b'), 'reverted');
    assert.equal(attested(...both, say('attest', 'one', 3, 'b')), 30n);
  });

  it('stays as it was for validators that a later statement leaves out', () => {
    assert.equal(attested(say('attest', 'one', 1, 'a'), say('attest', 'one', 2, 'b')), 30n);
  });

  it('is decided by the highest counter, not by the order of arrival', () => {
    assert.equal(attested(say('revert', 'one', 9, 'a'), say('attest', 'one', 8, 'a')), 0n);
    assert.equal(attested(say('attest', 'one', 9, 'a'), say('revert', 'one', 8, 'a')), 10n);
    // As numbers, not as text.
    assert.equal(attested(say('revert', 'one', 10, 'a'), say('attest', 'one', 9, 'a')), 0n);
  });

  it('counts for less when one counter was signed twice', () => {
    const [yes, no] = [say('attest', 'one', 1, 'a'), say('revert', 'one', 1, 'a')];
    assert.equal(attested(yes, no), 0n);
    assert.equal(attested(no, yes), 0n);
  });

  it('is not adoption when it is an acknowledgement, readiness or refusal', () => {
    for (const kind of ['ack', 'ready', 'decline', 'release', 'ATTEST', '']) {
      assert.equal(attested(say(kind, 'one', 1, 'a')), 0n);
    }
    // Nor does it use up a counter.
    assert.equal(attested(say('attest', 'one', 1, 'a'), say('ack', 'one', 2, 'a')), 10n);
  });
});

describe('an identity that two operators were bound to', () => {
  const enrolled = (operator: string, ...validators: readonly string[]) => ({
    operator: key(operator),
    proofs: validators.map((validator) => ({ validator })),
  });

  it('is spoken for by the later enrolment in the log, whatever was said before', () => {
    const before = bindIdentities([enrolled('old', 'a', 'b')]);
    const after = bindIdentities([enrolled('old', 'a', 'b'), enrolled('new', 'b')]);
    assert.deepEqual(Object.fromEntries(before), { a: 'old', b: 'old' });
    assert.deepEqual(Object.fromEntries(after), { a: 'old', b: 'new' });

    const statements = [say('attest', 'old', 7, 'a', 'b')];
    const snapshot = snapshotOf({ a: 1n, b: 2n });
    const attested = (bindings: Bindings, said = statements): bigint =>
      tally(snapshot, bindings, said, MILESTONES).attested.stake;
    assert.equal(attested(before), 3n);
    assert.equal(attested(after), 1n);
    // Counters of different operators are never compared.
    assert.equal(attested(after, [...statements, say('attest', 'new', 1, 'b')]), 3n);
    assert.equal(attested(after, [say('revert', 'old', 9, 'b'), say('attest', 'new', 1, 'b')]), 2n);
  });

  it('may go back to the first one by a third enrolment', () => {
    const bindings = bindIdentities([enrolled('x', 'a'), enrolled('y', 'a'), enrolled('x', 'a')]);
    assert.deepEqual(Object.fromEntries(bindings), { a: 'x' });
  });
});

describe('any set of statements', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
  const OPERATORS = ['x', 'y', 'z'];
  const arbitraryStakes = fc
    .tuple(...NAMES.map(() => fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 2n ** 70n))))
    .map((stakes) => Object.fromEntries(NAMES.map((name, i) => [name, stakes[i] ?? 0n])));
  const arbitraryBindings = fc
    .array(fc.tuple(fc.constantFrom(...NAMES, 'stranger'), fc.constantFrom(...OPERATORS)))
    .map((pairs): Bindings => new Map(pairs.map(([name, operator]) => [name, key(operator)])));
  const arbitraryStatements = fc.array(
    fc.record({
      kind: fc.constantFrom('attest', 'attest', 'revert', 'ack'),
      operator: fc.constantFrom(...OPERATORS.map(key)),
      counter: fc.integer({ min: 1, max: 6 }),
      validators: fc.uniqueArray(fc.constantFrom(...NAMES, 'stranger'), { minLength: 1 }),
    }),
    { maxLength: 25 },
  );

  /** The definition, validator by validator, with no running sums. */
  function define(
    stakes: Readonly<Record<string, bigint>>,
    bindings: Bindings,
    statements: readonly AdoptionStatement[],
  ): { sum: bigint; heads: bigint; of: Record<string, Adoption> } {
    const of: Record<string, Adoption> = {};
    for (const name of NAMES) {
      const said = statements.filter(
        ({ kind, operator, validators }) =>
          (kind === 'attest' || kind === 'revert') &&
          bindings.get(name) === operator &&
          validators.includes(name),
      );
      const last = Math.max(...said.map(({ counter }) => counter));
      const kinds = said.filter(({ counter }) => counter === last).map(({ kind }) => kind);
      of[name] = kinds.includes('revert') ? 'reverted' : kinds.length > 0 ? 'attested' : 'unknown';
    }
    const attested = NAMES.filter((name) => of[name] === 'attested').map((n) => stakes[n] ?? 0n);
    return {
      sum: attested.reduce((sum, stake) => sum + stake, 0n),
      heads: BigInt(attested.filter((stake) => stake > 0n).length),
      of,
    };
  }

  it('is counted as the definition says (property)', () => {
    fc.assert(
      fc.property(
        arbitraryStakes,
        arbitraryBindings,
        arbitraryStatements,
        (stakes, bindings, statements) => {
          const result = tally(snapshotOf(stakes), bindings, statements, MILESTONES);
          const { sum, heads, of } = define(stakes, bindings, statements);
          assert.deepEqual(Object.fromEntries(result.validators), of);
          assert.deepEqual(result.attested, { stake: sum, heads });
          const total = snapshotOf(stakes).total;
          assert.equal(result.adopted, sum * 3n > total * 2n);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives one tally in whatever order and however often repeated (property)', () => {
    const twoOrders = arbitraryStatements.chain((statements) =>
      fc.tuple(
        fc.constant(statements),
        fc.shuffledSubarray([...statements, ...statements], { minLength: statements.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(arbitraryStakes, arbitraryBindings, twoOrders, (stakes, bindings, [a, b]) => {
        const snapshot = snapshotOf(stakes);
        assert.deepEqual(
          tally(snapshot, bindings, b, MILESTONES),
          tally(snapshot, bindings, a, MILESTONES),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is told the same way after every single statement (property)', () => {
    fc.assert(
      fc.property(
        arbitraryStakes,
        arbitraryBindings,
        arbitraryStatements,
        (stakes, bindings, statements) => {
          const open = openTally(snapshotOf(stakes), bindings, MILESTONES);
          statements.forEach((statement, i) => {
            addStatement(open, statement);
            const whole = tally(
              snapshotOf(stakes),
              bindings,
              statements.slice(0, i + 1),
              MILESTONES,
            );
            assert.deepEqual(readTally(open), whole);
            assert.deepEqual(readMilestones(open), whole.milestones);
            assert.equal(isAdopted(open), whole.adopted);
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never attests more than there is (property)', () => {
    fc.assert(
      fc.property(
        arbitraryStakes,
        arbitraryBindings,
        arbitraryStatements,
        (stakes, bindings, statements) => {
          const { attested, reverted, total } = tally(
            snapshotOf(stakes),
            bindings,
            statements,
            MILESTONES,
          );
          assert.ok(attested.stake >= 0n && reverted.stake >= 0n);
          assert.ok(attested.stake + reverted.stake <= total.stake);
          assert.ok(attested.heads + reverted.heads <= total.heads);
        },
      ),
    );
  });
});
