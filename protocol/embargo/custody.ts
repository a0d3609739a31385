import { sha256Hex } from '../encoding/bytes.ts';
import type { KeyName } from '../plan/key-name.ts';
import type { Plan } from '../plan/plan.ts';
import { findChain, timeOfRound } from '../plan/timelock.ts';
import { signEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { Signer } from '../signature/ed25519.ts';
import { encodePublication } from '../statement/share.ts';
import { open, seal } from './age.ts';
import type { FindBeacon } from './beacon.ts';
import { openLockedShare, verifyLockedShare } from './locked-share.ts';
import { verifyPlannedShare } from './planned-shares.ts';

/**
 * Open a share that waits in custody, and check that it is the one that the plan gives to its holder.
 *
 * @param sealed - age file to the holder.
 * @param identity - The holder's own age identity.
 * @returns The share document; of the release key with a time-lock the file in which it is locked.
 * @throws {@link ProtocolError} `bundle_invalid` when it is not the holder's to open;
 *   `share_invalid`, `commitment_mismatch` or `timelock_invalid` when it is another than planned.
 */
export async function openCustody(
  sealed: Uint8Array,
  identity: string,
  plan: Plan,
  key: KeyName,
  holder: string,
): Promise<Uint8Array> {
  const file = await open(sealed, identity);
  if (isLocked(plan, key)) await verifyLockedShare(file, plan, holder);
  else verifyPlannedShare(file, plan, key, holder);
  return file;
}

/**
 * Sign a holder's share for publication: of the release key encrypted to those who hold the notice, of
 * the closing key in clear. What is locked is opened first, for which its round must be signed.
 *
 * @param file - As {@link openCustody} returned it.
 * @throws Whatever `findBeacon` does while there is no beacon; {@link ProtocolError} as
 *   `openLockedShare`.
 */
export async function signShare(
  signer: Signer,
  plan: Plan,
  key: KeyName,
  holder: string,
  file: Uint8Array,
  findBeacon: FindBeacon,
): Promise<Envelope> {
  const document =
    isLocked(plan, key) && plan.timelock !== undefined
      ? await openLockedShare(file, plan, holder, await findBeacon(plan.timelock))
      : file;
  const sealed = key === 'closing' ? document : await seal(document, [plan.accessRecipient]);
  const payload = encodePublication({
    kind: 'share',
    key,
    commitment: sha256Hex(document),
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    officer: holder,
    sealed,
  });
  return signEnvelope(payload, signer);
}

/** When a share of a key can be opened by its holder, Unix ms: with a time-lock once its round is signed. */
export function opensAt(plan: Plan, key: KeyName): number {
  const { timelock } = plan;
  const chain = timelock && isLocked(plan, key) ? findChain(timelock.chain) : undefined;
  return chain && timelock ? timeOfRound(chain, timelock.round) : -Infinity;
}

function isLocked({ timelock }: Plan, key: KeyName): boolean {
  return key === 'release' && timelock !== undefined;
}
