import { verifyEd25519 } from '../../platform/ed25519.ts';
import { verifyDirectives, type VerifiedChain } from '../../protocol/campaign/chain.ts';
import { parsePlan } from '../../protocol/plan/plan.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Ed25519PublicKey } from '../../protocol/signature/ed25519.ts';
import type { Home } from '../home/home.ts';
import type { CampaignMemory } from '../home/state.ts';
import type { DirectivesView } from './client.ts';
import { readEnvelope } from './envelope.ts';
import type { PlanFiles } from './plans.ts';
import type { Trust } from './trust.ts';

/** Completed directives with the time of their last signature, as the server lists them. */
export type CompletedDirectives = DirectivesView['completed'];

/**
 * Verify a campaign's directives from the pinned root on, and remember how far it has come.
 *
 * Once a campaign was seen by this home, further directives need the newest root.
 *
 * @param plans - Every plan that the directives speak of.
 * @param options.store - Keeps plans and directives, before they are remembered.
 * @param options.own - Signing key of this home's officer, who has verified what it signed.
 * @throws {@link ProtocolError} as `verifyDirectives`; `transition_refused` when this home has seen
 *   the campaign further along, `directives_forked` when another directive under the same number.
 */
export async function verifyCompleted(
  home: Home,
  trust: Trust,
  [first, ...laterPlans]: PlanFiles,
  completed: CompletedDirectives,
  { store, own }: { readonly store?: () => Promise<void>; readonly own?: Ed25519PublicKey } = {},
): Promise<VerifiedChain> {
  const plan = parsePlan(first);
  const seen = (await home.state.read()).campaigns[plan.campaign];
  const chain = verifyDirectives(
    plan,
    first,
    completed.map(({ envelope }) => readEnvelope(envelope)),
    trust.roots,
    verifyEd25519,
    {
      laterPlans,
      at: completed.map(({ completedAt }) => parseInstant(completedAt)),
      ...(seen && { known: seen.sequence }),
      ...(own !== undefined && { own }),
    },
  );
  if (seen !== undefined) refuseOtherPast(seen, chain);
  const { sequence, previous, plan: digest, revision } = chain.state;
  const memory = { sequence, directive: previous, plan: digest, revision };
  await home.state.advanceCampaign(plan.campaign, memory, store);
  return chain;
}

/** What goes further than this home has seen must go on from there, not from another decision. */
function refuseOtherPast({ sequence, directive }: CampaignMemory, chain: VerifiedChain): void {
  const there = chain.directives.find((it) => it.sequence === sequence);
  if (there === undefined || there.digest === directive) return;
  throw new ProtocolError(
    'directives_forked',
    `alarm: two different directives have number ${sequence}; tell the officers`,
  );
}
