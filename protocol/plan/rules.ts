import { isStrictlySorted } from '../encoding/sorted.ts';
import { parseTime } from '../encoding/time.ts';
import { findChain, roundAt } from './timelock.ts';
import { ProtocolError } from '../errors.ts';
import type { TrustRoot } from '../trust/root.ts';
import {
  commitmentDigest,
  commitmentName,
  DOCUMENT_TYPE_OF,
  encodeCommitment,
} from '../commitment/commitment.ts';
import type { Plan } from './body.ts';
import { ciphertextsOf } from './ciphertexts.ts';
import { checkReviewers, checkReviewPolicy } from './review-policy.ts';
import { checkServerShares, serverHoldersOf } from './server-custody.ts';
import { keysOf } from './splits.ts';

/**
 * Check that a plan agrees with itself and with the root of trust that its officers come from.
 *
 * @throws {@link ProtocolError} `plan_invalid`, naming the first rule that is broken.
 * @see docs/spec/plan.md, "Rules"
 */
export function checkPlan(plan: Plan, root: TrustRoot): void {
  checkConsistency(plan);
  demand(plan.network === root.network, 'the plan is for another network than the root');
  demand(plan.shareThreshold === root.shareThreshold, 'shareThreshold differs from the root');
  checkServerShares(plan, root);
  const server = serverHoldersOf(plan);
  const { custodian } = root;
  demand(server.length === 0 || custodian !== undefined, 'the root names no server as custodian');
  for (const key of keysOf(plan)) {
    const holders = plan.shares.filter((share) => share.key === key).map(({ officer }) => officer);
    const everyone = [...root.people.keys(), ...(key === 'release' ? server : [])].sort();
    demand(
      holders.length === everyone.length && holders.sort().every((id, i) => id === everyone[i]),
      `every officer holds exactly one share of the ${key} key`,
    );
  }
  checkReviewers(plan.policy.reviews, root);
  const parties = [...root.people.values(), ...root.reviewers.values()];
  const ages = new Set([...parties, ...(custodian ? [custodian] : [])].map(({ age }) => age));
  demand(
    recipients(plan).every((recipient) => !ages.has(recipient)),
    'a recipient of the campaign is the key of an officer, a reviewer or the server',
  );
}

/**
 * Check that a plan agrees with itself.
 *
 * @throws {@link ProtocolError} `plan_invalid`, naming the first rule that is broken.
 */
export function checkConsistency(plan: Plan): void {
  const { documents, shares, bundles, milestones } = plan;
  const names = documents.map(({ name }) => name);
  demand(isStrictlySorted(names), 'documents are sorted and named once');
  for (const name of Object.keys(DOCUMENT_TYPE_OF)) demand(names.includes(name), `no ${name}`);
  checkPredecessor(plan, names);
  demand(commitmentDigest(listOf(plan)) === plan.commitment, 'commitment is not of the documents');

  demand(new Set(recipients(plan)).size === 3, 'the three recipients are not distinct');
  demand(isUnique(shares.map(({ sha256 }) => sha256)), 'two shares are the same');
  demand(isUnique(shares.map(({ key, officer }) => `${key} ${officer}`)), 'two shares for one');
  checkServerShares(plan);
  checkTimelock(plan);
  demand(isUnique(bundles.map(({ variant }) => variant)), 'two bundles for one variant');
  const ciphertexts = ciphertextsOf(plan).map(({ sha256 }) => sha256);
  demand(isUnique(ciphertexts), 'two bundles are the same');

  demand(isStrictlySorted(plan.mirrors ?? []), 'mirrors are sorted and named once');
  checkReviewPolicy(plan.policy.reviews);

  demand(isUnique(milestones.map(({ name }) => name)), 'two milestones of one name');
  const [gate, ...others] = milestones.filter(({ action }) => action === 'gate');
  demand(gate?.strict === true && others.length === 0, 'exactly one milestone gates, strictly');
  demand(
    parseTime(plan.releaseTime) < parseTime(plan.latestDisclosure),
    'releaseTime comes before latestDisclosure',
  );
}

/** Locked are the release shares, all or none of them, to the round that T0 asks for. */
function checkTimelock(plan: Plan): void {
  const { timelock, breakGlassThreshold, shareThreshold, shares, releaseTime } = plan;
  const isLocked = timelock !== undefined;
  if (isLocked) {
    const chain = findChain(timelock.chain);
    demand(chain !== undefined, 'the time-lock names an unknown chain');
    const isFirst = chain && timelock.round === roundAt(chain, parseTime(releaseTime));
    demand(isFirst === true, 'the time-lock is not to the first round from T0 on');
  }
  for (const { key, locked } of shares) {
    const isRight = (locked !== undefined) === (isLocked && key === 'release');
    demand(isRight, 'with a time-lock every release share is locked, and no other');
  }
  const glass = shares.filter(({ key }) => key === 'break-glass').length;
  if (breakGlassThreshold === undefined) {
    demand(glass === 0, 'break-glass shares without breakGlassThreshold');
  } else {
    demand(isLocked, 'a break-glass split goes with a time-lock, only there');
    const isHigher = breakGlassThreshold > shareThreshold && breakGlassThreshold <= glass;
    demand(isHigher, 'breakGlassThreshold is above shareThreshold and at most every officer');
  }
}

/** A later list names the one before it, and no list names any other. */
function checkPredecessor({ revision }: Plan, names: readonly string[]): void {
  const earlier = names.filter((name) => name.startsWith('COMMITMENT'));
  const expected = revision === 1 ? [] : [commitmentName(revision - 1)];
  demand(
    earlier.length === expected.length && earlier[0] === expected[0],
    'a revised plan lists the COMMITMENT before it, and no other',
  );
}

function listOf(plan: Plan): Uint8Array {
  try {
    return encodeCommitment(plan.documents);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError('plan_invalid', 'documents make no COMMITMENT');
  }
}

function recipients(plan: Plan): readonly string[] {
  return [plan.releaseRecipient, plan.accessRecipient, plan.closingRecipient];
}

function isUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('plan_invalid', otherwise);
}
