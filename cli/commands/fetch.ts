import { signatureFiles } from '../../protocol/embargo/signature-bundle.ts';
import { officerKeysBeside } from '../../protocol/embargo/sums-signatures.ts';
import { parsePlan } from '../../protocol/plan/plan.ts';
import { keptPlans, loadChain } from '../client/chain.ts';
import { mirrorsNamed } from '../client/decisions.ts';
import { withAnswerLimit } from '../client/http.ts';
import { MIRROR_SOURCE_OPTION } from '../client/mirror-option.ts';
import { openMirrors, type Mirror } from '../client/mirror.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { onceEach } from '../client/trouble.ts';
import {
  argument,
  findOption,
  getOption,
  hasFlag,
  listOption,
  type Command,
  type Context,
} from '../command.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { openHome } from '../home/home.ts';
import { keyAsker, waitForKey } from '../operator/await-release.ts';
import { requireNoticeOf } from '../operator/notice.ts';
import { openPatch, readCiphertext } from '../operator/opening.ts';
import { saveReleaseKey } from '../operator/release-key.ts';
import { keptReviews, tellReviews } from '../operator/reviews.ts';
import { openForRelease } from '../operator/session.ts';
import { chooseVariant } from '../operator/variant.ts';
import { requireFree, writeFiles } from '../operator/write-files.ts';

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
    const reviews = await keptReviews(directory, chain);
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
