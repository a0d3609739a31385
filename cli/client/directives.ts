import { directivesResponse } from '../../protocol/api/directive.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { verifyDirectives, type VerifiedChain } from '../../protocol/campaign/chain.ts';
import { parsePlan } from '../../protocol/plan/plan.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Ed25519PublicKey } from '../../protocol/signature/ed25519.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Home } from '../home/home.ts';
import type { CampaignMemory } from '../home/state.ts';
import type { DirectivesView } from './client.ts';
import { readEnvelope } from './envelope.ts';
import { keepFork } from './fork-evidence.ts';
import type { PlanFiles } from './plans.ts';
import { isFork } from './trouble.ts';
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
 *   the campaign further along, `directives_forked` when another directive under the same number: both
 *   are kept, as far as they are here.
 */
export async function verifyCompleted(
  home: Home,
  trust: Trust,
  plans: PlanFiles,
  completed: CompletedDirectives,
  options: VerifyOptions = {},
): Promise<VerifiedChain> {
  try {
    return await verifyAndRemember(home, trust, plans, completed, options);
  } catch (error) {
    if (!isFork(error)) throw error;
    const { campaign } = parsePlan(plans[0]);
    const kept = await findCompleted(home.campaign(campaign));
    throw await keepFork(home, trust, error, [...kept, ...completed]);
  }
}

/** What a home keeps in directives.json, if it can be read. Nothing of it is verified. */
async function findCompleted(directory: CampaignDirectory): Promise<CompletedDirectives> {
  try {
    const bytes = await directory.find(DIRECTIVES_FILE);
    return bytes === undefined ? [] : decodeCompleted(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}

/** What completed directives are called in a home. */
export const DIRECTIVES_FILE = 'directives.json';
const completedShape = directivesResponse.shape.completed;
const MAX_BYTES = 4_194_304;

/** @throws {@link ProtocolError} `encoding_invalid`, `too_large`. */
export function decodeCompleted(bytes: Uint8Array): CompletedDirectives {
  const json = parseJson(bytes, MAX_BYTES);
  return parseShape(completedShape, json, 'encoding_invalid', DIRECTIVES_FILE);
}

interface VerifyOptions {
  readonly store?: () => Promise<void>;
  readonly own?: Ed25519PublicKey;
}

async function verifyAndRemember(
  home: Home,
  trust: Trust,
  [first, ...laterPlans]: PlanFiles,
  completed: CompletedDirectives,
  { store, own }: VerifyOptions,
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
