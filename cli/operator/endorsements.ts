import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  judgeEndorsements,
  type EndorsementStanding,
} from '../../protocol/campaign/endorsements.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Client } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import type { Output } from '../output.ts';

/** Who of the pinned root's endorsers has repeated a commitment, counted here from their signatures. */
export async function countEndorsements(
  client: Client,
  root: TrustRoot,
  commitment: string,
): Promise<EndorsementStanding> {
  const envelopes = root.endorsers.size === 0 ? [] : await client.endorsements(commitment);
  return judgeEndorsements(envelopes.map(readEnvelope), commitment, root, verifyEd25519);
}

/**
 * Say who endorsed a commitment and where, and who did not. Too few is a loud warning and no refusal:
 * the log decides whether it is public, and people decide whether they believe it.
 */
export function tellEndorsements(
  out: Output,
  { endorsers }: TrustRoot,
  { endorsed, missing, required }: EndorsementStanding,
): void {
  if (required === 0) return;
  const nameOf = (id: string): string => endorsers.get(id)?.name ?? id;
  out.line(`endorsed by ${endorsed.length} of ${endorsers.size}, of whom it takes ${required}`);
  for (const { endorser, posted } of endorsed) {
    out.line(`  ${nameOf(endorser)}`);
    for (const url of posted) out.line(`    ${url}`);
  }
  for (const id of missing) out.line(`  MISSING: ${nameOf(id)}`);
  if (endorsed.length >= required) return;
  out.warn(
    `only ${endorsed.length} of the ${required} endorsements needed: this may be a commitment that` +
      ' the officers never made. Ask one of them by a way you know before you act on it',
  );
}

/** The same for a program. */
export function endorsementSummary(standing: EndorsementStanding): object {
  const { endorsed, missing, required } = standing;
  return {
    required,
    endorsed: endorsed.map(({ endorser, posted, issuedAt }) => ({ endorser, posted, issuedAt })),
    missing,
  };
}
