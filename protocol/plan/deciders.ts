import { ProtocolError } from '../errors.ts';
import {
  checkServerShares,
  findCustodyFlaw,
  serverHoldersOf,
  type Deciders,
  type Split,
} from './server-custody.ts';

/**
 * Why a plan may not be armed by those who decide by now: others than when it was put in force, perhaps
 * more of them, while it takes as few shares as before.
 *
 * People of the root who are left out of a decision must be too few to open against it: M + t > n. With
 * a share of the server {@link findCustodyFlaw} asks for more.
 *
 * @returns `undefined` when it may.
 */
export function findDecidersFlaw(plan: Split, deciders: Deciders): string | undefined {
  const held = serverHoldersOf(plan).length;
  const flaw = findCustodyFlaw(held, plan, deciders);
  if (flaw !== undefined) return flaw;
  const { directiveThreshold: m, people } = deciders;
  if (m + plan.shareThreshold > people.size) return undefined;
  const left = people.size - m;
  return (
    'officers who are left out of a decision could open the patch: ' +
    `${m} of ${people.size} decide, which leaves ${left} out, and ${plan.shareThreshold} shares open it`
  );
}

/**
 * How many people at least must decide under a root of so many for a plan to be armed.
 *
 * @returns For {@link findDecidersFlaw} to find nothing.
 */
export function fewestDeciders(plan: Split, { people }: Pick<Deciders, 'people'>): number {
  const held = plan.exercise ? 0 : serverHoldersOf(plan).length;
  return people.size - (plan.shareThreshold - held) + 1;
}

/** @throws {@link ProtocolError} `plan_invalid` as {@link checkServerShares} and {@link findDecidersFlaw}. */
export function checkDeciders(plan: Split, deciders: Deciders): void {
  checkServerShares(plan, deciders);
  const flaw = findDecidersFlaw(plan, deciders);
  if (flaw !== undefined) throw new ProtocolError('plan_invalid', flaw);
}
