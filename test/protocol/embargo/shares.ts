import { encodeDocument } from '../../../protocol/commitment/document.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import { parseShare, splitKey } from '../../../protocol/embargo/share.ts';
import type { OfficerShare } from '../../../protocol/embargo/share.ts';
import { sha256Hex, toBase64 } from '../../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../../protocol/encoding/json.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { randomHex } from './sealed-campaign.ts';

export const CAMPAIGN = 'SDX-2026-7KQ4';
export const OFFICERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];

/** The part of a plan that shares are checked against. */
export function planOf(
  shares: readonly OfficerShare[],
  threshold: number,
  recipient: string,
): Plan {
  const part: Pick<Plan, 'campaign' | 'shares' | 'shareThreshold' | 'releaseRecipient'> = {
    campaign: CAMPAIGN,
    shareThreshold: threshold,
    releaseRecipient: recipient,
    shares: shares.map(({ officer, document }) => ({
      key: 'release',
      officer,
      sha256: sha256Hex(document),
    })),
  };
  return part as Plan;
}

/** A key split among the first officers, and what the plan says of it. */
export async function split(
  threshold: number,
  total: number,
  options: { readonly campaign?: string; readonly key?: KeyName } = {},
): Promise<{ identity: string; shares: OfficerShare[]; plan: Plan }> {
  const { campaign = CAMPAIGN, key = 'release' } = options;
  const { identity, recipient } = await generateKey();
  const officers = OFFICERS.slice(0, total);
  const shares = await splitKey(identity, { key, campaign, officers, threshold });
  return { identity, shares, plan: planOf(shares, threshold, recipient) };
}

/** A share document that says something else than an honest one. */
export function forgeShare(document: Uint8Array, changes: object): Uint8Array {
  const { campaign, ...fields } = parseShare(document);
  const body = encodeJson({ ...fields, share: toBase64(fields.share), ...changes });
  return encodeDocument({ type: 'share', campaign, nonce: randomHex(), body });
}
