import type { CampaignState } from '../../protocol/campaign/campaign.ts';
import type { Action } from '../../protocol/campaign/transitions.ts';
import { openSignatures } from '../../protocol/embargo/bundle.ts';
import type { Draft } from '../../protocol/embargo/draft.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { CliError, ProblemError } from '../errors.ts';
import { mailOperators, type MailKind, type MailingResult } from './mailing.ts';
import { gatherSignatures, sealGathered, verifySignatures } from './plaintext-signatures.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/** What the officer who completes a move still has to do, or what came of it. */
export type Completion =
  | { readonly work: 'none' }
  | { readonly work: 'signatures'; readonly people: readonly string[] }
  | { readonly work: 'mails'; readonly mails: MailingResult };

/** The moves that leave work behind, and the mails that two of them are about. */
const MAILS: Partial<Record<Action, MailKind>> = { notify: 'notice', disclose: 'closing' };

/** Whether completing a move takes the plaintext. */
export function needsDraft(action: Action): boolean {
  return action === 'commit' || MAILS[action] !== undefined;
}

/**
 * Do what follows from a completed move. Run again after an interruption, it does the rest.
 *
 * @param standing - After the move.
 */
export async function completeMove(
  session: OfficerSession,
  standing: Standing,
  action: Action,
  draft: Draft,
): Promise<Completion> {
  if (action === 'commit') return uploadSignatures(session, standing, draft);
  const kind = MAILS[action];
  if (kind === undefined) return { work: 'none' };
  return { work: 'mails', mails: await mailOperators(session, kind, draft, standing.plan) };
}

/** Merge the officers' signatures over the plaintext into the second age file, unless it is there. */
async function uploadSignatures(
  session: OfficerSession,
  { plan, planRoot, state, attachments, revisions, directives }: Standing,
  draft: Draft,
): Promise<Completion> {
  const { client, context } = session;
  const existing = await findSignatures(session, state);
  if (existing !== undefined) {
    const signatures = await openSignatures(existing, draft.releaseKey);
    await verifySignatures(signatures, draft, plan, planRoot, context.now());
    return { work: 'signatures', people: [] };
  }
  const now = context.now();
  // What others handed in with an earlier revision is none of this one's.
  const { people = [] } = directives[(revisions.at(-1)?.sequence ?? 0) - 1] ?? {};
  const own = attachments.filter(({ officer }) => people.includes(officer));
  const gathered = await gatherSignatures(own, draft, plan, planRoot, now);
  for (const { officer, reason } of gathered.rejected) {
    context.out.warn(`the plaintext signatures of ${officer} do not hold: ${reason}`);
  }
  await client.putSignatures(plan.campaign, state.plan, await sealGathered(gathered, plan));
  return { work: 'signatures', people: gathered.people };
}

async function findSignatures(
  { client }: OfficerSession,
  { campaign, plan }: CampaignState,
): Promise<Uint8Array | undefined> {
  try {
    return await client.signatures(campaign, plan);
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return undefined;
    throw error;
  }
}

/** Check the second age file before arming, as far as there is a draft to open it with. */
export async function checkStoredSignatures(
  session: OfficerSession,
  { plan, planRoot, state }: Standing,
  draft: Draft,
): Promise<void> {
  const stored = await findSignatures(session, state);
  if (stored === undefined) {
    throw new CliError(
      "the officers' signatures over the plaintext are not uploaded",
      `run: sealdrop commit ${plan.campaign} --draft FILE`,
    );
  }
  const { context } = session;
  const signatures = await openSignatures(stored, draft.releaseKey);
  await verifySignatures(signatures, draft, plan, planRoot, context.now());
}

/** Say what was done, in words. */
export function tellCompletion({ context }: OfficerSession, completion: Completion): void {
  if (completion.work === 'signatures') {
    const { people } = completion;
    context.out.line(
      people.length === 0
        ? 'the signatures over the plaintext are uploaded already'
        : `the signatures over the plaintext are uploaded: ${people.join(', ')}`,
    );
  } else if (completion.work === 'mails') {
    const { kind, sent, known, operators, unreachable } = completion.mails;
    context.out.line(
      `${kind} mails: ${sent} handed over now, ${known} before, of ${operators} operators` +
        (unreachable.length === 0 ? '' : `; ${unreachable.length} cannot be written to`),
    );
  }
}

/** Refuse to disclose on a tally that this machine does not count out. */
export function requireGate(adopted: boolean, detail: string): void {
  if (adopted) return;
  throw new ProtocolError(
    'transition_refused',
    `adoption as counted here does not reach the gate: ${detail}`,
  );
}
