import type { Caller } from '../caller.ts';
import type { Campaign } from './campaign.ts';

/** Which campaigns each caller may see, by id. */
export interface Visibility {
  isVisible(id: string, caller: Caller): boolean;
  /** Whether a plan, in force or proposed, asks this firm for a review. */
  isAsked(id: string, firm: string): boolean;
  /** A campaign is new, or has changed. */
  update(campaign: Campaign): void;
  /** An operator has been written to about a campaign, and may see it from now on. */
  addRecipient(id: string, operator: string): void;
}

/**
 * Officers see every campaign, everybody those that are disclosed, operators those that have been
 * armed or that they were written to about. A reviewer sees what everybody sees: whoever is asked for
 * a review was handed the draft, and needs nothing but to answer.
 *
 * An id is looked for in sets of what this caller may see, and in no other. So what is hidden from
 * somebody is missed in the same places as what does not exist, and takes as long.
 */
export function openVisibility(): Visibility {
  const all = new Set<string>();
  const disclosed = new Set<string>();
  const armed = new Set<string>();
  const writtenTo = new Map<string, Set<string>>();
  const asked = new Map<string, Set<string>>();

  return {
    isVisible(id, caller) {
      if (caller?.role === 'officer') return all.has(id);
      if (disclosed.has(id)) return true;
      if (caller?.role !== 'operator') return false;
      return armed.has(id) || writtenTo.get(caller.id)?.has(id) === true;
    },
    isAsked: (id, firm) => asked.get(firm)?.has(id) === true,
    update({ state, armedAt, plans }) {
      const { campaign: id } = state;
      all.add(id);
      // Neither is ever taken back.
      if (state.status === 'disclosed') disclosed.add(id);
      if (armedAt !== null) armed.add(id);
      for (const { plan } of plans.values()) {
        for (const firm of plan.policy.reviews.by) {
          asked.set(firm, (asked.get(firm) ?? new Set()).add(id));
        }
      }
    },
    addRecipient(id, operator) {
      const known = writtenTo.get(operator) ?? new Set();
      writtenTo.set(operator, known.add(id));
    },
  };
}
