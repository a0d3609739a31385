import { findDecidersFlaw } from '../../protocol/plan/deciders.ts';
import type { Context } from '../command.ts';
import { LoginError } from '../errors.ts';
import { holdersInForce } from '../officer/custody.ts';
import { openOfficerSession, type OfficerSession } from '../officer/session.ts';
import { loadStanding } from '../officer/standing.ts';

/** What a new root means for a campaign under way. */
export interface Affected {
  readonly campaign: string;
  readonly status: string;
  /** Officers in office whose shares can come out. */
  readonly holders: readonly string[];
  readonly shareThreshold: number;
  /** Whether its last directive was signed under an older root. */
  readonly isUnconfirmed: boolean;
}

/** States from which a share may still be asked for. */
const UNDER_WAY = ['committed', 'notified', 'armed', 'released', 'adopted', 'aborted', 'withdrawn'];

/**
 * Say what the root now in force means for campaigns under way. Nothing for who is no officer in it.
 */
export async function tellAftermath(context: Context): Promise<readonly Affected[]> {
  const session = await findSession(context);
  if (session === undefined) return [];
  const affected: Affected[] = [];
  for (const { campaign } of await session.client.campaigns()) {
    const { directives, plan, planRoot, state } = await loadStanding(session, campaign).catch(
      (error: unknown) => {
        context.out.warn(`${campaign}: ${error instanceof Error ? error.message : 'unreadable'}`);
        return { directives: [], plan: undefined, planRoot: undefined, state: undefined };
      },
    );
    if (plan === undefined || !UNDER_WAY.includes(state.status)) continue;
    const it: Affected = {
      campaign,
      status: state.status,
      holders: holdersInForce(session.trust.root, planRoot),
      shareThreshold: plan.shareThreshold,
      isUnconfirmed: directives.at(-1)?.rootVersion !== session.trust.root.version,
    };
    affected.push(it);
    tell(context, it, state.releaseTime);
    const flaw = findDecidersFlaw(plan, session.trust.root);
    if (flaw !== undefined) context.out.warn(`${campaign}: ${flaw}`);
  }
  return affected;
}

function tell(
  { out }: Context,
  { campaign, status, holders, shareThreshold, isUnconfirmed }: Affected,
  releaseTime: string,
): void {
  const text = `${campaign}: ${holders.length} officers in office hold shares, it takes ${shareThreshold}`;
  if (holders.length < shareThreshold) out.warn(`${text}: it cannot be opened by them alone`);
  else out.line(text);
  if (status === 'armed' && isUnconfirmed) {
    out.note(`confirm what was decided under the old root, also if nothing moves:`);
    out.note(`sealdrop reschedule ${campaign} --release-time ${releaseTime} --reason "new root"`);
  }
}

async function findSession(context: Context): Promise<OfficerSession | undefined> {
  try {
    return await openOfficerSession(context);
  } catch (error) {
    if (error instanceof LoginError) return undefined;
    throw error;
  }
}
