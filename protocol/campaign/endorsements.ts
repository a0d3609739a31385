import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { verifyEndorsement } from '../statement/endorsement.ts';
import type { Endorsement } from '../statement/endorsement.ts';
import type { TrustRoot } from '../trust/root.ts';

/** Who has repeated one commitment in public, and who has not. */
export interface EndorsementStanding {
  readonly commitment: string;
  /** By endorser; of each the latest. */
  readonly endorsed: readonly Endorsement[];
  /** Ids of the endorsers who have not, sorted. */
  readonly missing: readonly string[];
  /** How many it takes; 0 where the root lists nobody. */
  readonly required: number;
}

/**
 * Count the endorsements of exactly this commitment by the endorsers of a root, each once.
 *
 * What does not verify, or endorses another commitment, counts for nothing and hides nothing: one
 * before a revision does not carry over to the one after.
 */
export function judgeEndorsements(
  envelopes: Iterable<Envelope>,
  commitment: string,
  root: TrustRoot,
  verify: VerifyEd25519,
): EndorsementStanding {
  const latest = new Map<string, Endorsement>();
  for (const envelope of envelopes) {
    const found = findEndorsement(envelope, root, verify);
    if (found?.commitment !== commitment) continue;
    const before = latest.get(found.endorser);
    if (before === undefined || parseTime(before.issuedAt) < parseTime(found.issuedAt)) {
      latest.set(found.endorser, found);
    }
  }
  const ids = [...root.endorsers.keys()].sort();
  return {
    commitment,
    endorsed: ids.flatMap((id) => latest.get(id) ?? []),
    missing: ids.filter((id) => !latest.has(id)),
    required: root.endorsementThreshold,
  };
}

function findEndorsement(
  envelope: Envelope,
  root: TrustRoot,
  verify: VerifyEd25519,
): Endorsement | undefined {
  try {
    return verifyEndorsement(envelope, verify, root);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
