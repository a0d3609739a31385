import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { parseTargets, verifyTargets } from '../../../protocol/trust/tuf.ts';
import type { NewTargets } from '../campaign/change.ts';
import type { Trust } from './trust.ts';
import { TrustError } from './trust.ts';

/**
 * Judge a targets.json handed to the server at its start.
 *
 * Officers sign the first, empty one together with the root, and another when a new root replaces
 * their keys.
 *
 * @returns What to store; `undefined` when there is nothing new.
 * @throws {@link TrustError}; {@link ProtocolError} when it does not verify.
 */
export function adoptTargets(
  given: Uint8Array | undefined,
  latest: NewTargets | undefined,
  trust: Trust,
  verify: VerifyEd25519,
): NewTargets | undefined {
  if (given === undefined) {
    if (latest !== undefined) return undefined;
    throw new TrustError('no TUF targets yet: put the signed targets.json beside root.json');
  }
  const sha256 = sha256Hex(given);
  if (latest?.sha256 === sha256) return undefined;
  const { version } = parseTargets(given);
  const next = (latest?.version ?? 0) + 1;
  // The file of the first start may still lie beside the root.
  if (version < next) return undefined;
  if (version > next) throw new TrustError(`targets version ${next} is next`);
  verifyTargets(given, trust.current, verify);
  return { version, bytes: given, sha256 };
}
