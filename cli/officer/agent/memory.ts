import type { FindBeacon } from '../../../protocol/embargo/beacon.ts';
import { openDraft } from '../../../protocol/embargo/draft.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parsePlan, type Plan } from '../../../protocol/plan/plan.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { beaconFinder } from '../../client/beacon.ts';
import { openMirrors, type Mirror } from '../../client/mirror.ts';
import { CliError, InterruptedError } from '../../errors.ts';
import { readInputFile } from '../../home/files.ts';
import { accessKeyOf } from '../sealing/drafts.ts';
import { MAX_DRAFT_BYTES } from '../sealing/sealed-dir.ts';
import type { OfficerSession } from '../session.ts';

/** What an agent keeps in memory, and nowhere else. */
export interface AgentMemory {
  /** Where to publish besides the server, whatever the campaign. */
  readonly mirrors: readonly Mirror[];
  /** Where else, by campaign: what its plan names. */
  readonly planned: Map<string, readonly Mirror[]>;
  /** Revision of each campaign's plan that `done` and `said` are about. */
  readonly revisions: Map<string, number>;
  /** Where what is time-locked is opened. */
  readonly findBeacon: FindBeacon;
  /** What was said last of each campaign whose shares are at hand, `<campaign>`. */
  readonly said: Map<string, string>;
  /** Reminders that were given: each once. */
  readonly reminded: Set<string>;
  /** Access keys by the recipient in the plan, from the drafts given at the start. */
  readonly accessKeys: ReadonlyMap<string, string>;
  /** What was signed, `<campaign> <key> <plan digest>`: the same goes everywhere. */
  readonly signed: Map<string, Envelope>;
  /** What is out at the server, `<campaign> <key>`, and at mirrors, `<campaign> <key> <mirror>`. */
  readonly done: Set<string>;
  /** The last directive, and the root, up to which a mirror was brought them, by `<campaign> decisions <mirror>`. */
  readonly mirrored: Map<string, string>;
  /** When to look at a campaign's mirrors again, Unix ms, unless another directive than this is known. */
  readonly mirrorsDue: Map<string, { readonly directive: string | null; readonly at: number }>;
  /** T0 of each campaign that waits for it, Unix ms. */
  readonly waiting: Map<string, number>;
  /** Campaigns that the server says it has opened, for as long as it says so. */
  readonly opened: Set<string>;
  /** The last trouble told, by what it is about: the same is not told every second. */
  readonly troubles: Map<string, string>;
}

/** An agent's memory at its start. Of a draft only the access key is kept. */
export async function startAgent(
  { keys, context }: OfficerSession,
  drafts: readonly string[],
  mirrors: readonly Mirror[] = [],
  beacons: readonly string[] = [],
): Promise<AgentMemory> {
  const accessKeys = new Map<string, string>();
  for (const path of drafts) {
    const draft = await openDraft(await readInputFile(path, MAX_DRAFT_BYTES), keys.ageIdentity);
    accessKeys.set(parsePlan(draft.plan).accessRecipient, await accessKeyOf(draft));
  }
  return {
    mirrors,
    planned: new Map(),
    revisions: new Map(),
    findBeacon: beaconFinder(context, beacons),
    accessKeys,
    said: new Map(),
    reminded: new Set(),
    signed: new Map(),
    done: new Set(),
    mirrored: new Map(),
    mirrorsDue: new Map(),
    waiting: new Map(),
    opened: new Set(),
    troubles: new Map(),
  };
}

/** Every mirror for what is of one campaign. */
export function mirrorsOf({ mirrors, planned }: AgentMemory, campaign: string): readonly Mirror[] {
  return [...mirrors, ...(planned.get(campaign) ?? [])];
}

/** Publish to the mirrors of a verified plan too, those left out that the agent has anyway. */
export function learnMirrors(
  { context }: OfficerSession,
  { mirrors, planned }: AgentMemory,
  { campaign, mirrors: named = [] }: Pick<Plan, 'campaign' | 'mirrors'>,
): void {
  const known = new Set(mirrors.map(({ name }) => name));
  const others = named.filter((name) => !known.has(name));
  planned.set(campaign, openMirrors(context, others));
}

/** Another revision is published anew: its shares are others, or lie elsewhere. */
export function followRevision(
  { revisions, done, said }: AgentMemory,
  { campaign, revision }: Pick<Plan, 'campaign' | 'revision'>,
): void {
  if (revisions.get(campaign) === revision) return;
  if (revisions.has(campaign)) {
    for (const name of done) if (name.startsWith(`${campaign} `)) done.delete(name);
    said.delete(campaign);
  }
  revisions.set(campaign, revision);
}

/** What troubles about the clock are told as. */
export const CLOCK = ' clock';

/** Whether something could not be looked after; a clock that is off is told and no failure. */
export function hasTroubles({ troubles }: AgentMemory): boolean {
  return [...troubles.keys()].some((about) => about !== CLOCK);
}

/**
 * Tell what went wrong, once until it changes. The agent goes on.
 *
 * @param about - A campaign, and what of it; empty for the server as a whole.
 * @throws What is neither a person's trouble nor a wrong answer; {@link InterruptedError}.
 */
export function tellTrouble(
  { context }: OfficerSession,
  { troubles }: AgentMemory,
  about: string,
  error: unknown,
): void {
  if (context.signal.aborted || error instanceof InterruptedError) throw new InterruptedError();
  if (!(error instanceof CliError) && !(error instanceof ProtocolError)) throw error;
  const advice = error instanceof CliError && error.advice ? `; ${error.advice}` : '';
  const [id = ''] = about.split(' ');
  const text = `${id === '' ? '' : `${id}: `}${error.message}${advice}`;
  if (troubles.get(about) === text) return;
  troubles.set(about, text);
  context.out.warn(text);
}
