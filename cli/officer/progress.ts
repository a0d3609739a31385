import type { ReviewStanding } from '../../protocol/campaign/reviews.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { serverCustodyText } from '../../protocol/plan/server-custody.ts';
import { isReached } from '../../protocol/stake/milestone.ts';
import type { DeliveryEntry, TallyView } from '../client/client.ts';
import { ProblemError } from '../errors.ts';
import { bar, countdown, percent } from './amounts.ts';
import { loadReviews } from './reviews.ts';
import type { OfficerSession } from './session.ts';
import { loadStanding, type Standing } from './standing.ts';

/** Where a campaign stands, with what the server counts. */
export interface Progress {
  readonly standing: Standing;
  readonly deliveries: readonly DeliveryEntry[];
  /** Absent before there is anything to count. */
  readonly tally: TallyView | undefined;
  /** Absent where the plan asks for none. */
  readonly reviews: ReviewStanding | undefined;
}

export async function loadProgress(session: OfficerSession, id: string): Promise<Progress> {
  const standing = await loadStanding(session, id);
  const deliveries = await session.client.messages(id);
  const reviews = await loadReviews(session, standing);
  return { standing, deliveries, reviews, tally: await findTally(session, id) };
}

async function findTally({ client }: OfficerSession, id: string): Promise<TallyView | undefined> {
  try {
    return await client.tally(id);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.status === 404 || error.status === 409 || error.status === 425) return undefined;
    throw error;
  }
}

/** The same as lines for a person. The tally is the server's until `disclose` counts it here. */
export function progressLines(
  { standing, deliveries, tally, reviews }: Progress,
  now: number,
): string[] {
  const { plan, state, view, pending } = standing;
  const { published, threshold } = view.shares;
  const left = parseTime(state.releaseTime) - now;
  const released = state.released && left > 0;
  const lines = [
    `${plan.campaign}  ${state.status}${plan.exercise ? '  EXERCISE' : ''}`,
    `T0         ${state.releaseTime}  ${released ? 'released ahead of it' : countdown(left)}`,
    `shares     ${published.length} out of ${threshold} needed  ${published.join(', ')}`.trimEnd(),
  ];
  const custody = serverCustodyText(plan);
  if (custody !== undefined) lines.push(custody);
  if (reviews !== undefined) lines.push(reviewsLine(reviews));
  if (plan.timelock !== undefined) {
    lines.push(`time-lock  to drand round ${plan.timelock.round}; T0 can only move later`);
  }
  for (const [kind, counts] of countDeliveries(deliveries)) {
    const states = [...counts].map(([name, count]) => `${count} ${name}`);
    lines.push(`${kind.padEnd(11)}${states.join(', ')}`);
  }
  if (tally !== undefined) {
    const attested = BigInt(tally.attestedStake ?? '0');
    const total = BigInt(tally.totalStake);
    lines.push(
      `adoption   [${bar(attested, total)}] ${percent(attested, total)} of stake, says the server`,
    );
    for (const { name, num, den, strict, reachedAt } of tally.milestones) {
      const share = `${strict ? 'more than' : 'at least'} ${num}/${den}`;
      lines.push(`           ${name}, ${share}: ${reachedAt ?? 'not yet'}`);
    }
  }
  if (pending !== undefined) {
    lines.push(`pending    ${pending.directive.action}, signed by ${pending.people.join(', ')}`);
  }
  return lines;
}

/** The same for a program. */
export function progressSummary({ standing, deliveries, tally, reviews }: Progress): object {
  const { plan, state, view, pending } = standing;
  return {
    campaign: plan.campaign,
    exercise: plan.exercise,
    status: state.status,
    releaseTime: state.releaseTime,
    latestDisclosure: state.latestDisclosure,
    releasedAt: view.releasedAt,
    supermajorityAt: view.supermajorityAt,
    disclosedAt: view.disclosedAt,
    opened: view.opened,
    shares: view.shares,
    serverCustody: serverCustodyText(plan) ?? null,
    breakGlass: { ...view.breakGlass, state: state.breakGlass },
    deliveries: Object.fromEntries(
      [...countDeliveries(deliveries)].map(([kind, counts]) => [kind, Object.fromEntries(counts)]),
    ),
    adoption: tally && {
      attestedStake: tally.attestedStake,
      totalStake: tally.totalStake,
      attestedPercent: tally.attestedPercent,
      milestones: tally.milestones,
    },
    reviews,
    pending: pending && { action: pending.directive.action, signed: pending.people },
  };
}

function reviewsLine({ required, sound, unsound, missing }: ReviewStanding): string {
  const silent = missing.length === 0 ? '' : `; nothing yet from ${missing.join(', ')}`;
  const against = unsound.length === 0 ? '' : `; UNSOUND says ${unsound.join(', ')}`;
  return `reviews    ${sound.length} out of ${required} needed  ${sound.join(', ')}${against}${silent}`;
}

/** How many lamports more the gate takes; 0n once it is reached. */
export function missingStake(plan: Standing['plan'], attested: bigint, total: bigint): bigint {
  const gate = plan.milestones.find(({ action }) => action === 'gate');
  if (gate?.weight !== 'stake' || isReached(gate, attested, total)) return 0n;
  const [num, den] = [BigInt(gate.num), BigInt(gate.den)];
  const least = (total * num) / den;
  const isExact = least * den === total * num;
  return (isExact && !gate.strict ? least : least + 1n) - attested;
}

function countDeliveries(
  deliveries: readonly DeliveryEntry[],
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const kinds = new Map<string, Map<string, number>>();
  for (const { kind, state } of deliveries) {
    const counts = kinds.get(kind) ?? new Map<string, number>();
    counts.set(state, (counts.get(state) ?? 0) + 1);
    kinds.set(kind, counts);
  }
  return kinds;
}
