import type { Ed25519PublicKey } from '../signature/ed25519.ts';
import type { Bindings } from './bindings.ts';
import { isReached } from './milestone.ts';
import type { Milestone } from './milestone.ts';
import type { StakeSnapshot } from './snapshot.ts';

/** Base units of stake, and identities that have any. */
interface Weight {
  readonly stake: bigint;
  readonly heads: bigint;
}

/** What a validator's own operator said last; `unknown` until something was said. */
export type Adoption = 'attested' | 'reverted' | 'unknown';

/** As much of a verified operator's statement as the tally needs. */
export interface AdoptionStatement {
  /** Only `attest` and `revert` say anything about adoption; other kinds are passed over. */
  readonly kind: string;
  readonly operator: Ed25519PublicKey;
  readonly counter: number;
  readonly validators: readonly string[];
}

/** How far a network has adopted one revision of a patch. */
export interface Tally {
  /** The whole snapshot, silent and delinquent stake included: every denominator. */
  readonly total: Weight;
  readonly attested: Weight;
  readonly reverted: Weight;
  /** Every identity of the snapshot. */
  readonly validators: ReadonlyMap<string, Adoption>;
  readonly milestones: readonly { readonly name: string; readonly reached: boolean }[];
  /** The milestone that gates is reached; `false` if none gates. */
  readonly adopted: boolean;
}

interface Claim {
  readonly counter: number;
  readonly adoption: 'attested' | 'reverted';
}

/** A tally that grows. Changed in place by {@link addStatement}, so keep it to one owner. */
export interface AdoptionTally {
  readonly snapshot: StakeCount;
  readonly bindings: Bindings;
  readonly milestones: readonly Milestone[];
  readonly total: Weight;
  readonly claims: Map<string, Claim>;
  readonly sums: Record<'attested' | 'reverted', Weight>;
}

/** Stake per identity: as much of a {@link StakeSnapshot} as is counted. */
type StakeCount = Pick<StakeSnapshot, 'total' | 'stakes'>;

/**
 * Count adoption exactly.
 *
 * An identity counts once, by what the operator bound to it said with the highest counter. Order and
 * repetition of statements make no difference. An operator who signs two statements under one
 * counter gets the one that counts for less: `revert`. An identity missing from the snapshot, or
 * claimed by an operator it is not bound to, counts for nothing.
 *
 * @param bindings - Identity → operator, see {@link bindIdentities}.
 * @param statements - Verified ones about one campaign and one `release.txt`.
 * @see docs/spec/stake.md, "Tally"
 */
export function tally(
  snapshot: StakeCount,
  bindings: Bindings,
  statements: Iterable<AdoptionStatement>,
  milestones: readonly Milestone[],
): Tally {
  const open = openTally(snapshot, bindings, milestones);
  for (const statement of statements) addStatement(open, statement);
  return readTally(open);
}

/**
 * Open a tally to which statements are added one by one.
 *
 * Snapshot and bindings hold for its lifetime: after an enrolment open another one and add all
 * statements again.
 */
export function openTally(
  snapshot: StakeCount,
  bindings: Bindings,
  milestones: readonly Milestone[],
): AdoptionTally {
  let heads = 0n;
  for (const stake of snapshot.stakes.values()) heads += headsOf(stake);
  return {
    snapshot,
    bindings,
    milestones,
    total: { stake: snapshot.total, heads },
    claims: new Map(),
    sums: { attested: { stake: 0n, heads: 0n }, reverted: { stake: 0n, heads: 0n } },
  };
}

/** Add one statement, in constant time per validator that it names. */
export function addStatement(open: AdoptionTally, statement: AdoptionStatement): void {
  const { kind, operator, counter, validators } = statement;
  if (kind !== 'attest' && kind !== 'revert') return;
  const claim: Claim = { counter, adoption: kind === 'attest' ? 'attested' : 'reverted' };
  for (const validator of validators) {
    const stake = open.snapshot.stakes.get(validator);
    if (stake === undefined || open.bindings.get(validator) !== operator) continue;
    const before = open.claims.get(validator);
    if (before !== undefined && !supersedes(claim, before)) continue;
    if (before !== undefined) shift(open, before.adoption, -stake, -headsOf(stake));
    shift(open, claim.adoption, stake, headsOf(stake));
    open.claims.set(validator, claim);
  }
}

/** What has been reached so far, in constant time. */
export function readMilestones(open: AdoptionTally): Tally['milestones'] {
  return open.milestones.map((milestone) => ({
    name: milestone.name,
    reached: isReached(
      milestone,
      open.sums.attested[milestone.weight],
      open.total[milestone.weight],
    ),
  }));
}

/** Tell whether the milestone that gates is reached, in constant time. */
export function isAdopted(open: AdoptionTally): boolean {
  const gate = open.milestones.find(({ action }) => action === 'gate');
  if (gate === undefined) return false;
  return isReached(gate, open.sums.attested[gate.weight], open.total[gate.weight]);
}

/** The whole result, in time linear in the snapshot. */
export function readTally(open: AdoptionTally): Tally {
  const validators = new Map<string, Adoption>();
  for (const validator of open.snapshot.stakes.keys()) {
    validators.set(validator, open.claims.get(validator)?.adoption ?? 'unknown');
  }
  return {
    total: open.total,
    attested: open.sums.attested,
    reverted: open.sums.reverted,
    validators,
    milestones: readMilestones(open),
    adopted: isAdopted(open),
  };
}

function supersedes(claim: Claim, before: Claim): boolean {
  if (claim.counter !== before.counter) return claim.counter > before.counter;
  return claim.adoption === 'reverted' && before.adoption === 'attested';
}

function shift(
  open: AdoptionTally,
  adoption: Claim['adoption'],
  stake: bigint,
  heads: bigint,
): void {
  const sum = open.sums[adoption];
  open.sums[adoption] = { stake: sum.stake + stake, heads: sum.heads + heads };
}

/** An identity without stake is no head: such ones cost nothing to make. */
function headsOf(stake: bigint): bigint {
  return stake > 0n ? 1n : 0n;
}
