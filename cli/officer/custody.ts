import { openCustody } from '../../protocol/embargo/custody.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import { encodePlan, planDigest, type Plan } from '../../protocol/plan/plan.ts';
import { keysOf } from '../../protocol/plan/splits.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { CustodyShare } from '../client/client.ts';
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

/**
 * An officer's own share documents, opened and found to be those of the plan. With a time-lock that
 * of the release key is still locked.
 */
export type OwnShares = ReadonlyMap<KeyName, Uint8Array>;

/**
 * Where this home keeps one, encrypted to its officer as the server has it. Named by the share, so
 * that approving another plan takes nothing from the one in force.
 */
function keptName({ shares }: Plan, key: KeyName, officer: string): string {
  const share = shares.find((it) => it.key === key && it.officer === officer);
  if (share === undefined) throw new ProtocolError('share_invalid', 'the plan gives us no share');
  return `custody.${key}.${share.sha256.slice(0, 16)}.age`;
}

/**
 * Open our shares: as kept here since the last time, else as the server keeps them for us.
 *
 * They are kept encrypted, so that whoever takes this disk without the officer's key has nothing.
 *
 * @throws {@link ProtocolError} `share_invalid`, `commitment_mismatch`, `timelock_invalid` or
 *   `bundle_invalid` when one is missing, is not ours to open, or is another than the plan commits to.
 */
export async function openOwnShares(session: OfficerSession, plan: Plan): Promise<OwnShares> {
  const kept = await findKeptShares(session, plan);
  if (kept !== undefined) return kept;
  const directory = session.home.campaign(plan.campaign);
  const custody = await session.client.custody(plan.campaign, planDigest(encodePlan(plan)));
  const shares = new Map<KeyName, Uint8Array>();
  for (const key of keysOf(plan)) {
    const sealed = ownShare(custody, key, session.keys.id);
    shares.set(key, await openOwn(session, plan, key, sealed));
    await directory.writeSecret(keptName(plan, key, session.keys.id), sealed);
  }
  return shares;
}

/** Our shares from this home alone; `undefined` unless all are here and are those of the plan. */
export async function findKeptShares(
  session: OfficerSession,
  plan: Plan,
): Promise<OwnShares | undefined> {
  const directory = session.home.campaign(plan.campaign);
  const shares = new Map<KeyName, Uint8Array>();
  try {
    for (const key of keysOf(plan)) {
      const sealed = await directory.findSecret(keptName(plan, key, session.keys.id));
      if (sealed === undefined) return undefined;
      shares.set(key, await openOwn(session, plan, key, sealed));
    }
    return shares;
  } catch (error) {
    // Damaged, or the plan gives us none: the server has what belongs to it, or says so.
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function ownShare(custody: readonly CustodyShare[], key: KeyName, officer: string): Uint8Array {
  const share = custody.find((it) => it.key === key && it.officer === officer);
  if (share !== undefined) return fromBase64(share.sealed);
  throw new ProtocolError('share_invalid', `the server keeps no share of the ${key} key for us`);
}

function openOwn(
  { keys }: OfficerSession,
  plan: Plan,
  key: KeyName,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  return openCustody(sealed, keys.ageIdentity, plan, key, keys.id);
}
