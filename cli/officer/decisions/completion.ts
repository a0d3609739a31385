import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Revision } from '../../../protocol/campaign/chain.ts';
import type { VerifiedDirective } from '../../../protocol/campaign/directive.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { openSignatures } from '../../../protocol/embargo/signature-bundle.ts';
import { CliError, ProblemError, UsageError } from '../../errors.ts';
import { closingMail, noticeMail, turnMail } from '../mail/mail-texts.ts';
import { mailOperators, type MailContent, type MailingResult } from '../mail/mailing.ts';
import { bringDecisions, bringSignatures } from '../mirroring.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import { countAdoption } from './local-tally.ts';
import { gatherSignatures, sealGathered, verifySignatures } from './plaintext-signatures.ts';

/** What the officer who completes a move still has to do, or what came of it. */
export interface Completion {
  /** Whose signatures over the plaintext were uploaded; none when they are there already. */
  readonly signatures?: readonly string[];
  readonly mails?: readonly MailingResult[];
  /** Those that have what was decided, where a plan names any. */
  readonly mirrors?: readonly string[];
}

/** Whether completing a move takes the plaintext; `leaked` does without when there is no time. */
export function needsDraft(action: Action): boolean {
  return ['commit', 'supersede', 'notify', 'disclose'].includes(action);
}

/**
 * Do what follows from a completed move. Run again after an interruption, it does the rest.
 *
 * @param standing - After the move.
 * @throws {@link UsageError} when the draft is needed and missing.
 */
export async function completeMove(
  session: OfficerSession,
  standing: Standing,
  action: Action,
  draft: Draft | undefined,
): Promise<Completion> {
  // First, as mirrors are what is left when the server goes while the rest is done.
  const mirrors = await bringDecisions(session, standing);
  const decided = standing.directives.findLast((it) => it.action === action);
  const signatures =
    action === 'commit' || action === 'supersede'
      ? await uploadSignatures(session, standing, required(draft, action))
      : undefined;
  const contents =
    decided === undefined
      ? disclosedByDate(standing, action, draft)
      : await mailsAfter(session, standing, decided, draft);
  const mails: MailingResult[] = [];
  for (const content of contents) mails.push(await mailOperators(session, content));
  return {
    ...(signatures && { signatures }),
    ...(mails.length > 0 && { mails }),
    ...(mirrors.length > 0 && { mirrors }),
  };
}

/** At the latest date a campaign is disclosed without a directive, and operators hear of it too. */
function disclosedByDate(
  standing: Standing,
  action: Action,
  draft: Draft | undefined,
): readonly MailContent[] {
  const { state } = standing;
  if (action !== 'disclose' || state.status !== 'disclosed') return [];
  return [closingMail(required(draft, action), standing, state.sequence)];
}

/** What every operator is told of a move. Of a campaign that nobody was told of, nothing. */
async function mailsAfter(
  session: OfficerSession,
  standing: Standing,
  decided: VerifiedDirective,
  draft: Draft | undefined,
): Promise<readonly MailContent[]> {
  const { plan, directives, revisions } = standing;
  const { action, from, sequence } = decided;
  const upToHere = directives.filter((it) => it.sequence <= sequence);
  const isTold = upToHere.some((it) => it.action === 'notify' || it.action === 'arm');
  if (!isTold) return [];
  const count = decided.override === true ? await countAdoption(session, plan) : undefined;
  const turn = turnMail(plan, releaseTimeBefore(upToHere, revisions), decided, count);
  const notice = (): MailContent => noticeMail(required(draft, action), plan, sequence);
  const closing = (): MailContent => closingMail(required(draft, action), standing, sequence);
  switch (action) {
    case 'arm':
      return [];
    case 'notify':
      return [notice()];
    case 'disclose':
      return [...(decided.override === true ? [turn] : []), closing()];
    case 'leaked':
      if (draft === undefined) {
        session.context.out.note('closing mails: run the command with --draft FILE');
      }
      return [turn, ...(draft === undefined ? [] : [closing()])];
    case 'supersede':
      return [turn, notice()];
    case 'commit':
      // From `armed` on the notice stays as it is.
      return from === 'armed' || from === 'released' ? [turn] : [turn, notice()];
    case 'reschedule':
    case 'withdraw':
    case 'abort':
      return [turn];
  }
}

/** T0 as it stood before the last directive. */
function releaseTimeBefore(
  directives: readonly VerifiedDirective[],
  revisions: readonly Revision[],
): string {
  let releaseTime = '';
  for (const { action, from, sequence, releaseTime: moved } of directives.slice(0, -1)) {
    const revision = revisions.find((it) => it.sequence === sequence);
    const isWording = action === 'commit' && (from === 'armed' || from === 'released');
    if (moved !== undefined) releaseTime = moved;
    else if (revision !== undefined && !isWording) ({ releaseTime } = revision.plan);
  }
  return releaseTime;
}

function required(draft: Draft | undefined, action: Action): Draft {
  if (draft !== undefined) return draft;
  throw new UsageError(`what follows from ${action} needs the draft`, 'give --draft FILE');
}

/** Merge the officers' signatures over the plaintext into the second age file, unless it is there. */
async function uploadSignatures(
  session: OfficerSession,
  standing: Standing,
  draft: Draft,
): Promise<readonly string[]> {
  const { client, context } = session;
  const { plan, planRoot, state, attachments, revisions, directives } = standing;
  const existing = await findSignatures(session, state);
  if (existing !== undefined) {
    const signatures = await openSignatures(existing, draft.releaseKey);
    await verifySignatures(signatures, draft, plan, planRoot, context.now());
    await bringSignatures(session, standing, existing);
    return [];
  }
  const now = context.now();
  // What others handed in with an earlier revision is none of this one's.
  const { people = [] } = directives[(revisions.at(-1)?.sequence ?? 0) - 1] ?? {};
  const own = attachments.filter(({ officer }) => people.includes(officer));
  const gathered = await gatherSignatures(own, draft, plan, planRoot, now);
  for (const { officer, reason } of gathered.rejected) {
    context.out.warn(`the plaintext signatures of ${officer} do not hold: ${reason}`);
  }
  const sealed = await sealGathered(gathered, plan);
  await client.putSignatures(plan.campaign, state.plan, sealed);
  await bringSignatures(session, standing, sealed);
  return gathered.people;
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

/** The second age file as the server has it, checked as far as there is a draft to open it with. */
export async function verifyStoredSignatures(
  session: OfficerSession,
  { plan, planRoot, state }: Standing,
  draft: Draft,
): Promise<Uint8Array> {
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
  return stored;
}

/** Say what was done, in words. */
export function tellCompletion(
  { context }: OfficerSession,
  { signatures, mails = [], mirrors = [] }: Completion,
): void {
  if (signatures !== undefined) {
    context.out.line(
      signatures.length === 0
        ? 'the signatures over the plaintext are uploaded already'
        : `the signatures over the plaintext are uploaded: ${signatures.join(', ')}`,
    );
  }
  for (const name of mirrors) context.out.note(`what was decided is at ${name}`);
  for (const { kind, sent, known, operators, unreachable } of mails) {
    context.out.line(
      `${kind} mails: ${sent} handed over now, ${known} before, of ${operators} operators` +
        (unreachable.length === 0 ? '' : `; ${unreachable.length} cannot be written to`),
    );
  }
}
