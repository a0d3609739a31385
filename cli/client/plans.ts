import { parsePlan, planDigest, type Plan } from '../../protocol/plan/plan.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseDirective } from '../../protocol/campaign/directive.ts';
import type { Client, DirectivesView } from './client.ts';
import { readEnvelope } from './envelope.ts';

/** The exact bytes of plans, first revision first. At least one. */
export type PlanFiles = readonly [Uint8Array, ...Uint8Array[]];

/**
 * Every plan that directives speak of, from the server where this home has not got it. Before the
 * first directive: the one that was uploaded.
 *
 * Nothing is verified but that each is what the directives name: see `verifyChain`.
 *
 * @param known - Plans at hand.
 * @throws {@link ProtocolError} `plan_invalid` for another one, or one of another campaign.
 */
export async function fetchPlans(
  client: Client,
  id: string,
  completed: DirectivesView['completed'],
  known: readonly Uint8Array[] = [],
): Promise<PlanFiles> {
  const named = await namedPlans(id, completed, known, (digest) => fetchPlan(client, id, digest));
  if (named !== undefined) return named;
  const uploaded = await client.plan(id);
  planOf(uploaded, id);
  return [uploaded];
}

/**
 * The plans that directives speak of and no others, by revision; `undefined` without directives.
 *
 * @param known - Plans at hand.
 * @param find - Asked for the others, by digest.
 * @throws {@link ProtocolError} `plan_invalid` for one of another campaign.
 */
export async function namedPlans(
  id: string,
  completed: DirectivesView['completed'],
  known: readonly Uint8Array[],
  find: (digest: string) => Promise<Uint8Array>,
): Promise<PlanFiles | undefined> {
  const digests = new Set(
    completed.map(({ envelope }) => parseDirective(readEnvelope(envelope).payload).plan),
  );
  const atHand = new Map(known.map((bytes) => [planDigest(bytes), bytes]));
  const plans: { bytes: Uint8Array; plan: Plan }[] = [];
  for (const digest of digests) {
    const bytes = atHand.get(digest) ?? (await find(digest));
    plans.push({ bytes, plan: planOf(bytes, id) });
  }
  plans.sort((a, b) => a.plan.revision - b.plan.revision);
  const [first, ...later] = plans.map(({ bytes }) => bytes);
  return first && [first, ...later];
}

/** @throws {@link ProtocolError} `plan_invalid` when the server hands out another one. */
export async function fetchPlan(client: Client, id: string, digest: string): Promise<Uint8Array> {
  const bytes = await client.plan(id, digest);
  if (planDigest(bytes) === digest) return bytes;
  throw new ProtocolError(
    'plan_invalid',
    'the server hands out another plan than it was asked for',
  );
}

function planOf(bytes: Uint8Array, id: string): Plan {
  const plan = parsePlan(bytes);
  if (plan.campaign === id) return plan;
  throw new ProtocolError('plan_invalid', `the plan is not of ${id}`);
}
