import type { Plan } from '../../protocol/campaign/plan.ts';
import { open } from '../../protocol/embargo/age.ts';
import { verifyPlannedShare, type KeyName } from '../../protocol/embargo/share.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { OfficerSession } from './session.ts';

/**
 * The officers of a plan whose shares can still come out: those who are officers now, with the age
 * key that their share was encrypted to.
 *
 * @param root - The newest.
 * @param planRoot - Under which the plan was put in force.
 * @returns Ids, sorted.
 */
export function holdersInForce(root: TrustRoot, planRoot: TrustRoot): readonly string[] {
  return [...planRoot.people.values()]
    .filter(({ id, age }) => root.people.get(id)?.age === age)
    .map(({ id }) => id)
    .sort();
}

/** Whether this officer was given shares when the plan was made, and can still open them. */
export function isHolder({ keys, trust }: OfficerSession, planRoot: TrustRoot): boolean {
  return holdersInForce(trust.root, planRoot).includes(keys.id);
}

/** An officer's own share documents, opened and found to be those of the plan. */
export type OwnShares = Readonly<Record<KeyName, Uint8Array>>;

/**
 * Open the shares that the server keeps for us.
 *
 * @throws {@link ProtocolError} `share_invalid`, `commitment_mismatch` or `bundle_invalid` when one
 *   is missing, is not ours to open, or is another than the plan commits to.
 */
export async function openOwnShares(session: OfficerSession, plan: Plan): Promise<OwnShares> {
  const { client, keys } = session;
  const custody = await client.custody(plan.campaign);
  const own = async (key: KeyName): Promise<Uint8Array> => {
    const share = custody.find((it) => it.key === key && it.officer === keys.id);
    if (share === undefined) {
      throw new ProtocolError(
        'share_invalid',
        `the server keeps no share of the ${key} key for us`,
      );
    }
    const document = await open(fromBase64(share.sealed), keys.ageIdentity);
    verifyPlannedShare(document, plan, key, keys.id);
    return document;
  };
  return { release: await own('release'), closing: await own('closing') };
}
