import { verifyEd25519 } from '../../platform/ed25519.ts';
import { seal } from '../../protocol/embargo/age.ts';
import type { FindBeacon } from '../../protocol/embargo/beacon.ts';
import { signShare } from '../../protocol/embargo/custody.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import {
  openPublications,
  releasedThrough,
  type OpenedPublications,
  type Publication,
} from '../../protocol/embargo/publications.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { signEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { encodePublication, verifyPublicationUnder } from '../../protocol/statement/share.ts';
import { readEnvelope } from '../client/envelope.ts';
import { CliError, ProblemError } from '../errors.ts';
import type { OwnShares } from './custody.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/**
 * Sign our share for publication.
 *
 * @throws {@link CliError} while there is no beacon, or when we hold no such share.
 */
export async function signOwnShare(
  { keys }: Pick<OfficerSession, 'keys'>,
  plan: Plan,
  key: KeyName,
  shares: OwnShares,
  findBeacon: FindBeacon,
): Promise<Envelope> {
  const file = shares.get(key);
  if (file === undefined) throw new CliError(`the plan has no split of the ${key} key`);
  return signShare(keys.signer, plan, key, keys.id, file, findBeacon);
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
  const { keys } = session;
  const shares = await openShares(session, { plan, roots }, accessKey);
  const split = releasedThrough(shares, plan) ?? 'release';
  const { key } = await combineShares(shares[split], plan, split);
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
): Promise<OpenedPublications['shares']> {
  const publications: Publication[] = [];
  for (const json of await client.shares(plan.campaign)) {
    try {
      publications.push(verifyPublicationUnder(readEnvelope(json), verifyEd25519, roots, plan));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      context.out.warn(`a share that is out cannot be used: ${error.message}`);
    }
  }
  const { shares, bad } = await openPublications(publications, plan, accessKey);
  for (const { officer, of, reason } of bad) {
    context.out.warn(`the ${of} share of ${officer} is bad: ${reason}`);
  }
  return shares;
}
