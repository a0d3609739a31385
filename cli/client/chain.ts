import { directivesResponse } from '../../protocol/api.ts';
import type { CampaignState } from '../../protocol/campaign/campaign.ts';
import { checkPlan, parsePlan, type Plan } from '../../protocol/campaign/plan.ts';
import { equalBytes, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { verifyCompleted, type CompletedDirectives } from './directives.ts';
import type { Trust } from './trust.ts';
import { CliError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Home } from '../home/home.ts';

/** The officers' decisions about a campaign, verified from the pinned root on. */
export interface Chain {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly state: CampaignState;
  /** The root under which the plan was committed to. */
  readonly root: TrustRoot;
  readonly completed: CompletedDirectives;
}

const completedShape = directivesResponse.shape.completed;
const MAX_DIRECTIVES_BYTES = 4_194_304;

/**
 * Verify plan and directives, and remember how far the campaign has come.
 *
 * @param store - Keeps them, before they are remembered.
 * @throws {@link ProtocolError} for anything that does not follow, also when this home has seen the
 *   campaign further along.
 */
export async function verifyChain(
  home: Home,
  trust: Trust,
  id: string,
  planBytes: Uint8Array,
  completed: CompletedDirectives,
  store?: () => Promise<void>,
): Promise<Chain> {
  const plan = parsePlan(planBytes);
  if (plan.campaign !== id) throw new ProtocolError('plan_invalid', `the plan is not of ${id}`);
  const { directives, state } = await verifyCompleted(
    home,
    trust,
    plan,
    planBytes,
    completed,
    store && { store },
  );
  const root = trust.roots.get(directives[0]?.rootVersion ?? 0);
  if (root === undefined) {
    throw new ProtocolError('threshold_unmet', `the officers have not committed to ${id} yet`);
  }
  checkPlan(plan, root);
  return { plan, planBytes, state, root, completed };
}

/** Keep a verified chain for when there is no server. */
export async function saveChain(
  directory: CampaignDirectory,
  { planBytes, completed }: Pick<Chain, 'planBytes' | 'completed'>,
): Promise<void> {
  const files = {
    'plan.txt': planBytes,
    'directives.json': utf8Encode(`${JSON.stringify(completed)}\n`),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const kept = await directory.find(name);
    if (kept === undefined || !equalBytes(kept, bytes)) await directory.write(name, bytes);
  }
}

/** The chain that `prefetch` kept, verified again. */
export async function loadChain(
  home: Home,
  trust: Trust,
  directory: CampaignDirectory,
): Promise<Chain> {
  const planBytes = await directory.find('plan.txt');
  const directives = await directory.find('directives.json');
  if (planBytes === undefined || directives === undefined) {
    throw new CliError(
      `nothing of ${directory.campaign} was prefetched here`,
      `run: sealdrop prefetch ${directory.campaign}`,
    );
  }
  const json = parseJson(directives, MAX_DIRECTIVES_BYTES);
  const completed = parseShape(completedShape, json, 'encoding_invalid', 'directives.json');
  return verifyChain(home, trust, directory.campaign, planBytes, completed);
}
