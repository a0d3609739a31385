import { verifyEd25519 } from '../../platform/ed25519.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import {
  BREAK_GLASS_TEXT,
  openPublications,
  releasedThrough,
  type OpenedPublications,
  type Publication,
} from '../../protocol/embargo/publications.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { verifyPublicationUnder } from '../../protocol/statement/share.ts';
import { rootsSince } from '../../protocol/trust/chain.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { samePatch, type Chain } from '../client/chain.ts';
import type { EnvelopeJson } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import type { Mirror } from '../client/mirror.ts';
import { ProblemError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { OperatorSession } from './session.ts';
import { findPublications, type Found } from './sources.ts';

/**
 * The release key, from whatever the officers have published; `undefined` while that is too little.
 *
 * A bad share names its officer through `blame` and blocks nobody.
 *
 * @param mirrors - Asked besides the server; they will do without it.
 */
export async function findReleaseKey(
  session: OperatorSession,
  chain: Chain,
  accessKey: string,
  mirrors: readonly Mirror[],
  blame: (text: string) => void,
): Promise<string | undefined> {
  const { plan } = chain;
  const { client } = session;
  const roots = rootsSince(
    chain.trust.roots,
    samePatch(chain)[0]?.root.version ?? chain.root.version,
  );
  const read = async (found: readonly Found[]): Promise<OpenedPublications> => {
    const verified = verifyPublications(roots, plan, found, blame);
    const opened = await openPublications(verified, plan, accessKey);
    for (const { officer, of, reason } of opened.bad) {
      blame(`what ${officer} published of the ${of} is bad: ${reason}`);
    }
    return opened;
  };
  const found = await findPublications(client, mirrors, samePatch(chain), WANTED, blame);
  const { shares, releaseKey } = await read(found);
  const split = releasedThrough(shares, plan);
  if (split !== undefined) {
    if (split === 'break-glass') blame(BREAK_GLASS_TEXT);
    return (await combineShares(shares[split], plan, split)).key;
  }
  // Put together by an officer's agent from shares that may not have come this way.
  if (releaseKey !== undefined) return releaseKey;
  const json = await findPublishedKey(client, plan.campaign);
  if (json === undefined) return undefined;
  return (await read([{ source: 'the server', read: () => readEnvelope(json) }])).releaseKey;
}

/** Through either split, or as it is. */
const WANTED = ['release', 'break-glass', 'release-key'] as const;

async function findPublishedKey(
  client: OperatorSession['client'],
  campaign: string,
): Promise<EnvelopeJson | undefined> {
  try {
    return await client.releaseKey(campaign);
  } catch (error) {
    if (error instanceof ProblemError && [404, 425].includes(error.status)) return undefined;
    throw error;
  }
}

/** Officers alone publish; what anybody hands out besides is left out, and told. */
export function verifyPublications(
  roots: readonly TrustRoot[],
  plan: Plan,
  found: readonly Found[],
  blame: (text: string) => void,
): readonly Publication[] {
  return found.flatMap(({ source, read }) => {
    try {
      return [verifyPublicationUnder(read(), verifyEd25519, roots, plan)];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      blame(`${source} hands out a share that no officer published: ${error.message}`);
      return [];
    }
  });
}

/** Name of the release key there, once a patch was opened. */
const RELEASE_KEY_NAME = 'release.key';

/** Remember the key of the patch that was opened here. */
export async function saveReleaseKey(directory: CampaignDirectory, key: string): Promise<void> {
  await directory.writeSecret(RELEASE_KEY_NAME, `${key}\n`);
}

/** The release key, if the patch of this very plan was opened here. */
export async function findReleaseKeyHere(
  directory: CampaignDirectory,
  plan: Pick<Plan, 'releaseRecipient'>,
): Promise<string | undefined> {
  const bytes = await directory.findSecret(RELEASE_KEY_NAME);
  if (bytes === undefined) return undefined;
  const key = utf8Decode(bytes).trimEnd();
  return (await recipientOf(key)) === plan.releaseRecipient ? key : undefined;
}
