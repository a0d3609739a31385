import type { Plan } from '../plan/plan.ts';
import { bindIdentities, type Bindings } from '../stake/bindings.ts';
import type { Milestone } from '../stake/milestone.ts';
import type { StakeSnapshot } from '../stake/snapshot.ts';
import {
  addStatement,
  openTally,
  readMilestones,
  readTally,
  type AdoptionStatement,
  type Tally,
} from '../stake/tally.ts';
import type { Enrolment } from '../statement/enrolment.ts';
import { indented } from './derived.ts';

/** What is counted, each thing with its place in the log. */
export interface AdoptionInputs {
  readonly snapshot: StakeSnapshot;
  readonly milestones: readonly Milestone[];
  /** By leaf. */
  readonly enrolments: readonly { readonly index: number; readonly enrolment: Enrolment }[];
  /** By leaf. */
  readonly statements: readonly {
    readonly index: number;
    readonly acceptedAt: string;
    readonly statement: AdoptionStatement;
  }[];
}

/** When a milestone was first reached: with which leaf, and when that was accepted. */
export interface Reached {
  readonly index: number;
  readonly acceptedAt: string;
}

export interface Adoption {
  readonly tally: Tally;
  readonly bindings: Bindings;
  /** By milestone's name; those never reached are missing. What was reached stays reached. */
  readonly reached: ReadonlyMap<string, Reached>;
}

/**
 * Count adoption again, in the order of the log, so that everybody finds the same statement to be
 * the one that passed the gate.
 *
 * A validator that enrols anew while the campaign runs changes who speaks for it: from that leaf on
 * all is counted under the new bindings.
 */
export function replayAdoption(inputs: AdoptionInputs): Adoption {
  const { snapshot, milestones, enrolments, statements } = inputs;
  const reached = new Map<string, Reached>();
  let enrolled = 0;
  const rebind = (before: number): Bindings | undefined => {
    const first = enrolled;
    while ((enrolments[enrolled]?.index ?? Infinity) < before) enrolled += 1;
    if (enrolled === first && first > 0) return undefined;
    return bindIdentities(enrolments.slice(0, enrolled).map(({ enrolment }) => enrolment));
  };

  let bindings: Bindings = new Map();
  let open = openTally(snapshot, bindings, milestones);
  for (const [i, { index, acceptedAt, statement }] of statements.entries()) {
    const changed = rebind(index);
    if (changed !== undefined) {
      bindings = changed;
      open = openTally(snapshot, bindings, milestones);
      for (const before of statements.slice(0, i)) addStatement(open, before.statement);
    }
    addStatement(open, statement);
    for (const milestone of readMilestones(open)) {
      if (!milestone.reached || reached.has(milestone.name)) continue;
      reached.set(milestone.name, { index, acceptedAt });
    }
  }
  return { tally: readTally(open), bindings, reached };
}

/** `tally.json`: the count in full, stake in base units as decimal text. */
export function tallyJson(
  plan: Plan,
  { tally, bindings, reached }: Adoption,
  snapshot: StakeSnapshot,
): Uint8Array {
  return indented({
    campaign: plan.campaign,
    revision: plan.revision,
    snapshot: plan.snapshot,
    totalStake: String(tally.total.stake),
    attestedStake: String(tally.attested.stake),
    revertedStake: String(tally.reverted.stake),
    milestones: plan.milestones.map((milestone) => ({
      ...milestone,
      reachedAt: reached.get(milestone.name)?.acceptedAt ?? null,
    })),
    validators: [...tally.validators].map(([identity, state]) => ({
      identity,
      stake: String(snapshot.stakes.get(identity) ?? 0n),
      state,
      operator: bindings.get(identity) ?? null,
    })),
  });
}
