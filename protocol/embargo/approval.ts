import { officerKeys, verifyDetached } from '../contact/detached.ts';
import type { Revision, VerifiedChain } from '../campaign/chain.ts';
import type { Plan } from '../plan/plan.ts';
import type { Release } from './release.ts';
import type { Signatures } from './signature-bundle.ts';
import { verifySums } from './sums-signatures.ts';
import { sha256Hex, utf8Decode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { parseEnvelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { parseReleaseStatement, verifyReleaseStatement } from '../statement/release.ts';
import type { TrustRoot } from '../trust/root.ts';

/** What was approved: the list of files, what it lists, and what was signed over it. */
export interface Approved {
  /** The bytes of `SHA256SUMS`. */
  readonly sums: Uint8Array;
  readonly release: Release;
  readonly signatures: Signatures;
}

/**
 * The revision that these signatures are of: the one in force, or an earlier one with the very same
 * `release.txt`, so that a new wording of the disclosure takes nothing from who has prefetched.
 *
 * @param revisions - By revision.
 * @throws {@link ProtocolError} `statement_invalid` when they are of another patch.
 */
export function approvedRevision(
  { release }: Pick<Signatures, 'release'>,
  revisions: readonly Revision[],
): Revision {
  const { revision } = parseReleaseStatement(parseEnvelope(release).payload);
  const approved = revisions.find(({ plan }) => plan.revision === revision);
  const inForce = revisions.at(-1);
  if (approved && inForce && releaseDigest(approved.plan) === releaseDigest(inForce.plan)) {
    return approved;
  }
  throw new ProtocolError('statement_invalid', 'the release is for another revision');
}

/** Who put the plan in force, which binds every byte of a patch, and under which root. */
export function approvedByPlan({
  revisions,
  directives,
}: Pick<VerifiedChain, 'revisions' | 'directives'>): {
  readonly people: readonly string[];
  readonly root: TrustRoot;
} {
  const inForce = revisions.at(-1);
  const decided = directives.find(({ sequence }) => sequence === inForce?.sequence);
  if (inForce === undefined || decided === undefined)
    throw new Error('a chain has a plan in force');
  return { people: decided.people, root: inForce.root };
}

/** SHA-256 of the `release.txt` that a plan commits to: what makes one patch that patch. */
export function releaseDigest({ documents }: Pick<Plan, 'documents'>): string {
  const release = documents.find(({ name }) => name === 'release.txt');
  if (release === undefined) throw new ProtocolError('plan_invalid', 'the plan has no release.txt');
  return release.sha256;
}

/** Who signed the plaintext, sorted. */
export interface Approvers {
  /** In `SHA256SUMS.asc`. */
  readonly sums: readonly string[];
  /** In `SHA256SUMS.<officer>.minisig` and `.sshsig`. */
  readonly byOfficer: readonly string[];
  /** In `release.intoto.json`. */
  readonly release: readonly string[];
}

/**
 * Verify that a threshold of officers signed this plaintext: with OpenPGP over `SHA256SUMS`, with
 * their signing keys over the same bytes, and with those over every artifact's digest.
 *
 * @param plan - Names the campaign and the `release.txt` that was approved.
 * @param root - The root under which the plan was approved.
 * @param now - Unix ms; no OpenPGP signature may be from later.
 * @throws {@link ProtocolError} `signature_invalid`, `threshold_unmet`; `statement_invalid` when the
 *   statement is about other bytes.
 */
export async function verifyApproval(
  { sums, release, signatures }: Approved,
  plan: Pick<Plan, 'campaign' | 'network' | 'revision' | 'documents'>,
  root: TrustRoot,
  verify: VerifyEd25519,
  now: number,
): Promise<Approvers> {
  const keys = await officerKeys(root.people.values());
  const bySums = await verifyDetached(sums, utf8Decode(signatures.sums), keys, new Date(now));
  const byOfficer = verifySums(sums, signatures.byOfficer, plan, root, verify);
  for (const people of [bySums, byOfficer]) {
    if (people.length >= root.directiveThreshold) continue;
    throw new ProtocolError(
      'threshold_unmet',
      `SHA256SUMS is signed by ${people.length} of the ${root.directiveThreshold} people needed`,
    );
  }
  const { campaign, network, revision } = plan;
  const expected = { campaign, network, revision, release: releaseDigest(plan) };
  const envelope = parseEnvelope(signatures.release);
  const { statement, people } = verifyReleaseStatement(envelope, verify, root, expected);
  if (statement.sums !== sha256Hex(sums)) {
    throw new ProtocolError('statement_invalid', 'the officers signed another SHA256SUMS');
  }
  const signed = statement.artifacts.map(({ name, sha256 }) => `${sha256}  ${name}`);
  const listed = release.variants
    .flatMap(({ artifacts }) => artifacts)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sha256 }) => `${sha256}  ${name}`);
  if (signed.join('\n') !== listed.join('\n')) {
    throw new ProtocolError('statement_invalid', 'the officers signed other artifacts');
  }
  return { sums: bySums, byOfficer, release: people };
}
