import { parseDirective } from '../../../protocol/campaign/directive.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import {
  encodeEnvelope,
  mergeSignatures,
  parseEnvelope,
} from '../../../protocol/signature/dsse.ts';
import { mergeTuf } from '../../../protocol/trust/metadata.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { Identity } from '../caller.ts';
import type { Campaign } from '../campaign/campaign.ts';
import type { Proposal } from '../campaign/directive-store.ts';
import type { Submission } from './submission.ts';

/**
 * A directive with one officer's signature more.
 *
 * @param begun - As it was before; `undefined` when this officer begins it.
 * @param digest - SHA-256 of the payload.
 */
export function addSignature(
  begun: Required<Proposal> | undefined,
  officer: Identity,
  digest: string,
  { envelope, targets }: Submission,
): Proposal {
  const merged =
    begun === undefined
      ? envelope
      : mergeSignatures(parseEnvelope(utf8Encode(begun.envelope)), envelope);
  const both = begun?.targets && targets ? mergeTuf(utf8Encode(begun.targets), targets) : targets;
  return {
    proposer: begun?.proposer ?? officer.id,
    digest,
    envelope: utf8Decode(encodeEnvelope(merged)),
    targets: both === undefined ? (begun?.targets ?? null) : utf8Decode(both),
    ...(begun !== undefined && { seq: begun.seq }),
  };
}

/**
 * Whether a directive can still be completed: it is the next one, under this root, and not expired.
 *
 * @param now - Unix ms.
 */
export function isOpen(
  { envelope, digest }: Proposal,
  { state }: Campaign,
  root: TrustRoot,
  now: number,
): boolean {
  const { payload } = parseEnvelope(utf8Encode(envelope));
  if (sha256Hex(payload) !== digest) throw new Error('a proposal does not match its digest');
  try {
    const directive = parseDirective(payload);
    return (
      directive.sequence === state.sequence + 1 &&
      directive.rootVersion === root.version &&
      now < parseTime(directive.expiresAt)
    );
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** The proposal with the most signatures, of several the latest. */
export function mostSigned(
  proposals: readonly Required<Proposal>[],
): Required<Proposal> | undefined {
  const signatures = ({ envelope }: Proposal): number =>
    parseEnvelope(utf8Encode(envelope)).signatures.length;
  return proposals.toSorted((a, b) => signatures(b) - signatures(a) || b.seq - a.seq)[0];
}
