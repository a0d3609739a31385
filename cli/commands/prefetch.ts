import { ProtocolError } from '../../protocol/errors.ts';
import { requireQuorum } from '../log/quorum.ts';
import { openMirrors, type Mirror, type PlannedBundle } from '../client/mirror.ts';
import { refreshTargets, type TrustedTargets } from '../client/targets.ts';
import { argument, findOption, type Command } from '../command.ts';
import { CliError, TemporaryError, WithdrawnError } from '../errors.ts';
import { fetchChain, keptPlans, type Chain } from '../client/chain.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { keepCiphertext } from '../operator/ciphertext.ts';
import { requireNoticeOf, requirePublic } from '../operator/notice.ts';
import { fetchReviews, requireReviewed, tellReviews } from '../operator/reviews.ts';
import { openOperatorSession, type OperatorSession } from '../operator/session.ts';
import { askForSignatureFiles } from '../operator/signatures.ts';
import { chooseVariant } from '../operator/variant.ts';

export const prefetchCommand: Command = {
  name: 'prefetch',
  group: 'operator',
  summary: 'Fetch and verify the encrypted patch and disclosure ahead of T0; run it at any time',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [{ flag: '--variant <name>', description: 'client variant; default: the only one' }],
  example: 'sealdrop prefetch SDX-2026-7KQ4 --variant agave',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOperatorSession(context);
    const directory = session.home.campaign(id);
    const chain = await fetchArmed(session, id);
    const { plan, state } = chain;
    warnOfServerCustody(context.out, plan);
    await requireNoticeOf(directory, chain);
    const { home, client, trust } = session;
    const { checkpoint, note } = await requirePublic(context, home, client, trust, plan.commitment);
    requireQuorum(trust.root, note, context.now());
    const variant = chooseVariant(plan, findOption(input, 'variant'));
    const bundle = plan.bundles.find((each) => each.variant === variant);
    if (bundle === undefined) throw new Error('a chosen variant is in the plan');

    const targets = await refreshTargets(home, client, trust, context.now());
    requireTargets(targets, bundle);
    requireTargets(targets, plan.closingBundle);
    const mirrors = openMirrors(context, [], ...chain.revisions.map((it) => it.plan));
    await keepCiphertext(session, directory, bundle, mirrors);
    const hasSignatures = await keepSignatures(session, directory, chain, mirrors);

    const { out } = context;
    out.line(`${id}: ciphertext for ${variant} is here and verified, ${bundle.size} bytes`);
    // Last, so that whoever keeps the disclosure back does not keep the patch back with it.
    await keepCiphertext(session, directory, plan.closingBundle, mirrors);
    out.line(`and that of the disclosure, ${plan.closingBundle.size} bytes`);
    const reviews = await fetchReviews(session, directory, chain);
    tellReviews(out, reviews);
    requireReviewed(reviews);
    if (!hasSignatures) {
      throw new TemporaryError(
        'the officers’ signatures over this revision are not to be had yet; all else is here',
        'repeat the command in a minute; fetch works without, and says so',
      );
    }
    if (state.released) out.line('it is released');
    else out.line(`T0 is ${state.releaseTime}`);
    out.note(`then: sealdrop fetch ${id} --variant ${variant} --wait --out ./patch`);
    out.summary({
      campaign: id,
      variant,
      sha256: bundle.sha256,
      size: bundle.size,
      closing: plan.closingBundle.sha256,
      releaseTime: state.releaseTime,
      checkpoint: checkpoint.size,
      reviews: reviews ?? null,
    });
  },
};

function requireTargets({ bundles }: TrustedTargets, { sha256, size }: PlannedBundle): void {
  if (bundles.get(sha256) === size) return;
  throw new ProtocolError(
    'trust_invalid',
    'the officers’ signed targets do not list this bundle; tell an officer',
  );
}

/** Plans and directives from the server, verified. */
async function fetchArmed(session: OperatorSession, id: string): Promise<Chain> {
  const view = await session.client.campaign(id);
  if (view.status === 'committed' || view.status === 'notified') {
    throw new CliError(`${id} is not armed yet`, 'there is nothing to fetch; try again later');
  }
  const chain = await fetchChain(session, id, await keptPlans(session.home.campaign(id)));
  const { status } = chain.state;
  if (status === 'aborted' || status === 'withdrawn') {
    throw new WithdrawnError(`${id} is ${status}`, 'there is nothing to fetch any more');
  }
  return chain;
}

/**
 * Keep whatever is handed out as the officers' signatures, which nobody can open before T0. Those of a
 * patch that superseded another are there right after that was decided.
 *
 * @returns Whether there was anything.
 */
async function keepSignatures(
  session: OperatorSession,
  directory: CampaignDirectory,
  chain: Chain,
  mirrors: readonly Mirror[],
): Promise<boolean> {
  for await (const { keep } of askForSignatureFiles(session, directory, chain, mirrors)) {
    await keep();
    return true;
  }
  return false;
}
