import { rename, rm } from 'node:fs/promises';
import { ProtocolError } from '../../protocol/errors.ts';
import { requireQuorum } from '../client/quorum.ts';
import { digestFile, writeVerified } from '../client/download.ts';
import { askForBundle } from '../client/mirror.ts';
import { refreshTargets } from '../client/targets.ts';
import { argument, findOption, type Command } from '../command.ts';
import {
  CliError,
  InterruptedError,
  ProblemError,
  TemporaryError,
  WithdrawnError,
} from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { hasErrorCode } from '../home/files.ts';
import { fetchChain, keptPlans, type Chain } from '../client/chain.ts';
import { requireNoticeOf, requirePublic } from '../operator/notice.ts';
import { bundleName, SIGNATURES_NAME } from '../operator/opening.ts';
import { openOperatorSession, type OperatorSession } from '../operator/session.ts';
import { chooseVariant } from '../operator/variant.ts';

export const prefetchCommand: Command = {
  name: 'prefetch',
  group: 'operator',
  summary: 'Fetch and verify the encrypted patch ahead of T0; run it again at any time',
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
    if (targets.bundles.get(bundle.sha256) !== bundle.size) {
      throw new ProtocolError(
        'trust_invalid',
        'the officers’ signed targets do not list this bundle; tell an officer',
      );
    }
    await download(session, directory, bundle, plan.mirrors ?? []);
    await directory.write(SIGNATURES_NAME, await fetchSignatures(session, chain));

    const { out } = context;
    out.line(`${id}: ciphertext for ${variant} is here and verified, ${bundle.size} bytes`);
    out.line(`T0 is ${state.releaseTime}`);
    out.note(`then: sealdrop fetch ${id} --variant ${variant} --wait --out ./patch`);
    out.summary({
      campaign: id,
      variant,
      sha256: bundle.sha256,
      size: bundle.size,
      releaseTime: state.releaseTime,
      checkpoint: checkpoint.size,
    });
  },
};

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

/** From the server, or from the first mirror of the plan that has it while the server is of no help. */
async function download(
  { client, context }: OperatorSession,
  directory: CampaignDirectory,
  bundle: { readonly sha256: string; readonly size: number },
  mirrors: readonly string[],
): Promise<void> {
  const { sha256, size } = bundle;
  const path = await directory.path(bundleName(sha256));
  try {
    const found = await digestFile(path);
    if (found.sha256 === sha256 && found.size === size) return;
    await rm(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  // What an interrupted run left of it is no use: only the whole can be verified.
  const part = `${path}.part`;
  await rm(part, { force: true });
  const sources = [
    () => client.downloadBlob(sha256, size, part),
    ...mirrors.map(
      (mirror) => () => writeVerified(() => askForBundle(context, mirror, bundle), part, bundle),
    ),
  ];
  const failures: unknown[] = [];
  for (const [i, fetchPart] of sources.entries()) {
    try {
      await fetchPart();
      await rename(part, path);
      return;
    } catch (error) {
      const isTrouble = error instanceof CliError || error instanceof ProtocolError;
      if (!isTrouble || error instanceof InterruptedError) throw error;
      failures.push(error);
      const where = i === 0 ? 'the server' : (mirrors[i - 1] ?? '');
      if (mirrors.length > 0) context.out.warn(`no ciphertext from ${where}: ${error.message}`);
    }
  }
  const [first] = failures;
  if (!(first instanceof ProblemError) || first.status !== 404) throw first;
  throw new CliError('the server does not have the ciphertext', 'tell an officer', {
    cause: first,
  });
}
