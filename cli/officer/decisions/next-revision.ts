import type { Action } from '../../../protocol/campaign/transitions.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import { findOption, hasFlag, type Input, type OptionSpec } from '../../command.ts';
import { UsageError } from '../../errors.ts';
import { openOwnDraft } from '../sealing/drafts.ts';
import { readDraftFor, readSealed } from '../sealing/sealed-dir.ts';
import { uploadCampaign } from '../sealing/upload.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import type { Move } from './move.ts';

export const REVISION_OPTION: OptionSpec = {
  flag: '--revision <dir>',
  description: 'directory in which the next revision is sealed (seal DIR --after DRAFT)',
};

/**
 * The next revision, sealed in the folder that was named; uploaded, and our draft of it opened. Of the
 * one that is in force already, only the draft.
 */
export async function findRevision(
  input: Input,
  session: OfficerSession,
  standing: Standing,
  action: Action,
): Promise<{ move?: Pick<Move, 'revised' | 'to'>; draft: Draft } | undefined> {
  const path = findOption(input, 'revision');
  if (path === undefined) return undefined;
  const sealed = await readSealed(path);
  const { plan, planBytes } = sealed;
  if (plan.campaign !== standing.plan.campaign) {
    throw new UsageError(`${path} is of another campaign, ${plan.campaign}`);
  }
  checkPlan(plan, session.trust.root);
  const ciphertext = await readDraftFor(path, session.keys.id);
  const draft = await openOwnDraft(session, ciphertext, plan, planBytes);
  if (sealed.planDigest === standing.state.plan) return { draft };
  refuseUnlikely(input, path, plan, standing, action);
  await uploadCampaign(session, path, sealed, standing.plan);
  const to = hasFlag(input, 'now') ? ({ to: 'released' } as const) : {};
  return { move: { revised: { plan, planBytes }, ...to }, draft };
}

/** Before anything is uploaded: what would be refused afterwards, said so that it can be helped. */
function refuseUnlikely(
  input: Input,
  path: string,
  plan: Plan,
  { plan: before, state: { status } }: Standing,
  action: Action,
): void {
  if (plan.revision !== before.revision + 1) {
    throw new UsageError(
      `${path} is revision ${plan.revision}; ${before.revision + 1} is next`,
      `seal it after the draft of revision ${before.revision}: seal DIR --after DRAFT`,
    );
  }
  const isArmed = status === 'armed' || status === 'released';
  if (action === 'commit' && isArmed && plan.releaseRecipient !== before.releaseRecipient) {
    throw new UsageError(
      `${path} is another patch, and the campaign is ${status}: a commit brings another disclosure only`,
      'seal it with --wording; another patch takes supersede, once the first one is released',
    );
  }
  if ((findOption(input, 'reason') ?? '').trim() === '') {
    throw new UsageError('a revision needs a reason', 'give --reason TEXT');
  }
}
