import { combine } from 'shamir-secret-sharing';
import { equalBytes, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { KeyName } from '../plan/key-name.ts';
import type { Plan } from '../plan/plan.ts';
import { thresholdOf } from '../plan/splits.ts';
import { recipientOf } from './age.ts';
import { verifyShare, type OfficerShare, type Share } from './share.ts';

/** A share that did not count, and why. `reason` never holds a part of the share. */
export interface BadShare {
  readonly officer: string;
  readonly reason: string;
}

/**
 * Combine published shares into the key.
 *
 * Every share is checked against the plan on its own, so a bad one is named and left out, and the
 * key is checked against the plan's recipient. One officer counts once.
 *
 * @param shares - Untrusted, in any order, also repeated; `officer` is who published it.
 * @returns The key's identity, and the shares that did not count.
 * @throws {@link ProtocolError} `threshold_unmet` with fewer officers' good shares than the plan
 *   asks for (the message names the officers whose shares were bad); `key_mismatch` when the
 *   shares are those of the plan but the key is not.
 */
export async function combineShares(
  shares: readonly OfficerShare[],
  plan: Plan,
  key: KeyName,
): Promise<{ key: string; bad: BadShare[] }> {
  const good = new Map<string, Share>();
  const bad: BadShare[] = [];
  for (const { officer, document } of shares) {
    try {
      good.set(officer, verifyPlannedShare(document, plan, key, officer));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      bad.push({ officer, reason: error.message });
    }
  }
  const threshold = thresholdOf(plan, key);
  if (good.size < threshold) {
    const names = [...new Set(bad.map(({ officer }) => officer))].sort().join(', ');
    const message = `${good.size} of ${threshold} shares of the ${key} key`;
    throw new ProtocolError(
      'threshold_unmet',
      names === '' ? message : `${message}; bad: ${names}`,
    );
  }
  const parts = [...good.values()].slice(0, threshold);
  return { key: await combineParts(parts, recipientIn(plan, key)), bad };
}

/**
 * Check that a share is the one the plan gives to `officer` for `key`.
 *
 * @throws {@link ProtocolError} `share_invalid` or `commitment_mismatch`.
 */
export function verifyPlannedShare(
  document: Uint8Array,
  plan: Plan,
  key: KeyName,
  officer: string,
): Share {
  const planned = plan.shares.find((share) => share.key === key && share.officer === officer);
  if (planned === undefined) {
    throw new ProtocolError(
      'share_invalid',
      `no share of the ${key} key is planned for this officer`,
    );
  }
  const share = verifyShare(document, planned.sha256);
  const total = plan.shares.filter((other) => other.key === key).length;
  const isPlanned =
    share.campaign === plan.campaign &&
    share.key === key &&
    share.officer === officer &&
    share.threshold === thresholdOf(plan, key) &&
    share.total === total;
  if (!isPlanned) throw new ProtocolError('share_invalid', 'share contradicts the plan');
  return share;
}

/**
 * Check that any t of these shares, t as the plan says, make the key, and one fewer do not.
 *
 * It is enough to exchange the last of the first t shares for each of the others: a share that lies
 * off the polynomial moves its value at zero, so every share is on it if the key never changes. Two of them
 * at one coordinate are one share, though, with which two holders count once.
 *
 * @param shares - All shares of `key`, each already checked by {@link verifyPlannedShare}.
 * @throws {@link ProtocolError} `key_mismatch`; `share_invalid` when fewer shares would do.
 */
export async function checkSplit(
  shares: readonly Share[],
  plan: Plan,
  key: KeyName,
): Promise<void> {
  const threshold = thresholdOf(plan, key);
  if (new Set(shares.map(({ share }) => share.at(-1))).size !== shares.length) {
    throw new ProtocolError('key_mismatch', 'two shares are at one coordinate');
  }
  const fixed = shares.slice(0, threshold - 1);
  for (const last of shares.slice(threshold - 1)) {
    await combineParts([...fixed, last], recipientIn(plan, key));
  }
  const last = shares.at(-1);
  const identity = last && utf8Encode(await combineParts([...fixed, last], recipientIn(plan, key)));
  const fewer =
    fixed.length > 1
      ? await combine(fixed.map(({ share }) => share))
      : fixed[0]?.share.slice(0, -1);
  if (!identity || !fewer || equalBytes(identity, fewer)) {
    throw new ProtocolError('share_invalid', 'the key opens with fewer shares than the plan says');
  }
}

function recipientIn(plan: Plan, key: KeyName): string {
  return key === 'closing' ? plan.closingRecipient : plan.releaseRecipient;
}

async function combineParts(shares: readonly Share[], recipient: string): Promise<string> {
  try {
    const secret = await combine(shares.map(({ share }) => share));
    const identity = new TextDecoder().decode(secret);
    if ((await recipientOf(identity)) === recipient) return identity;
  } catch {
    // Two shares with one coordinate, or a text that is no identity: both say the same thing.
  }
  throw new ProtocolError('key_mismatch', 'the shares do not make the key of this recipient');
}
