import type { Revision, VerifiedChain } from '../../protocol/campaign/chain.ts';
import { parsePlan, type Plan } from '../../protocol/plan/plan.ts';
import type { Files } from '../../protocol/embargo/tar.ts';
import { equalBytes, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Client } from './client.ts';
import {
  decodeCompleted,
  DIRECTIVES_FILE,
  verifyCompleted,
  type CompletedDirectives,
} from './directives.ts';
import { fetchPlans, type PlanFiles } from './plans.ts';
import type { Trust } from './trust.ts';
import { CliError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Home } from '../home/home.ts';

/** What a home keeps of a campaign's decisions; nothing of it is believed. */
export interface ChainFiles {
  readonly plans: PlanFiles;
  readonly completed: CompletedDirectives;
}

/** The officers' decisions about a campaign, verified from the pinned root on. */
export interface Chain extends VerifiedChain, ChainFiles {
  /** The plan in force, and its bytes. */
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  /** The root under which it was put in force. */
  readonly root: TrustRoot;
  /** By which all of it was verified: perhaps newer than what a command has started with. */
  readonly trust: Trust;
}

/** The revisions that bring the patch in force, earliest first: only the wording of others differs. */
export function samePatch({
  plan,
  revisions,
}: Pick<Chain, 'plan' | 'revisions'>): readonly Revision[] {
  return revisions.filter((it) => it.plan.releaseRecipient === plan.releaseRecipient);
}

/** The revisions whose closing key is that of the plan in force, earliest first. */
export function sameClosingKey({
  plan,
  revisions,
}: Pick<Chain, 'plan' | 'revisions'>): readonly Revision[] {
  return revisions.filter((it) => it.plan.closingRecipient === plan.closingRecipient);
}

/**
 * Verify plans and directives, and remember how far the campaign has come.
 *
 * @param store - Keeps them, before they are remembered.
 * @throws {@link ProtocolError} for anything that does not follow, also when this home has seen the
 *   campaign further along.
 */
export async function verifyChain(
  home: Home,
  trust: Trust,
  id: string,
  { plans, completed }: ChainFiles,
  store?: () => Promise<void>,
): Promise<Chain> {
  const [first] = plans;
  if (parsePlan(first).campaign !== id) {
    throw new ProtocolError('plan_invalid', `the plan is not of ${id}`);
  }
  const options = store && { store };
  const verified = await verifyCompleted(home, trust, plans, completed, options);
  const inForce = verified.revisions.at(-1);
  if (inForce === undefined) {
    throw new ProtocolError('threshold_unmet', `the officers have not committed to ${id} yet`);
  }
  const { plan, bytes: planBytes, root } = inForce;
  return { ...verified, plan, planBytes, root, trust, plans, completed };
}

/**
 * The decisions as the server has them by now, verified and kept.
 *
 * @param known - Plans at hand, which are not asked for again.
 */
export async function fetchChain(
  source: ChainSource,
  id: string,
  known?: readonly Uint8Array[],
): Promise<Chain> {
  const { completed } = await source.client.directives(id);
  return readChain(source, id, completed, known);
}

/** As {@link fetchChain}. Where the server has nothing else, what was verified is not verified again. */
export async function renewChain(source: ChainSource, stored: Chain): Promise<Chain> {
  const { campaign } = stored.plan;
  const { completed } = await source.client.directives(campaign);
  if (JSON.stringify(completed) === JSON.stringify(stored.completed)) return stored;
  return readChain(source, campaign, completed, stored.plans);
}

interface ChainSource {
  readonly client: Client;
  readonly home: Home;
  readonly trust: Trust;
}

async function readChain(
  { client, home, trust }: ChainSource,
  id: string,
  completed: CompletedDirectives,
  known?: readonly Uint8Array[],
): Promise<Chain> {
  const files = { plans: await fetchPlans(client, id, completed, known), completed };
  return verifyChain(home, trust, id, files, () => saveChain(home.campaign(id), files));
}

/** A chain as files by name: the directives last, as they name the plans. */
export function encodeChain({ plans, completed }: ChainFiles): Files {
  return new Map([
    ...plans.map((bytes, i): [string, Uint8Array] => [planName(i + 1), bytes]),
    [DIRECTIVES_FILE, utf8Encode(`${JSON.stringify(completed)}\n`)],
  ]);
}

/**
 * Read a chain from its files. Nothing of it is verified.
 *
 * @param find - A file by name.
 * @returns `undefined` unless there are directives and a plan.
 * @throws {@link ProtocolError} `encoding_invalid`, `too_large`.
 */
export async function decodeChain(
  find: (name: string) => Promise<Uint8Array | undefined>,
): Promise<ChainFiles | undefined> {
  const [first, ...later] = await findPlans(find);
  const directives = await find(DIRECTIVES_FILE);
  if (first === undefined || directives === undefined) return undefined;
  return { plans: [first, ...later], completed: decodeCompleted(directives) };
}

/** Keep a verified chain for when there is no server. */
export async function saveChain(directory: CampaignDirectory, files: ChainFiles): Promise<void> {
  for (const [name, bytes] of encodeChain(files)) {
    const kept = await directory.find(name);
    if (kept === undefined || !equalBytes(kept, bytes)) await directory.write(name, bytes);
  }
}

/** Whether a chain is kept here. */
export async function hasChain(directory: CampaignDirectory): Promise<boolean> {
  return (await directory.find(planName(1))) !== undefined;
}

/** The chain that was kept, verified again. */
export async function loadChain(
  home: Home,
  trust: Trust,
  directory: CampaignDirectory,
): Promise<Chain> {
  const files = await decodeChain((name) => directory.find(name));
  if (files === undefined) {
    throw new CliError(
      `nothing of ${directory.campaign} was prefetched here`,
      `run: sealdrop prefetch ${directory.campaign}`,
    );
  }
  return verifyChain(home, trust, directory.campaign, files);
}

/** The plans that are kept here, first revision first. */
export function keptPlans(directory: CampaignDirectory): Promise<readonly Uint8Array[]> {
  return findPlans((name) => directory.find(name));
}

async function findPlans(
  find: (name: string) => Promise<Uint8Array | undefined>,
): Promise<readonly Uint8Array[]> {
  const plans: Uint8Array[] = [];
  for (let revision = 1; ; revision += 1) {
    const bytes = await find(planName(revision));
    if (bytes === undefined) return plans;
    plans.push(bytes);
  }
}

/** What a plan is called in a home: `plan.txt`, then `plan.r2.txt` and so on. */
const planName = (revision: number): string =>
  revision === 1 ? 'plan.txt' : `plan.r${revision}.txt`;
