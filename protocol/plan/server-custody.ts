import { ProtocolError } from '../errors.ts';
import { isServerHolder, serverHolders } from '../trust/server-holder.ts';
import type { KeyName } from './key-name.ts';

const LABEL = 'SERVER CUSTODY: ';
const ANY_SPELLING = /^\s*server\s+custody\s*:/im;

/** What of a plan says who can open. */
export interface Split {
  readonly exercise: boolean;
  readonly shareThreshold: number;
  readonly shares: readonly { readonly key: KeyName; readonly officer: string }[];
}

/** Who decides, and how many there are. */
export interface Deciders {
  readonly directiveThreshold: number;
  readonly people: { readonly size: number };
}

/** The names under which a plan gives shares to the server; none for most plans. */
export function serverHoldersOf({ shares }: Pick<Split, 'shares'>): readonly string[] {
  return shares.map(({ officer }) => officer).filter(isServerHolder);
}

/**
 * Why the server may not hold so many shares of the release key.
 *
 * Outside an exercise it holds one, two officers' are needed besides, and those who are left out of a
 * decision cannot open together with it: M + (t − 1) > n.
 *
 * @param held - How many of the shares are the server's.
 * @param deciders - Of the root; without them the last rule is left to whoever has it.
 * @returns `undefined` when it may.
 */
export function findCustodyFlaw(
  held: number,
  { exercise, shareThreshold }: Pick<Split, 'exercise' | 'shareThreshold'>,
  deciders?: Deciders,
): string | undefined {
  if (held === 0) return undefined;
  const others = shareThreshold - held;
  if (exercise) return others < 0 ? 'the server holds more shares than it takes' : undefined;
  if (held > 1) return 'the server holds more than one share, which only an exercise allows';
  if (others < 2) return 'with the share of the server fewer than two officers could open';
  if (deciders === undefined) return undefined;
  const left = deciders.people.size - deciders.directiveThreshold;
  return left < others
    ? undefined
    : 'officers who are left out of a decision could open with the share of the server';
}

/**
 * Check which shares a plan gives to the server: of the release key alone, under its names in order.
 *
 * @throws {@link ProtocolError} `plan_invalid`
 * @see docs/spec/plan.md, "The server as custodian"
 */
export function checkServerShares(plan: Split, deciders?: Deciders): void {
  const holders = serverHoldersOf(plan);
  const isOther = plan.shares.some(
    ({ key, officer }) => key !== 'release' && isServerHolder(officer),
  );
  const isNamed = holders.join() === serverHolders(holders.length).join();
  const flaw = isOther
    ? 'the server holds shares of the release key alone'
    : isNamed
      ? findCustodyFlaw(holders.length, plan, deciders)
      : 'the shares of the server are not named in order';
  if (flaw !== undefined) throw new ProtocolError('plan_invalid', flaw);
}

/** What every screen says of a plan that gives shares to the server; `undefined` of any other. */
export function serverCustodyText(plan: Split): string | undefined {
  return custodyText(serverHoldersOf(plan).length, plan.shareThreshold);
}

/** The same by numbers: how many shares are the server's, and how many open. */
export function custodyText(held: number, threshold: number): string | undefined {
  if (held === 0) return undefined;
  const others = threshold - held;
  const holds = `${LABEL}the server holds ${held} of the ${threshold} shares that open the patch`;
  if (others === 0) return `${holds}: it opens ALONE, without any officer, as only an exercise may`;
  return `${holds}: with ${others === 1 ? 'one officer’s share' : `${others} officers’ shares`} it opens`;
}

/** Whether a text has a line that a reader may take for the one of {@link custodyText}. */
export function speaksOfCustody(text: string): boolean {
  return ANY_SPELLING.test(text);
}

/**
 * What the text of a notice says of it, so that operators read it before they see the plan.
 *
 * @throws {@link ProtocolError} `document_invalid` when it says so twice, or in another spelling.
 */
export function findCustodyText(text: string): string | undefined {
  const [found, second] = text.split('\n').filter(speaksOfCustody);
  if (second !== undefined) {
    throw new ProtocolError('document_invalid', 'the notice speaks twice of what the server holds');
  }
  if (found === undefined || found.startsWith(LABEL)) return found;
  throw new ProtocolError('document_invalid', 'the notice misspells what the server holds');
}
