import { verifyEd25519 } from '../../platform/ed25519.ts';
import type { CampaignState } from '../../protocol/campaign/campaign.ts';
import { MOVES } from '../../protocol/campaign/transitions.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { open, seal } from '../../protocol/embargo/age.ts';
import { combineShares, type KeyName, type OfficerShare } from '../../protocol/embargo/share.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { signEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { encodePublication, verifyPublicationUnder } from '../../protocol/statement/share.ts';
import { readEnvelope } from '../client/envelope.ts';
import { ProblemError } from '../errors.ts';
import type { OwnShares } from './custody.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/**
 * Whether an officer's share may be out, by verified directives and our own clock.
 *
 * @param now - Unix ms.
 */
export function isDue(key: KeyName, state: CampaignState, now: number): boolean {
  if (key === 'release') {
    if (state.status === 'aborted' || state.status === 'withdrawn') return false;
    return state.released || (state.status === 'armed' && now >= parseTime(state.releaseTime));
  }
  if (state.status === 'disclosed') return true;
  const mayDisclose = MOVES.some((it) => it.by === 'latest-date' && it.from.includes(state.status));
  return mayDisclose && now >= parseTime(state.latestDisclosure);
}

/**
 * Sign our share for publication: of the release key encrypted to those who hold the notice, of the
 * closing key in clear.
 */
export async function signShare(
  { keys }: Pick<OfficerSession, 'keys'>,
  plan: Plan,
  key: KeyName,
  shares: OwnShares,
): Promise<Envelope> {
  const document = shares[key];
  const sealed = key === 'release' ? await seal(document, [plan.accessRecipient]) : document;
  const payload = encodePublication({
    kind: 'share',
    key,
    commitment: sha256Hex(document),
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    officer: keys.id,
    sealed,
  });
  return signEnvelope(payload, keys.signer);
}

/**
 * Combine the shares that are out and sign the key itself, in the same wrapping, so that stock `age`
 * is enough for an operator.
 *
 * @param accessKey - What the shares are encrypted to, from the notice.
 * @throws {@link ProtocolError} `threshold_unmet` when too few of the shares are good.
 */
export async function signReleaseKey(
  session: OfficerSession,
  { plan, roots }: Pick<Standing, 'plan' | 'roots'>,
  accessKey: string,
): Promise<Envelope> {
  const { context, keys } = session;
  const { key, bad } = await combineShares(
    await openShares(session, { plan, roots }, accessKey),
    plan,
    'release',
  );
  for (const { officer, reason } of bad) {
    context.out.warn(`the share of ${officer} is bad: ${reason}`);
  }
  const payload = encodePublication({
    kind: 'release-key',
    recipient: sha256Hex(utf8Encode(plan.releaseRecipient)),
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    officer: keys.id,
    sealed: await seal(utf8Encode(`${key}\n`), [plan.accessRecipient]),
  });
  return signEnvelope(payload, keys.signer);
}

/** Whether the release key is out, from whichever officer. */
export async function isReleaseKeyOut(
  { client }: OfficerSession,
  { plan, roots }: Pick<Standing, 'plan' | 'roots'>,
): Promise<boolean> {
  try {
    const envelope = readEnvelope(await client.releaseKey(plan.campaign));
    verifyPublicationUnder(envelope, verifyEd25519, roots, plan);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && (error.status === 425 || error.status === 404)) {
      return false;
    }
    throw error;
  }
}

async function openShares(
  { client, context }: OfficerSession,
  { plan, roots }: Pick<Standing, 'plan' | 'roots'>,
  accessKey: string,
): Promise<readonly OfficerShare[]> {
  const documents: OfficerShare[] = [];
  for (const json of await client.shares(plan.campaign)) {
    try {
      const publication = verifyPublicationUnder(readEnvelope(json), verifyEd25519, roots, plan);
      if (publication.kind !== 'share' || publication.key !== 'release') continue;
      const { officer, sealed } = publication;
      documents.push({ officer, document: await open(sealed, accessKey) });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      context.out.warn(`a share that is out cannot be used: ${error.message}`);
    }
  }
  return documents;
}
