import { z } from 'zod';
import { networkId, personId, postedUrl, time } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import { originText } from '../trust/origin.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import type { TrustRoot } from '../trust/root.ts';
import { encodeStatement, parseStatementAbout } from './statement.ts';

/**
 * Somebody well known repeats a public commitment, and says where. It names no campaign: endorsers
 * know the hash and nothing behind it.
 */
export interface Endorsement {
  /** The public commitment: SHA-256 of a `COMMITMENT`, of whichever revision. */
  readonly commitment: string;
  readonly network: string;
  /** Of the log that the commitment is in. */
  readonly origin: string;
  /** Id in the root of trust. */
  readonly endorser: string;
  /** Where they posted it: 1 to {@link MAX_POSTED} addresses, sorted bytewise, each once. */
  readonly posted: readonly string[];
  /** RFC 3339 UTC. Of two endorsements of one commitment by one endorser the later stands. */
  readonly issuedAt: string;
}

export const MAX_POSTED = 8;

const SUBJECT = 'COMMITMENT';

const endorsementPredicate = z.strictObject({
  network: networkId,
  origin: originText,
  endorser: personId,
  posted: z.array(postedUrl).min(1).max(MAX_POSTED),
  issuedAt: time,
});

/**
 * Write an endorsement as the payload that the endorser signs.
 *
 * @throws {@link ProtocolError} as {@link parseEndorsement} does.
 */
export function encodeEndorsement({ commitment, ...predicate }: Endorsement): Uint8Array {
  const subject = [{ name: SUBJECT, sha256: commitment }];
  const payload = encodeStatement('endorsement', subject, predicate);
  parseEndorsement(payload);
  return payload;
}

/** @throws {@link ProtocolError} `statement_invalid`, also when addresses are not sorted. */
export function parseEndorsement(payload: Uint8Array): Endorsement {
  const parsed = parseStatementAbout(payload, 'endorsement', SUBJECT, endorsementPredicate);
  const { sha256: commitment, predicate } = parsed;
  if (!isStrictlySorted(predicate.posted)) {
    throw new ProtocolError('statement_invalid', 'addresses are sorted and named once');
  }
  return { commitment, ...predicate };
}

/**
 * Verify that an endorser whom a root lists made this endorsement, alone.
 *
 * @throws {@link ProtocolError} `statement_invalid` for somebody whom the root does not list, another
 *   network or origin; `signature_invalid` unless signed by their key and no other.
 */
export function verifyEndorsement(
  envelope: Envelope,
  verify: VerifyEd25519,
  root: TrustRoot,
): Endorsement {
  const endorsement = parseEndorsement(envelope.payload);
  const endorser = root.endorsers.get(endorsement.endorser);
  demand(endorser !== undefined, `${endorsement.endorser} is no endorser`);
  demand(endorsement.network === root.network, 'the endorsement is for another network');
  demand(endorsement.origin === root.origin, 'the endorsement is for another service');
  verifyEnvelope(envelope, verify, new Map([[endorser.key, endorser.id]]), 1);
  return endorsement;
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new ProtocolError('statement_invalid', otherwise);
}
