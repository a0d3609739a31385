import type { Action } from '../../../protocol/campaign/transitions.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { bringDecisions } from '../mirroring.ts';
import { keepDirectiveReceipt } from '../receipts.ts';
import type { OfficerSession } from '../session.ts';
import { loadStanding } from '../standing.ts';
import { completeMove, needsDraft, tellCompletion, type Completion } from './completion.ts';
import { signMove, tellProgress, type Companions } from './move.ts';

/** What a signature led to, as a summary. */
export interface SignedMove {
  readonly campaign: string;
  readonly action: Action;
  readonly completed: boolean;
  readonly signed: readonly string[];
  readonly threshold: number;
  readonly status: string;
  /** Where the log's promise for the completed directive is kept. */
  readonly receipt: string | null;
  /** What followed; `null` when somebody still has to do it. */
  readonly completion: Completion | null;
}

/** Sign a directive that has been checked and, with the signature that completes it, follow up. */
export async function signAndComplete(
  session: OfficerSession,
  payload: Uint8Array,
  move: { readonly campaign: string; readonly action: Action },
  companions: Companions,
  draft: Draft | undefined,
): Promise<SignedMove> {
  const { campaign, action } = move;
  const answer = await signMove(session, payload, move, companions);
  const { completed, signed, threshold, status } = answer;
  const receipt = completed ? await keepDirectiveReceipt(session, payload, answer.receipt) : null;
  tellProgress(session, campaign, action, answer);
  if (receipt !== null) session.context.out.note(`receipt ${receipt}`);
  const result = { campaign, action, completed, signed, threshold, status, receipt };
  if (!completed) return { ...result, completion: null };
  const standing = await loadStanding(session, campaign);
  if (needsDraft(action) && draft === undefined) {
    await bringDecisions(session, standing);
    session.context.out.warn(
      `the move is done, what follows is not: run sealdrop ${action} ${campaign} --draft FILE`,
    );
    return { ...result, completion: null };
  }
  const completion = await completeMove(session, standing, action, draft);
  tellCompletion(session, completion);
  return { ...result, completion };
}
