import { commitmentDigest, verifyOpening } from '../../protocol/commitment/commitment.ts';
import { documentDigest } from '../../protocol/commitment/document.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { findCustodyText } from '../../protocol/plan/server-custody.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import { readAccessKey } from '../../protocol/embargo/notice.ts';
import { utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { refreshCheckpoint, verifyLogged, type SeenCheckpoint } from '../log/checkpoint.ts';
import type { Chain } from '../client/chain.ts';
import type { Client } from '../client/client.ts';
import type { Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { CliError, ProblemError, TemporaryError, WithdrawnError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Home } from '../home/home.ts';

/** A notice that is the one committed to. */
export interface VerifiedNotice {
  readonly campaign: string;
  /** What it says of shares that the server holds; officers have checked it against the plan. */
  readonly serverCustody: string | undefined;
  readonly commitment: string;
}

/**
 * Check a notice against its list, and read whose campaign it is of.
 *
 * @param list - The bytes of `COMMITMENT`; whether it is public is for {@link requirePublic}.
 * @throws {@link ProtocolError} `commitment_mismatch`, `document_invalid`.
 */
export function verifyNotice(notice: Uint8Array, list: Uint8Array): VerifiedNotice {
  const commitment = commitmentDigest(list);
  const { campaign, body } = verifyOpening(commitment, list, 'notice.txt', notice);
  return { campaign, commitment, serverCustody: findCustodyText(utf8Decode(body)) };
}

/** A commitment is in the log with the next checkpoint, by default within a minute. */
const LOGGED_WITHIN_MS = 90_000;
const LOGGED_PAUSE_MS = 500;

/**
 * Require that a commitment is in the public log, by an inclusion proof under a checkpoint that
 * extends what this home has seen. One that was accepted just now is waited for.
 *
 * @returns That checkpoint.
 * @throws {@link ProtocolError} `commitment_mismatch` when the log has no such commitment;
 *   {@link TemporaryError} when the server has accepted it and does not log it.
 */
export async function requirePublic(
  context: Pick<Context, 'out' | 'sleep'>,
  home: Home,
  client: Client,
  { root }: Trust,
  commitment: string,
): Promise<SeenCheckpoint> {
  const leafIndex = await awaitLogged(context, client, commitment);
  const seen = await refreshCheckpoint(home, client, root);
  const leaf = utf8Encode(formatLeaf({ type: 'commitment', sha256: commitment }));
  await verifyLogged(client, seen.checkpoint, leafIndex, leaf);
  return seen;
}

async function awaitLogged(
  { out, sleep }: Pick<Context, 'out' | 'sleep'>,
  client: Client,
  commitment: string,
): Promise<number> {
  for (let waited = 0; waited <= LOGGED_WITHIN_MS; waited += LOGGED_PAUSE_MS) {
    const { leafIndex } = await findCommitment(client, commitment);
    if (leafIndex !== null) return leafIndex;
    out.progress('the commitment is accepted; waiting for the next checkpoint of the log');
    await sleep(LOGGED_PAUSE_MS);
  }
  throw new TemporaryError(
    'the commitment is accepted but not in the log yet',
    'repeat the command in a minute; if it stays so, tell an officer',
  );
}

async function findCommitment(
  client: Client,
  commitment: string,
): Promise<{ leafIndex: number | null }> {
  try {
    return await client.commitment(commitment);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 404) throw error;
    throw new ProtocolError(
      'commitment_mismatch',
      `nobody has committed to ${commitment} in public: do not act on this notice`,
      { cause: error },
    );
  }
}

/** Keep a verified notice, its list, and the access key that came with it. */
export async function saveNotice(
  directory: CampaignDirectory,
  notice: Uint8Array,
  list: Uint8Array,
): Promise<void> {
  await directory.writeSecret('access.key', utf8Encode(`${await readAccessKey(notice)}\n`));
  await directory.writeSecret('notice.txt', notice);
  await directory.write('COMMITMENT', list);
}

/** What a notice left here, verified once more. */
export async function loadNotice(
  directory: CampaignDirectory,
): Promise<VerifiedNotice & { readonly notice: Uint8Array; readonly accessKey: string }> {
  const notice = await directory.findSecret('notice.txt');
  const list = await directory.find('COMMITMENT');
  if (notice === undefined || list === undefined) {
    throw new CliError(
      `no verified notice of ${directory.campaign} is here`,
      'run: sealdrop verify-notice notice.txt --list COMMITMENT, with the files from the mail',
    );
  }
  const verified = verifyNotice(notice, list);
  if (verified.campaign !== directory.campaign) {
    throw new ProtocolError('statement_invalid', 'the notice here is of another campaign');
  }
  return { ...verified, notice, accessKey: await readAccessKey(notice) };
}

/**
 * Require that the verified notice here is the one that the plan in force commits to. A new wording
 * of the disclosure leaves it as it is.
 *
 * @returns The access key that came with it.
 * @throws {@link ProtocolError} `commitment_mismatch`, `key_mismatch`; {@link WithdrawnError} when it
 *   is of a revision that is not in force any more.
 */
export async function requireNoticeOf(
  directory: CampaignDirectory,
  { plan, revisions }: Pick<Chain, 'plan' | 'revisions'>,
): Promise<string> {
  const { notice, accessKey } = await loadNotice(directory);
  const digest = documentDigest(notice);
  const isOf = ({ documents }: Plan): boolean =>
    documents.some((it) => it.name === 'notice.txt' && it.sha256 === digest);
  if (!isOf(plan)) {
    const earlier = revisions.find((it) => isOf(it.plan));
    if (earlier !== undefined) throw supersededError(earlier.plan, plan);
    throw new ProtocolError('commitment_mismatch', 'the plan belongs to another notice');
  }
  if ((await recipientOf(accessKey)) !== plan.accessRecipient) {
    throw new ProtocolError('key_mismatch', 'the access key in the notice is not that of the plan');
  }
  return accessKey;
}

/** What is here is of an earlier revision: nobody may take it for the one in force. */
export function supersededError(earlier: Plan, { campaign, revision }: Plan): WithdrawnError {
  return new WithdrawnError(
    `revision ${earlier.revision} of ${campaign} is superseded by revision ${revision}`,
    'do not apply what is here; verify the newer notice (sealdrop inbox --save DIR, then ' +
      `verify-notice), and run: sealdrop prefetch ${campaign}`,
  );
}
