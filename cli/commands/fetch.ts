import { parseTime } from '../../protocol/encoding/time.ts';
import { argument, findOption, hasFlag, type Command } from '../command.ts';
import { NotReleasedError, WithdrawnError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { loadChain, saveChain, verifyChain, type Chain } from '../operator/chain.ts';
import { loadNotice } from '../operator/notice.ts';
import { findReleaseKey, isUnreachable, openPatch } from '../operator/opening.ts';
import { openOffline, type OperatorSession } from '../operator/session.ts';
import { chooseVariant } from '../operator/variant.ts';
import { writeFiles } from '../operator/write-files.ts';

/** How often T0 and the shares are looked at: never a long timer, always the clock. */
const LONG_PAUSE_MS = 30_000;
const SHORT_PAUSE_MS = 1000;

export const fetchCommand: Command = {
  name: 'fetch',
  group: 'operator',
  summary: 'Open the prefetched patch once officers have released it, and verify every byte',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    { flag: '--out <dir>', description: 'new folder for the patch', required: true },
    { flag: '--variant <name>', description: 'client variant; default: the only one' },
    { flag: '--wait', description: 'wait for T0' },
  ],
  example: 'sealdrop fetch SDX-2026-7KQ4 --variant agave --wait --out ./patch',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOffline(context);
    const directory = session.home.campaign(id);
    const { accessKey } = await loadNotice(directory);
    const stored = await loadChain(session.home, session.trust, directory);
    const variant = chooseVariant(stored.plan, findOption(input, 'variant'));
    const { chain, key } = hasFlag(input, 'wait')
      ? await waitForKey(session, directory, stored, accessKey)
      : await askForKey(session, directory, stored, accessKey);

    const patch = await openPatch(session, directory, chain, variant, key);
    const out = findOption(input, 'out') ?? '';
    await writeFiles(out, [
      ...patch.files,
      ['SHA256SUMS.asc', patch.signatures.sums],
      ['release.intoto.json', patch.signatures.release],
    ]);
    await directory.writeSecret('release.key', `${key}\n`);
    const approved = patch.approvers.release.join(', ');
    context.out.line(`patch for ${variant} verified, approved by ${approved}`);
    for (const name of [...patch.files.keys()].sort()) context.out.line(`  ${out}/${name}`);
    context.out.note(
      `read INSTRUCTIONS.md; once it runs: sealdrop attest ${id} --variant ${variant}`,
    );
    context.out.summary({
      campaign: id,
      variant,
      out,
      files: [...patch.files.keys()].sort(),
      approvedBy: patch.approvers.release,
    });
  },
};

interface Found {
  readonly chain: Chain;
  readonly key: string;
}

/** @throws {@link NotReleasedError} while too little is published. */
async function askForKey(
  session: OperatorSession,
  directory: CampaignDirectory,
  stored: Chain,
  accessKey: string,
): Promise<Found> {
  const { context } = session;
  const chain = await newestChain(session, directory, stored);
  const { campaign, status, releaseTime } = chain.state;
  if (status === 'aborted' || status === 'withdrawn') {
    throw new WithdrawnError(
      `${campaign} is ${status}`,
      'do not apply it; read what officers wrote',
    );
  }
  const key = await findReleaseKey(session, chain, accessKey, (text) => {
    context.out.warn(text);
  });
  if (key !== undefined) return { chain, key };
  const isDue = parseTime(releaseTime) <= context.now();
  throw new NotReleasedError(
    isDue
      ? `T0 of ${campaign} has passed, but too few officers have published their shares`
      : `${campaign} is not released yet: T0 is ${releaseTime}`,
    isDue ? 'repeat the command, and call an officer' : 'add --wait, or come back then',
  );
}

async function waitForKey(
  session: OperatorSession,
  directory: CampaignDirectory,
  stored: Chain,
  accessKey: string,
): Promise<Found> {
  const { context } = session;
  let chain = stored;
  for (;;) {
    try {
      return await askForKey(session, directory, chain, accessKey);
    } catch (error) {
      if (!(error instanceof NotReleasedError) && !isUnreachable(error)) throw error;
    }
    chain = await loadChain(session.home, session.trust, directory);
    const left = parseTime(chain.state.releaseTime) - context.now();
    context.out.progress(left > 0 ? `T-${Math.ceil(left / 1000)} s` : 'waiting for shares');
    // Jitter keeps a thousand operators from asking in the same instant.
    const pause = left > 0 ? Math.min(left, LONG_PAUSE_MS) : SHORT_PAUSE_MS;
    await context.sleep(pause + ((context.randomBytes(1)[0] ?? 0) / 255) * 250);
  }
}

/** What is stored, or what the server has by now if it answers: T0 may have moved. */
async function newestChain(
  { client, home, trust }: OperatorSession,
  directory: CampaignDirectory,
  stored: Chain,
): Promise<Chain> {
  try {
    const { completed } = await client.directives(directory.campaign);
    const chain = await verifyChain(home, trust, directory.campaign, stored.planBytes, completed);
    await saveChain(directory, chain);
    return chain;
  } catch (error) {
    if (isUnreachable(error)) return stored;
    throw error;
  }
}
