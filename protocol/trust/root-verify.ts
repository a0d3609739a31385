import { sha256Hex } from '../encoding/bytes.ts';
import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { countPeople, parseTuf, verifyTufSignatures } from './metadata.ts';
import { parseRoot } from './root-file.ts';
import { demandOfRoot, purposeOfKeys } from './root-rules.ts';
import { rootKeys } from './root.ts';
import type { TrustRoot } from './root.ts';

/**
 * Verify the first root that a party ever sees, against the digest it was told out of band.
 *
 * @param pin - SHA-256 of the file, lower-case hex.
 * @throws {@link ProtocolError} `trust_invalid` for another file, and as {@link parseRoot};
 *   `signature_invalid` or `threshold_unmet` when its own people did not sign it.
 */
export function verifyInitialRoot(
  bytes: Uint8Array,
  pin: string,
  verify: VerifyEd25519,
): TrustRoot {
  if (sha256Hex(bytes) !== pin) {
    throw new ProtocolError('trust_invalid', 'the root is not the one that was pinned');
  }
  const root = parseRoot(bytes);
  const signers = verifyTufSignatures(parseTuf(bytes), verify, rootKeys(root).keys());
  countPeople(signers, rootKeys(root), root.directiveThreshold);
  return root;
}

/**
 * Verify that a root follows the one that is trusted: thresholds of the old people and of the new.
 *
 * @throws {@link ProtocolError} `trust_invalid` for a version that is not the next, another network
 *   or origin, or a key that changes its owner or purpose; `signature_invalid`, `threshold_unmet`.
 * @see TUF specification 1.0.34, section 5.3
 */
export function verifyNextRoot(
  bytes: Uint8Array,
  previous: TrustRoot,
  verify: VerifyEd25519,
): TrustRoot {
  const root = parseRoot(bytes);
  demandOfRoot(root.version === previous.version + 1, 'the version is not the next one');
  demandOfRoot(root.network === previous.network, 'the network may not change');
  demandOfRoot(root.origin === previous.origin, 'the origin may not change');
  const purposes = purposeOfKeys(previous);
  for (const [publicKey, purpose] of purposeOfKeys(root)) {
    demandOfRoot(
      (purposes.get(publicKey) ?? purpose) === purpose,
      'a key changed owner or purpose',
    );
  }
  const [before, after] = [rootKeys(previous), rootKeys(root)];
  const all = new Set([...before.keys(), ...after.keys()]);
  const signers = verifyTufSignatures(parseTuf(bytes), verify, all);
  countPeople(signers, before, previous.directiveThreshold);
  countPeople(signers, after, root.directiveThreshold);
  return root;
}

/**
 * Check that a root may still be relied on.
 *
 * @param now - Unix ms.
 * @throws {@link ProtocolError} `trust_invalid` from the second of `expires` on.
 */
export function checkNotExpired(root: TrustRoot, now: number): void {
  demandOfRoot(now < parseTime(root.expires), 'the root has expired');
}
