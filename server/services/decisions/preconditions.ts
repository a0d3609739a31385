import type { Directive } from '../../../protocol/campaign/directive.ts';
import { judgeReviews, requireReviews } from '../../../protocol/campaign/reviews.ts';
import type { Action, CampaignStatus } from '../../../protocol/campaign/transitions.ts';
import { fromBase64, sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { checkDeciders } from '../../../protocol/plan/deciders.ts';
import { ciphertextsOf } from '../../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { verifyTargets } from '../../../protocol/trust/tuf.ts';
import type { Blobs } from '../campaign/blobs.ts';
import type { Campaign } from '../campaign/campaign.ts';
import type { NewTargets } from '../campaign/change.ts';
import type { DirectiveStore, Proposal } from '../campaign/directive-store.ts';
import type { Custodian } from '../custody/custodian.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { ReviewStore } from '../reviews/reviews.ts';
import { listEnvelopes } from '../reviews/reviews.ts';
import type { Trust } from '../trust/trust.ts';

/** What a move is checked against. */
export interface PreconditionDeps {
  readonly store: DirectiveStore;
  readonly reviews: Pick<ReviewStore, 'listReviews'>;
  readonly blobs: Blobs;
  readonly custodian: Pick<Custodian, 'checkKept'>;
  /** What the log lacks to be witnessed; `undefined` when it lacks nothing. */
  readonly witnessShortfall: () => Promise<string | undefined>;
  readonly trust: Trust;
  readonly verify: VerifyEd25519;
  readonly now: () => number;
}

/** Whether a move makes documents binding. */
export function commitsTo(action: Action): boolean {
  return action === 'commit' || action === 'supersede';
}

/** Whether a move leads to the release of ciphertext. */
function releasesCiphertext(action: Action): boolean {
  return action === 'arm' || action === 'supersede';
}

/**
 * Whether officers sign targets with a move, which tell operators what to fetch: once a campaign is
 * armed, another wording too, as its disclosure is another ciphertext.
 */
export function listsCiphertext({ action, from }: Directive): boolean {
  return releasesCiphertext(action) || (action === 'commit' && isFetched(from));
}

const isFetched = (status: CampaignStatus): boolean => status === 'armed' || status === 'released';

/**
 * Check what has to be in place before a move: ciphertext to commit to and to arm with, signatures
 * over the plaintext to arm with (those over a patch that supersedes come right after), reviews as
 * the plan asks for, a witnessed log. Officers' shares are in custody since the plan was taken in; that
 * the server still opens its own is looked at again.
 *
 * @throws {@link ServiceError} `conflict`, naming what is missing, `refused` as `checkKept`; {@link ProtocolError}
 *   `threshold_unmet` without the reviews that the plan asks for, `plan_invalid` as `checkDeciders`.
 */
export async function checkPreconditions(
  directive: Directive,
  campaign: Campaign,
  deps: PreconditionDeps,
): Promise<void> {
  const { action, plan: digest } = directive;
  const { store, blobs, witnessShortfall } = deps;
  if (!commitsTo(action) && !releasesCiphertext(action)) return;
  const plan = campaign.plans.get(digest)?.plan;
  if (plan === undefined) throw new ServiceError('conflict', 'the plan has not been uploaded');
  // A new patch takes as many shares as the root in force says; one to be armed may be older.
  if (action === 'arm') checkDeciders(plan, deps.trust.current);
  if (releasesCiphertext(action)) {
    await checkReviews(plan, digest, deps);
    await deps.custodian.checkKept(plan, digest);
  }
  for (const blob of ciphertextsOf(plan)) {
    if (await blobs.has(blob)) continue;
    throw new ServiceError('conflict', `ciphertext ${blob.sha256} has not been uploaded`);
  }
  if (action === 'arm' && (await store.findSignatures(digest)) === undefined) {
    throw new ServiceError('conflict', "the officers' signatures have not been uploaded");
  }
  const shortfall = releasesCiphertext(action) ? await witnessShortfall() : undefined;
  if (shortfall !== undefined) throw new ServiceError('conflict', shortfall);
}

async function checkReviews(
  plan: Plan,
  digest: string,
  { reviews, trust, verify }: PreconditionDeps,
): Promise<void> {
  if (plan.policy.reviews.required === 0) return;
  const envelopes = await listEnvelopes(reviews, plan.campaign);
  requireReviews(judgeReviews(envelopes, { plan, digest }, trust.current, verify));
}

/**
 * Check the TUF targets that go with a move, as far as they are signed.
 *
 * @param signed - Who has signed the directive: they sign the targets with it.
 * @returns What is published, once a threshold has signed it; else `undefined`.
 * @throws {@link ProtocolError} for bad signatures; {@link ServiceError} `refused` for metadata that
 *   does not follow, has expired, or leaves out or invents a ciphertext.
 */
export async function checkTargets(
  { plan: digest }: Directive,
  proposal: Proposal,
  signed: readonly string[],
  { plans }: Campaign,
  { store, blobs, trust, verify, now }: PreconditionDeps,
): Promise<NewTargets | undefined> {
  if (proposal.targets === null) return undefined;
  const bytes = utf8Encode(proposal.targets);
  const { targets, people } = verifyTargets(bytes, trust.current, verify, 1);
  refuseUnless(people.join() === signed.join(), 'targets and directive have other signers');
  const version = ((await store.findLatestTargets())?.version ?? 0) + 1;
  refuseUnless(targets.version === version, `targets version ${version} is next`);
  refuseUnless(now() < parseTime(targets.expires), 'the targets have expired');
  const plan = plans.get(digest)?.plan;
  for (const { sha256, size } of plan === undefined ? [] : ciphertextsOf(plan)) {
    const isListed = targets.bundles.some((it) => it.sha256 === sha256 && it.size === size);
    refuseUnless(isListed, `the targets leave out ciphertext ${sha256}`);
  }
  const signatures = await store.findSignatures(digest);
  const signaturesDigest = signatures && sha256Hex(fromBase64(signatures));
  for (const target of targets.bundles) {
    const isHere = target.sha256 === signaturesDigest || (await blobs.has(target));
    refuseUnless(isHere, `the targets list ${target.sha256}, which is not here`);
  }
  if (people.length < trust.current.directiveThreshold) return undefined;
  return { version, bytes, sha256: sha256Hex(bytes) };
}
