import { z } from 'zod';
import { campaignId, hex64, networkId, parseShape, safeCount } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { signingKeys } from '../trust/root.ts';
import type { TrustRoot } from '../trust/root.ts';
import { encodeStatement, parseStatement } from './statement.ts';
import type { Subject } from './statement.ts';

/** The officers' word on the plaintext: `release.intoto.json`, opened together with the patch. */
export interface ReleaseStatement {
  /** Every artifact of every variant, sorted bytewise by name. */
  readonly artifacts: readonly Subject[];
  readonly campaign: string;
  readonly network: string;
  readonly revision: number;
  /** SHA-256 of `release.txt`. */
  readonly release: string;
  /** SHA-256 of `SHA256SUMS`. */
  readonly sums: string;
}

const releasePredicate = z.strictObject({
  campaign: campaignId,
  network: networkId,
  revision: safeCount.min(1),
  release: hex64,
  sums: hex64,
});

/**
 * Write a release statement as the payload that officers sign.
 *
 * @throws {@link ProtocolError} as {@link parseReleaseStatement} does.
 */
export function encodeReleaseStatement(statement: ReleaseStatement): Uint8Array {
  const { artifacts, ...predicate } = statement;
  const payload = encodeStatement('release', artifacts, predicate);
  parseReleaseStatement(payload);
  return payload;
}

/** @throws {@link ProtocolError} `statement_invalid`, also when artifacts are not sorted. */
export function parseReleaseStatement(payload: Uint8Array): ReleaseStatement {
  const { kind, subject, predicate } = parseStatement(payload);
  if (kind !== 'release') {
    throw new ProtocolError('statement_invalid', 'expected a statement of kind release');
  }
  if (!isStrictlySorted(subject.map(({ name }) => name))) {
    throw new ProtocolError('statement_invalid', 'artifacts are sorted by name');
  }
  const parsed = parseShape(releasePredicate, predicate, 'statement_invalid', 'release');
  return { artifacts: subject, ...parsed };
}

/**
 * Verify that a threshold of officers vouch for these artifacts.
 *
 * @param expected - Campaign, network, revision and digest of `release.txt`, as in the plan.
 * @throws {@link ProtocolError} `signature_invalid` or `threshold_unmet`; `statement_invalid` when
 *   it speaks of another campaign, network, revision or `release.txt`.
 */
export function verifyReleaseStatement(
  envelope: Envelope,
  verify: VerifyEd25519,
  root: TrustRoot,
  expected: Pick<ReleaseStatement, 'campaign' | 'network' | 'revision' | 'release'>,
): { readonly statement: ReleaseStatement; readonly people: readonly string[] } {
  const { payload, people } = verifyEnvelope(
    envelope,
    verify,
    signingKeys(root),
    root.directiveThreshold,
  );
  const statement = parseReleaseStatement(payload);
  for (const field of ['campaign', 'network', 'revision', 'release'] as const) {
    if (statement[field] !== expected[field]) {
      throw new ProtocolError('statement_invalid', `the release is for another ${field}`);
    }
  }
  return { statement, people };
}
