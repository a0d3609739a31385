import { z } from 'zod';
import { hex64, parseShape, safeCount, time } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { countPeople, parseTuf, TUF_SPEC_VERSION, verifyTufSignatures } from './metadata.ts';
import { signingKeys } from './root.ts';
import type { TrustRoot } from './root.ts';

/** The ciphertexts that a TUF client may fetch: the targets role, signed by officers. */
export interface Targets {
  readonly version: number;
  /** RFC 3339 UTC. */
  readonly expires: string;
  /** SHA-256 in lower-case hex, and bytes; each once. */
  readonly bundles: readonly { readonly sha256: string; readonly size: number }[];
}

const targetsShape = z.strictObject({
  _type: z.literal('targets'),
  spec_version: z.literal(TUF_SPEC_VERSION),
  version: safeCount.min(1),
  expires: time,
  targets: z.record(
    z.string(),
    z.strictObject({ length: safeCount.min(1), hashes: z.strictObject({ sha256: hex64 }) }),
  ),
});

/**
 * Build the `signed` part of targets metadata.
 *
 * A target's path is `bundles/<sha256>.age` and it has no custom data, so that the metadata tells
 * nothing about what is inside.
 *
 * @throws {@link ProtocolError} `trust_invalid` for another shape.
 */
export function buildTargets({ version, expires, bundles }: Targets): object {
  const sorted = bundles.toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  const signed = {
    _type: 'targets',
    spec_version: TUF_SPEC_VERSION,
    version,
    expires,
    targets: Object.fromEntries(
      sorted.map(({ sha256, size }) => [pathOf(sha256), { length: size, hashes: { sha256 } }]),
    ),
  };
  readTargets(signed);
  return signed;
}

/**
 * Read targets metadata. No signature is checked: see {@link verifyTargets}.
 *
 * @throws {@link ProtocolError} `trust_invalid`, also for a path that does not follow from its hash;
 *   `too_large`, `encoding_invalid`.
 */
export function parseTargets(bytes: Uint8Array): Targets {
  return readTargets(parseTuf(bytes).signed);
}

/**
 * Verify targets metadata by officers' signing keys. Its date and version are the caller's to judge.
 *
 * @param threshold - Distinct people needed; fewer than the root's only while signatures are
 *   still being gathered.
 * @throws {@link ProtocolError} `signature_invalid`, `threshold_unmet`, and as {@link parseTargets}.
 */
export function verifyTargets(
  bytes: Uint8Array,
  root: TrustRoot,
  verify: VerifyEd25519,
  threshold: number = root.directiveThreshold,
): { readonly targets: Targets; readonly people: readonly string[] } {
  const keys = signingKeys(root);
  const signers = verifyTufSignatures(parseTuf(bytes), verify, keys.keys());
  const people = countPeople(signers, keys, threshold);
  return { targets: parseTargets(bytes), people };
}

function readTargets(signed: object): Targets {
  const { version, expires, targets } = parseShape(
    targetsShape,
    signed,
    'trust_invalid',
    'targets',
  );
  const bundles = Object.entries(targets).map(([path, { length, hashes }]) => {
    if (path !== pathOf(hashes.sha256)) {
      throw new ProtocolError('trust_invalid', 'a target is not named for its hash');
    }
    return { sha256: hashes.sha256, size: length };
  });
  return { version, expires, bundles };
}

function pathOf(sha256: string): string {
  return `bundles/${sha256}.age`;
}
