import { parsePlan, planDigest, type Plan } from '../../protocol/plan/plan.ts';
import { checkPlan } from '../../protocol/plan/rules.ts';
import { openDraft, type Draft } from '../../protocol/embargo/draft.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodeReview, VERDICTS, type Verdict } from '../../protocol/statement/review.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { argument, getOption, hasFlag, type Command, type Context } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';
import { describeDraft } from '../officer/sealing/describe-draft.ts';
import { checkAgainstServer, requireOwnDraft } from '../officer/sealing/drafts.ts';
import { MAX_DRAFT_BYTES } from '../officer/sealing/sealed-dir.ts';
import { keepReceipt } from '../receipts/keep.ts';
import { openReviewerSession, type ReviewerSession } from '../reviewer/session.ts';

export const reviewCommand: Command = {
  name: 'review',
  group: 'reviewer',
  summary: 'Check a draft against the ciphertext on this machine, then sign what you found',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    {
      flag: '--draft <file>',
      description: 'the draft that an officer handed over; opened in memory only',
      required: true,
    },
    {
      flag: '--verdict <verdict>',
      description: 'sound: release it as it is; unsound: do not, which is final',
      required: true,
    },
    { flag: '--yes', description: 'sign without being asked' },
  ],
  example: 'sealdrop review SDX-2026-7KQ4 --draft acme.draft.age --verdict sound',

  async run(input, context) {
    const id = argument(input, 0);
    const verdict = readVerdict(getOption(input, 'verdict'));
    const session = await openReviewerSession(context);
    const file = await readInputFile(getOption(input, 'draft'), MAX_DRAFT_BYTES);
    const draft = await openDraft(file, session.keys.ageIdentity);
    const plan = await checkReviewed(session, id, draft);

    const { out } = context;
    out.line(`campaign          ${id}, revision ${plan.revision}`);
    out.line(`plan              ${planDigest(draft.plan)}`);
    out.line(`T0                ${plan.releaseTime}`);
    warnOfServerCustody(out, plan);
    for (const line of describeDraft(draft, plan)) out.line(line);
    out.line(
      'checked           the ciphertext on the server opens to exactly the files of the draft',
    );
    out.note('to read the artifacts: age -d -i YOUR-KEY DRAFT | tar -x');
    if (!hasFlag(input, 'yes')) await confirm(context, verdict, id);
    const receipt = await sign(session, plan, draft, verdict);
    out.line(`${session.entry.name} found the release of ${id} ${verdict}; the officers see it`);
    out.note(`receipt ${receipt}`);
    out.summary({
      campaign: id,
      firm: session.keys.id,
      verdict,
      plan: planDigest(draft.plan),
      receipt,
    });
  },
};

function readVerdict(text: string): Verdict {
  const verdict = VERDICTS.find((known) => known === text);
  if (verdict !== undefined) return verdict;
  throw new UsageError(`"${text}" is no verdict`, 'give --verdict sound or --verdict unsound');
}

/**
 * Check what a review vouches for, as an approving officer does: the plan agrees with the pinned root,
 * and the ciphertext that operators will be given opens to exactly what this draft shows.
 */
async function checkReviewed(session: ReviewerSession, id: string, draft: Draft): Promise<Plan> {
  const plan = parsePlan(draft.plan);
  if (plan.campaign !== id) throw new ProtocolError('plan_invalid', `the draft is not of ${id}`);
  checkPlan(plan, session.trust.root);
  if (!plan.policy.reviews.by.includes(session.keys.id)) {
    throw new CliError(
      `the plan of ${id} does not ask ${session.keys.id} for a review`,
      'ask the officer who handed you the draft',
    );
  }
  await requireOwnDraft(draft, plan, draft.plan);
  await checkAgainstServer(session, draft, plan);
  return plan;
}

/** Nobody signs by pressing return: the verdict has to be typed. */
async function confirm(context: Context, verdict: Verdict, id: string): Promise<void> {
  if (context.ask === undefined) {
    throw new UsageError('without a terminal nobody can be asked', 'give --yes to sign');
  }
  const answer = await context.ask(`Type "${verdict}" to sign it for ${id}: `);
  if (answer.trim() !== verdict) throw new CliError('not signed', 'nothing was sent');
}

/** @returns Where the receipt is kept. */
async function sign(
  { client, context, home, keys, trust }: ReviewerSession,
  plan: Plan,
  draft: Draft,
  verdict: Verdict,
): Promise<string> {
  const { campaign, network, revision, documents } = plan;
  const release = documents.find(({ name }) => name === 'release.txt')?.sha256;
  if (release === undefined) throw new Error('a checked plan has a release.txt');
  const digest = planDigest(draft.plan);
  const payload = encodeReview({
    release,
    campaign,
    network,
    revision,
    plan: digest,
    verdict,
    firm: keys.id,
    issuedAt: formatTime(context.now()),
  });
  const envelope = signEnvelope(payload, keys.signer);
  const answer = await client.sendReview(campaign, envelope);
  const name = `${campaign}.${digest.slice(0, 12)}.${verdict}`;
  return keepReceipt(home, trust.root, name, 'review', envelope, answer);
}
