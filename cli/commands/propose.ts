import { checkPlan } from '../../protocol/campaign/plan.ts';
import { toBase64 } from '../../protocol/encoding/bytes.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { argument, type Command } from '../command.ts';
import { CliError, ProblemError } from '../errors.ts';
import { checkMove } from '../officer/approval.ts';
import { completeMove, tellCompletion } from '../officer/completion.ts';
import { openOwnDraft } from '../officer/drafts.ts';
import { describeMove } from '../officer/move.ts';
import {
  bundlePath,
  readDraftFor,
  readSealed,
  type SealedDirectory,
} from '../officer/sealed-dir.ts';
import { openOfficerSession, type OfficerSession } from '../officer/session.ts';
import { signAndComplete } from '../officer/signing.ts';
import { loadStanding } from '../officer/standing.ts';

export const proposeCommand: Command = {
  name: 'propose',
  group: 'officer',
  summary: 'Upload a sealed campaign, ciphertext only, and propose to commit to it',
  args: [{ name: 'dir', description: 'sealed campaign directory' }],
  example: 'sealdrop propose ./next',

  async run(input, context) {
    const path = argument(input, 0);
    const sealed = await readSealed(path);
    const { plan, planBytes } = sealed;
    const session = await openOfficerSession(context);
    checkPlan(plan, session.trust.root);
    const ciphertext = await readDraftFor(path, session.keys.id);
    const draft = await openOwnDraft(session, ciphertext, plan, planBytes);

    await upload(session, path, sealed);
    const standing = await loadStanding(session, plan.campaign);
    if (standing.state.plan !== sealed.planDigest) {
      throw new CliError(
        `the server has another plan under ${plan.campaign}`,
        'seal under another campaign id',
      );
    }
    if (standing.directives.length > 0) {
      const completion = await completeMove(session, standing, 'commit', draft);
      context.out.line(`${plan.campaign} is committed to already`);
      tellCompletion(session, completion);
      context.out.summary({ campaign: plan.campaign, completed: true, completion });
      return;
    }
    const { pending } = standing;
    if (pending?.directive.action === 'commit' && pending.problem === undefined) {
      const { people, digest } = pending;
      if (!people.includes(session.keys.id)) {
        throw new CliError(
          `${people.join(', ')} proposed to commit to ${plan.campaign} already`,
          `run: sealdrop approve ${plan.campaign} --draft FILE`,
        );
      }
      context.out.line(`proposed already, signed by ${people.join(', ')}`);
      context.out.summary({ campaign: plan.campaign, completed: false, signed: people, digest });
      return;
    }
    const move = { action: 'commit' } as const;
    const payload = describeMove(session, standing, move);
    const { checked, companions } = await checkMove(
      session,
      standing,
      { action: 'commit', override: false },
      draft,
    );
    for (const sentence of checked) context.out.note(`checked: ${sentence}`);
    const subject = { campaign: plan.campaign, action: 'commit' } as const;
    const result = await signAndComplete(session, payload, subject, companions, draft);
    context.out.line(`commitment ${plan.commitment}, T0 ${plan.releaseTime}`);
    context.out.summary({ ...result, commitment: plan.commitment, checked });
  },
};

/** Everything the server is given: none of it can be read without an officer's key. */
async function upload(
  session: OfficerSession,
  path: string,
  { plan, planBytes, snapshot, custody }: SealedDirectory,
): Promise<void> {
  const { client, context } = session;
  if (await isKnown(session, plan.campaign)) return;
  if (parseTime(plan.releaseTime) <= context.now()) {
    throw new CliError('the release time has passed', 'set another one and seal anew');
  }
  for (const { sha256, size } of [...plan.bundles, plan.closingBundle]) {
    context.out.progress(`uploading ${size} bytes of ciphertext`);
    await client.uploadBlob(bundlePath(path, sha256), sha256);
  }
  await client.postSnapshot(snapshot);
  await client.createCampaign({
    plan: toBase64(planBytes),
    custody: custody.map(({ sealed, ...share }) => ({ ...share, sealed: toBase64(sealed) })),
  });
}

/** A campaign is created last, so one that is there has its ciphertext too. */
async function isKnown({ client }: OfficerSession, campaign: string): Promise<boolean> {
  try {
    await client.campaign(campaign);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return false;
    throw error;
  }
}
