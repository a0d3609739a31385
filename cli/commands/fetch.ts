import { parsePlan } from '../../protocol/plan/plan.ts';
import { signatureFiles } from '../../protocol/embargo/bundle.ts';
import { officerKeysBeside } from '../../protocol/embargo/sums-signatures.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  argument,
  findOption,
  getOption,
  hasFlag,
  listOption,
  type Command,
  type Context,
} from '../command.ts';
import { withAnswerLimit } from '../client/http.ts';
import { openMirrors, type Mirror } from '../client/mirror.ts';
import { isFork, onceEach } from '../client/trouble.ts';
import { isOverdue, overdueError, overdueText } from '../client/overdue.ts';
import { NotReleasedError, ProblemError, VerificationError, WithdrawnError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { openHome } from '../home/home.ts';
import { keptPlans, loadChain, type Chain } from '../client/chain.ts';
import { mirrorsNamed } from '../client/decisions.ts';
import { MIRROR_SOURCE_OPTION } from '../client/mirror-option.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { listenTo, newestChain } from '../operator/newest-chain.ts';
import { requireNoticeOf, supersededError } from '../operator/notice.ts';
import {
  findReleaseKey,
  isTemporary,
  openPatch,
  readCiphertext,
  saveReleaseKey,
} from '../operator/opening.ts';
import { keptReviews, tellReviews } from '../operator/reviews.ts';
import { openForRelease, type OperatorSession } from '../operator/session.ts';
import { chooseVariant } from '../operator/variant.ts';
import { requireFree, writeFiles } from '../operator/write-files.ts';

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
    MIRROR_SOURCE_OPTION,
  ],
  example: 'sealdrop fetch SDX-2026-7KQ4 --variant agave --wait --out ./patch',

  async run(input, context) {
    const id = argument(input, 0);
    const out = getOption(input, 'out');
    await requireFree(out);
    const directory = openHome(context).campaign(id);
    const given = listOption(input, 'mirror');
    const hasMirrors = (await keptMirrors(context, directory, given)).length > 0;
    const session = await openForRelease(hasMirrors ? withAnswerLimit(context) : context);
    const stored = await loadChain(session.home, session.trust, directory);
    warnOfServerCustody(context.out, stored.plan);
    const accessKey = await requireNoticeOf(directory, stored);
    const variant = chooseVariant(stored.plan, findOption(input, 'variant'));
    // Whoever has not prefetched should hear of it now, not at T0.
    await readCiphertext(directory, stored.plan, variant);
    const warn = onceEach((text) => {
      context.out.warn(text);
    });
    const ask = keyAsker(session, accessKey, given, warn);
    const { chain, key } = hasFlag(input, 'wait')
      ? await waitForKey(session, directory, stored, ask, warn)
      : await ask(stored);

    const patch = await openPatch(
      session,
      directory,
      chain,
      variant,
      key,
      mirrorsNamed(context, given, chain),
    );
    const { signatures, approvedBy } = patch;
    await writeFiles(out, [
      ...patch.files,
      ...(signatures === undefined ? [] : signatureFiles(signatures)),
      ...officerKeysBeside(patch.root),
    ]);
    await saveReleaseKey(directory, key);
    context.out.line(`patch for ${variant} verified, approved by ${approvedBy.join(', ')}`);
    if (signatures === undefined) context.out.warn(WITHOUT_SIGNATURES);
    const reviews = await keptReviews(session, directory, chain);
    tellReviews(context.out, reviews);
    for (const name of [...patch.files.keys()].sort()) context.out.line(`  ${out}/${name}`);
    context.out.note(
      `read INSTRUCTIONS.md; once it runs: sealdrop attest ${id} --variant ${variant}`,
    );
    context.out.summary({
      campaign: id,
      variant,
      out,
      files: [...patch.files.keys()].sort(),
      approvedBy,
      signatures: signatures === undefined ? 'missing' : 'verified',
      reviews: reviews ?? null,
    });
  },
};

const WITHOUT_SIGNATURES =
  'THE OFFICERS’ SIGNATURES OVER THESE FILES WERE NOT TO BE HAD. Every byte is what the plan binds that' +
  ' they put in force, as verified here; but gpg, minisign and ssh-keygen have nothing to check. Somebody' +
  ' withholds the signatures or has spoilt them: tell an officer';

/**
 * The mirrors that were given, and those of the plans that are kept here. Nothing that comes from one
 * is believed, so that the plans themselves may be verified later.
 */
async function keptMirrors(
  context: Context,
  directory: CampaignDirectory,
  given: readonly string[],
): Promise<readonly Mirror[]> {
  const plans = (await keptPlans(directory)).map(parsePlan);
  return openMirrors(context, given, ...plans);
}

interface Found {
  readonly chain: Chain;
  readonly key: string;
}

/**
 * @throws {@link NotReleasedError} while too little is published; {@link VerificationError} when that
 *   has lasted too long after T0.
 */
type Ask = (stored: Chain) => Promise<Found>;

type Warn = (text: string) => void;

function keyAsker(
  session: OperatorSession,
  accessKey: string,
  given: readonly string[],
  warn: Warn,
): Ask {
  const { context } = session;
  const hear = listenTo(session, warn);
  return async (stored) => {
    const known = mirrorsNamed(context, given, stored);
    const chain = await (known.length > 0 ? hear(stored, known) : newestChain(session, stored));
    const mirrors = mirrorsNamed(context, given, chain);
    warnOfServerCustody(context.out, chain.plan);
    const { campaign, status, releaseTime } = chain.state;
    // Never the old patch for the new one, whichever of the two was prefetched.
    if (chain.plan.releaseRecipient !== stored.plan.releaseRecipient) {
      throw supersededError(stored.plan, chain.plan);
    }
    if (status === 'aborted' || status === 'withdrawn') {
      throw new WithdrawnError(
        `${campaign} is ${status}`,
        'do not apply it; read what officers wrote',
      );
    }
    const key = await findReleaseKey(session, chain, accessKey, mirrors, warn).catch(
      (error: unknown) => {
        if (isTemporary(error) && isOverdue(releaseTime, context.now())) {
          warn(overdueText({ campaign, releaseTime, reason: 'this server does not answer' }));
        }
        throw error;
      },
    );
    if (key !== undefined) return { chain, key };
    if (isOverdue(releaseTime, context.now())) {
      const reason = 'too few officers have published their shares, by what this server shows';
      throw overdueError([{ campaign, releaseTime, reason }]);
    }
    throw notReleased(chain, context.now());
  };
}

/** Why there is no key, and what to do: before T0, after it, or where officers released without it. */
function notReleased({ state }: Chain, now: number): NotReleasedError {
  const { campaign, released, releaseTime } = state;
  const wait = 'add --wait, or repeat the command; after ten minutes call an officer';
  if (released) {
    return new NotReleasedError(`the shares of ${campaign} are to be published at once`, wait);
  }
  if (parseTime(releaseTime) > now) {
    const message = `${campaign} is not released yet: T0 is ${releaseTime}`;
    return new NotReleasedError(message, 'add --wait, or come back then');
  }
  return new NotReleasedError(
    `T0 of ${campaign} has passed, but too few officers have published their shares`,
    'repeat the command, and call an officer',
  );
}

async function waitForKey(
  session: OperatorSession,
  directory: CampaignDirectory,
  stored: Chain,
  ask: Ask,
  warn: Warn,
): Promise<Found> {
  const { context } = session;
  let chain = stored;
  for (;;) {
    try {
      return await ask(chain);
    } catch (error) {
      if (isFork(error)) throw error;
      // A server that lies now and then must not end a wait for T0: what it said is left out.
      if (error instanceof ProtocolError) warn(`an answer is refused: ${error.message}`);
      else if (error instanceof VerificationError) warn(error.message);
      else if (error instanceof ProblemError) warn(`the server refuses: ${error.message}`);
      else if (!(error instanceof NotReleasedError) && !isTemporary(error)) throw error;
    }
    chain = await loadChain(session.home, session.trust, directory);
    const { released, releaseTime } = chain.state;
    const left = released ? 0 : parseTime(releaseTime) - context.now();
    context.out.progress(left > 0 ? `T-${Math.ceil(left / 1000)} s` : 'waiting for shares');
    // Jitter keeps a thousand operators from asking in the same instant.
    const pause = left > 0 ? Math.min(left, LONG_PAUSE_MS) : SHORT_PAUSE_MS;
    await context.sleep(pause + (context.randomBytes(1)[0] ?? 0));
  }
}
