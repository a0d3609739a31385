import { applyDirective } from '../../../protocol/campaign/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { directiveDigest, parseDirective } from '../../../protocol/campaign/directive.ts';
import { fromBase64, sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../../protocol/encoding/time.ts';
import { parseEnvelope, verifyEnvelope } from '../../../protocol/signature/dsse.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import { signingKeys } from '../../../protocol/trust/root.ts';
import type { Identity } from '../caller.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { storedPlanOf } from '../campaign/campaign.ts';
import type { Additions } from '../campaign/change.ts';
import { changeOf } from '../campaign/change.ts';
import type { Proposal } from '../campaign/directive-store.ts';
import type { Registry } from '../campaign/registry.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import type { Acceptance } from '../sealing.ts';
import { promiseLeaf, sealWithReceipt } from '../sealing.ts';
import { describeMove, followUp } from './moves.ts';
import type { PreconditionDeps } from './preconditions.ts';
import { checkPreconditions, checkTargets, commitsTo } from './preconditions.ts';
import { addSignature, isOpen, mostSigned } from './proposals.ts';
import type { Submission } from './submission.ts';
import { checkCompanions } from './submission.ts';

interface SubmissionResult {
  /** What promises the completed directive's leaf; none while it lacks signatures. */
  readonly acceptance: Acceptance | undefined;
  readonly signed: readonly string[];
  readonly campaign: Campaign;
}

export interface Directives {
  submit(officer: Identity, id: string, submission: Submission): Promise<SubmissionResult>;
  /** The proposal with the most signatures, of several the latest; none that has expired. */
  findPending(campaign: Campaign): Promise<Proposal | undefined>;
}

interface Deps extends PreconditionDeps {
  readonly registry: Registry;
  readonly log: NoteSigner;
  readonly logger: Logger;
  /** Called after a directive has completed, with the campaign as it is then. */
  readonly onCompleted: (campaign: Campaign) => Promise<void>;
}

/**
 * Gather officers' signatures under directives, and make the move with the one that was missing.
 *
 * Clients verify the chain by themselves; what is refused here could only mislead officers earlier.
 */
export function directives(deps: Deps): Directives {
  const { store, registry, trust, verify, now } = deps;

  const submit = async (
    officer: Identity,
    before: Campaign,
    submission: Submission,
  ): Promise<SubmissionResult> => {
    const id = before.state.campaign;
    const { people } = verifyEnvelope(submission.envelope, verify, trust.officers, 1);
    refuseUnless(people.includes(officer.id), 'your own signature is missing');
    const directive = parseDirective(submission.envelope.payload);
    const digest = directiveDigest(submission.envelope.payload);
    const done = await findCompleted(before, digest, directive, people);
    if (done !== undefined) return { ...done, campaign: before };

    refuseUnless(directive.rootVersion === trust.current.version, 'it names another root of trust');
    const plans = new Map([...before.plans].map(([key, { plan }]) => [key, plan]));
    const state = applyDirective(before.state, directive, digest, now(), plans);
    checkCompanions(directive, submission);
    await checkPreconditions(directive, before, deps);

    const begun = (await store.listProposals(id)).find((it) => it.digest === digest);
    const proposal = addSignature(begun, officer, digest, submission);
    const envelope = parseEnvelope(utf8Encode(proposal.envelope));
    const signed = verifyEnvelope(envelope, verify, trust.officers, 1).people;
    const newTargets = await checkTargets(directive, proposal, signed, before, deps);
    const attachment = submission.attachment && {
      officer: officer.id,
      sealed: submission.attachment,
    };
    if (signed.length < trust.current.directiveThreshold) {
      await store.saveProposal(id, proposal, attachment || undefined);
      return { acceptance: undefined, signed, campaign: before };
    }
    const completed = await complete(before, state, directive, proposal, {
      ...(newTargets !== undefined && { targets: newTargets }),
      ...(attachment && { attachment }),
    });
    return { ...completed, signed };
  };

  /**
   * Who signed and what was promised, if this very directive is done; an alarm, if another one with
   * its number is.
   */
  const findCompleted = async (
    { state }: Campaign,
    digest: string,
    directive: Directive,
    people: readonly string[],
  ): Promise<Omit<SubmissionResult, 'campaign'> | undefined> => {
    if (directive.sequence > state.sequence) return undefined;
    const completed = (await store.listDirectives(state.campaign))[directive.sequence - 1];
    if (completed?.digest === digest) {
      const envelope = parseEnvelope(utf8Encode(completed.envelope));
      // Under the root in force then; who has left since is among them.
      const officers = signingKeys(trust.roots.get(directive.rootVersion)?.root ?? trust.current);
      const keyids = envelope.signatures.map(({ keyid }) => officers.get(keyid) ?? '');
      const acceptance = await readPromise(state.campaign, directive.sequence);
      return { acceptance, signed: [...new Set(keyids)].sort() };
    }
    if (people.length >= trust.current.directiveThreshold) {
      const fields = { code: 'directive_fork', campaign: state.campaign, digest };
      deps.logger.error(fields, 'two valid directives with one number');
    }
    throw new ServiceError('conflict', `directive ${directive.sequence} has been decided already`);
  };

  const readPromise = async (campaign: string, sequence: number): Promise<Acceptance> => {
    const { receipt, opening, completedAt } = await store.getPromise(campaign, sequence);
    const at = parseInstant(completedAt);
    const promised = receipt ?? promiseLeaf(deps.log, at, sha256Hex(fromBase64(opening)));
    return { receipt: promised, opening };
  };

  const complete = async (
    before: Campaign,
    state: CampaignState,
    directive: Directive,
    { digest, envelope }: Proposal,
    additions: Additions,
  ): Promise<{ campaign: Campaign; acceptance: Acceptance }> => {
    const at = now();
    const patch = followUp(before, state, directive.action, at);
    const { plan } = storedPlanOf({ ...before, ...patch });
    const content = utf8Encode(envelope);
    const entry = sealWithReceipt(deps.log, at, state.campaign, 'directive', content);
    const campaign = await registry.apply(
      changeOf(before, at, patch, describeMove(before.state, directive), {
        ...additions,
        directive: { sequence: directive.sequence, digest, envelope, entry },
        ...(commitsTo(directive.action) && { commitment: plan.commitment }),
      }),
    );
    return { campaign, acceptance: { receipt: entry.receipt, opening: entry.opening } };
  };

  return {
    async submit(officer, id, submission) {
      registry.getVisible(id, officer);
      const result = await registry.exclusively(id, (current) => {
        if (current === undefined) throw new ServiceError('not_found', 'no such resource');
        return submit(officer, current, submission);
      });
      if (result.acceptance !== undefined) await deps.onCompleted(result.campaign);
      return { ...result, campaign: registry.find(id) ?? result.campaign };
    },

    async findPending(campaign) {
      const proposals = await store.listProposals(campaign.state.campaign);
      return mostSigned(proposals.filter((it) => isOpen(it, campaign, trust.current, now())));
    },
  };
}
