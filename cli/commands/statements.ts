import { documentDigest } from '../../protocol/commitment/document.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { loadChain, type Chain } from '../client/chain.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { argument, findOption, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { newestChain } from '../operator/newest-chain.ts';
import { loadNotice, supersededError } from '../operator/notice.ts';
import { findReleaseKeyHere } from '../operator/release-key.ts';
import { say, type Saying } from '../operator/say.ts';
import { openToSpeak, type SpeakerSession } from '../operator/session.ts';
import { chooseVariant } from '../operator/variant.ts';

const ID = [{ name: 'id', description: 'campaign id' }];
const REASON = { flag: '--reason <text>', description: 'why, in one line', required: true };

export const ackCommand: Command = {
  name: 'ack',
  group: 'operator',
  summary: 'Acknowledge a verified notice',
  args: ID,
  example: 'sealdrop ack SDX-2026-7KQ4',
  run: async (input, context) => sayAboutNotice(context, argument(input, 0), { kind: 'ack' }),
};

export const readyCommand: Command = {
  name: 'ready',
  group: 'operator',
  summary: 'Say that somebody will be there at T0',
  args: ID,
  example: 'sealdrop ready SDX-2026-7KQ4',
  run: async (input, context) => sayAboutNotice(context, argument(input, 0), { kind: 'ready' }),
};

export const declineCommand: Command = {
  name: 'decline',
  group: 'operator',
  summary: 'Say that you will not take part, and why',
  args: ID,
  options: [REASON],
  example: 'sealdrop decline SDX-2026-7KQ4 --reason "we run another client"',
  run: async (input, context) =>
    sayAboutNotice(context, argument(input, 0), { kind: 'decline', ...reasonOf(input) }),
};

export const attestCommand: Command = {
  name: 'attest',
  group: 'operator',
  summary: 'Say that your validators run the patch',
  args: ID,
  options: [{ flag: '--variant <name>', description: 'client variant that they run' }],
  example: 'sealdrop attest SDX-2026-7KQ4 --variant agave',
  async run(input, context) {
    const id = argument(input, 0);
    const session = await openToSpeak(context);
    const directory = session.home.campaign(id);
    const { plan } = await patchInForce(session, directory);
    const variant = chooseVariant(plan, findOption(input, 'variant'));
    if ((await findReleaseKeyHere(directory, plan)) === undefined) {
      throw new CliError(
        `the patch of ${id} was not opened here`,
        `run: sealdrop fetch ${id} --variant ${variant}, apply it, and attest then`,
      );
    }
    await finish(session, { campaign: id, kind: 'attest', ...releaseOf(plan), variant });
  },
};

export const revertCommand: Command = {
  name: 'revert',
  group: 'operator',
  summary: 'Take back an attestation, because the patch no longer runs',
  args: ID,
  options: [REASON],
  example: 'sealdrop revert SDX-2026-7KQ4 --reason "rolled back after a crash"',
  async run(input, context) {
    const id = argument(input, 0);
    const session = await openToSpeak(context);
    const { plan } = await patchInForce(session, session.home.campaign(id));
    await finish(session, { campaign: id, kind: 'revert', ...releaseOf(plan), ...reasonOf(input) });
  },
};

/**
 * The decisions as the server has them by now, or as they are kept here while it does not answer.
 *
 * @throws {@link WithdrawnError} when what was opened here has been superseded.
 */
async function patchInForce(session: SpeakerSession, directory: CampaignDirectory): Promise<Chain> {
  const stored = await loadChain(session.home, session.trust, directory);
  const chain = await newestChain(session, stored);
  warnOfServerCustody(session.context.out, chain.plan);
  if ((await findReleaseKeyHere(directory, chain.plan)) !== undefined) return chain;
  for (const { plan } of chain.revisions.slice(0, -1)) {
    if ((await findReleaseKeyHere(directory, plan)) === undefined) continue;
    throw supersededError(plan, chain.plan);
  }
  return chain;
}

const reasonOf = (input: Parameters<Command['run']>[0]): { reason: string } => ({
  reason: findOption(input, 'reason') ?? '',
});

function releaseOf({ documents, revision }: Plan): Pick<Saying, 'subject' | 'revision'> {
  const subject = documents.find(({ name }) => name === 'release.txt');
  if (subject === undefined) throw new Error('a checked plan has a release.txt');
  return { subject, revision };
}

async function sayAboutNotice(
  context: Context,
  campaign: string,
  saying: Omit<Saying, 'campaign' | 'subject'>,
): Promise<void> {
  const session = await openToSpeak(context);
  const { notice, serverCustody } = await loadNotice(session.home.campaign(campaign));
  if (serverCustody !== undefined) context.out.warnOnce(`${campaign}: ${serverCustody}`);
  const subject = { name: 'notice.txt', sha256: documentDigest(notice) };
  await finish(session, { campaign, subject, ...saying });
}

async function finish(session: SpeakerSession, saying: Saying): Promise<void> {
  const { statement, receipt } = await say(session, saying);
  const { out } = session.context;
  const validators = statement.validators.length;
  out.line(
    `${saying.kind}: accepted for ${validators} ${validators === 1 ? 'validator' : 'validators'}`,
  );
  out.note(`receipt ${receipt}`);
  out.summary({
    campaign: saying.campaign,
    kind: saying.kind,
    validators: statement.validators,
    counter: statement.counter,
    checkpoint: statement.checkpoint,
    receipt,
  });
}
