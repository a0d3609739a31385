import { applyDirective } from '../../../protocol/campaign/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import { fromBase64, sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseInstant, parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import {
  encodeEnvelope,
  mergeSignatures,
  parseEnvelope,
  verifyEnvelope,
} from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { directiveDigest, parseDirective } from '../../../protocol/campaign/directive.ts';
import { mergeTuf } from '../../../protocol/trust/metadata.ts';
import { signingKeys } from '../../../protocol/trust/root.ts';
import { requireAgeText } from '../age-file.ts';
import type { Blobs } from '../campaign/blobs.ts';
import type { Identity } from '../caller.ts';
import type { Custodian } from '../custody/custodian.ts';
import { ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import type { ReviewStore } from '../reviews/reviews.ts';
import type { Acceptance } from '../sealing.ts';
import { promiseLeaf, sealWithReceipt } from '../sealing.ts';
import type { Trust } from '../trust/trust.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { storedPlanOf } from '../campaign/campaign.ts';
import type { Additions } from '../campaign/change.ts';
import { changeOf } from '../campaign/change.ts';
import type { DirectiveStore, Proposal } from '../campaign/directive-store.ts';
import { describeMove, followUp } from './moves.ts';
import { checkPreconditions, checkTargets, commitsTo, listsCiphertext } from './preconditions.ts';
import type { Registry } from '../campaign/registry.ts';

const MAX_ATTACHMENT_BYTES = 2 * 1024 * 1024;

/** One officer's signature under a directive, and what has to come with it. */
interface Submission {
  readonly envelope: Envelope;
  /** TUF targets metadata with this officer's signature: see `listsCiphertext`. */
  readonly targets?: Uint8Array;
  /** Base64 of an age file: with `commit` and `supersede`. */
  readonly attachment?: string;
}

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

interface Deps {
  readonly store: DirectiveStore;
  readonly registry: Registry;
  readonly reviews: Pick<ReviewStore, 'listReviews'>;
  readonly blobs: Blobs;
  readonly custodian: Pick<Custodian, 'checkKept'>;
  /** What the log lacks to be witnessed; `undefined` when it lacks nothing. */
  readonly witnessShortfall: () => Promise<string | undefined>;
  readonly trust: Trust;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly logger: Logger;
  readonly now: () => number;
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

    const proposal = await merge(id, officer, digest, submission);
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

  const merge = async (
    id: string,
    officer: Identity,
    digest: string,
    { envelope, targets }: Submission,
  ): Promise<Proposal> => {
    const begun = (await store.listProposals(id)).find((proposal) => proposal.digest === digest);
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
      const open = proposals.filter((proposal) =>
        isOpen(campaign, proposal, trust.current.version, now()),
      );
      const signatures = ({ envelope }: Proposal): number =>
        parseEnvelope(utf8Encode(envelope)).signatures.length;
      return open.sort((a, b) => signatures(b) - signatures(a) || b.seq - a.seq)[0];
    },
  };
}

/** What each action needs to come with every signature. */
function checkCompanions(directive: Directive, { targets, attachment }: Submission): void {
  refuseUnless(
    listsCiphertext(directive) === (targets !== undefined),
    'targets go with arm, supersede and a commit once armed, only there',
  );
  refuseUnless(
    commitsTo(directive.action) === (attachment !== undefined),
    'an attachment goes with commit and supersede, only there',
  );
  if (attachment !== undefined) {
    requireAgeText(attachment, MAX_ATTACHMENT_BYTES, 'the attachment');
  }
}

function isOpen(
  { state }: Campaign,
  { envelope, digest }: Proposal,
  rootVersion: number,
  now: number,
): boolean {
  const { payload } = parseEnvelope(utf8Encode(envelope));
  if (sha256Hex(payload) !== digest) throw new Error('a proposal does not match its digest');
  try {
    const directive = parseDirective(payload);
    return (
      directive.sequence === state.sequence + 1 &&
      directive.rootVersion === rootVersion &&
      now < parseTime(directive.expiresAt)
    );
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function refuseUnless(holds: boolean, otherwise: string): void {
  if (!holds) throw new ServiceError('refused', otherwise);
}
