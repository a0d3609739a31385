import { ProtocolError } from '../../protocol/errors.ts';
import { requireQuorum } from '../client/quorum.ts';
import { openMirrors, type PlannedBundle } from '../client/mirror.ts';
import { refreshTargets, type TrustedTargets } from '../client/targets.ts';
import { argument, findOption, type Command } from '../command.ts';
import { CliError, ProblemError, TemporaryError, WithdrawnError } from '../errors.ts';
import { fetchChain, keptPlans, type Chain } from '../client/chain.ts';
import { keepCiphertext } from '../operator/ciphertext.ts';
import { requireNoticeOf, requirePublic } from '../operator/notice.ts';
import { SIGNATURES_NAME } from '../operator/opening.ts';
import { openOperatorSession, type OperatorSession } from '../operator/session.ts';
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
    const mirrors = openMirrors(context, [], plan);
    await keepCiphertext(session, directory, bundle, mirrors);
    await directory.write(SIGNATURES_NAME, await fetchSignatures(session, chain));

    const { out } = context;
    out.line(`${id}: ciphertext for ${variant} is here and verified, ${bundle.size} bytes`);
    // Last, so that whoever keeps the disclosure back does not keep the patch back with it.
    await keepCiphertext(session, directory, plan.closingBundle, mirrors);
    out.line(`and that of the disclosure, ${plan.closingBundle.size} bytes`);
    out.line(`T0 is ${state.releaseTime}`);
    out.note(`then: sealdrop fetch ${id} --variant ${variant} --wait --out ./patch`);
    out.summary({
      campaign: id,
      variant,
      sha256: bundle.sha256,
      size: bundle.size,
      closing: plan.closingBundle.sha256,
      releaseTime: state.releaseTime,
      checkpoint: checkpoint.size,
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

/** Those of a patch that superseded another are uploaded right after that was decided. */
async function fetchSignatures(
  { client }: OperatorSession,
  { plan, state }: Chain,
): Promise<Uint8Array> {
  try {
    return await client.signatures(plan.campaign, state.plan);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 404) throw error;
    throw new TemporaryError(
      'the officers have not uploaded their signatures over this revision yet',
      'repeat the command in a minute',
    );
  }
}
