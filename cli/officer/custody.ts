import type { Plan } from '../../protocol/campaign/plan.ts';
import { open } from '../../protocol/embargo/age.ts';
import { verifyPlannedShare, type KeyName } from '../../protocol/embargo/share.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { OfficerSession } from './session.ts';

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
