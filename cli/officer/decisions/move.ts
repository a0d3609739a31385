import { applyDirective } from '../../../protocol/campaign/campaign.ts';
import {
  directiveDigest,
  encodeDirective,
  parseDirective,
  type Directive,
} from '../../../protocol/campaign/directive.ts';
import {
  getMove,
  nextStatus,
  type Action,
  type CampaignStatus,
} from '../../../protocol/campaign/transitions.ts';
import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { mergeSignatures, signEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import type { DirectiveAnswer } from '../../client/client.ts';
import { envelopeJsonOf } from '../../client/envelope.ts';
import { RefusedMoveError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';
import { plansFor, type RevisedPlan, type Standing } from '../standing.ts';
import { delayOwnAgent, stopOwnAgent } from '../stop.ts';
import { needsDraft } from './completion.ts';

/** How long the other officers have to add their signatures. */
const VALID_MS = 48 * 3_600_000;

/** A decision as an officer types it; the rest follows from where the campaign stands. */
export interface Move {
  readonly action: Action;
  readonly reason?: string;
  /** Of `reschedule`. */
  readonly releaseTime?: string;
  /** Of `disclose` before the gate. */
  readonly override?: boolean;
  /** The plan as it is to stand: of `supersede`, and of `commit` after the first. */
  readonly revised?: RevisedPlan;
  /** Of `supersede`: `released` for at once, else `armed`. */
  readonly to?: CampaignStatus;
  /**
   * Digest of a directive that this one must not be. The same words in the same second would be the
   * same directive, and our signature would count for the one we mean to replace.
   */
  readonly unlike?: string;
  /** How long it is good for; two days unless told otherwise. */
  readonly validMs?: number;
}

/** What has to go with some moves. */
export interface Companions {
  readonly targets?: Uint8Array;
  readonly attachment?: Uint8Array;
  /** Signatures that others gave ahead, under the same payload. */
  readonly presigned?: Envelope;
}

/**
 * Write down a move from where the campaign stands.
 *
 * @throws {@link RefusedMoveError} `transition_refused`, naming what is allowed, or
 *   `statement_invalid` for a missing reason: before anything is signed.
 */
export function describeMove(session: OfficerSession, standing: Standing, move: Move): Uint8Array {
  try {
    return payloadOf(session, standing, move);
  } catch (cause) {
    // Our own words were refused, not somebody's proof: nobody has to be told.
    if (!(cause instanceof ProtocolError)) throw cause;
    const needsReason = cause.code === 'statement_invalid' && (move.reason ?? '').trim() === '';
    const advice = needsReason
      ? 'give --reason TEXT'
      : `see: sealdrop inspect ${standing.state.campaign}`;
    throw new RefusedMoveError(cause.code, cause.message, advice, { cause });
  }
}

function payloadOf(session: OfficerSession, standing: Standing, move: Move): Uint8Array {
  const { state, plan } = standing;
  const { revised, validMs = VALID_MS } = move;
  const now = session.context.now();
  const row = getMove(state.status, move.action);
  const directiveUntil = (expiresAt: number): Directive => ({
    plan: revised === undefined ? state.plan : planDigest(revised.planBytes),
    campaign: state.campaign,
    network: state.network,
    rootVersion: session.trust.root.version,
    exercise: state.exercise,
    action: move.action,
    from: state.status,
    to: nextStatus(state.status, row.by, move.to),
    sequence: state.sequence + 1,
    previous: state.previous,
    revision: revised?.plan.revision ?? state.revision,
    reason: move.reason ?? '',
    issuedAt: formatTime(now),
    expiresAt: formatTime(expiresAt),
    ...(move.releaseTime !== undefined && { releaseTime: move.releaseTime }),
    ...(move.override === true && { override: true }),
  });
  let directive = directiveUntil(now + validMs);
  if (directiveDigest(encodeDirective(directive)) === move.unlike) {
    directive = directiveUntil(now + validMs + 1000);
  }
  const payload = encodeDirective(directive);
  const plans = plansFor(state, plan, revised);
  applyDirective(state, directive, directiveDigest(payload), now, plans);
  return payload;
}

/** Add our signature to a directive, as proposer or as approver. */
export async function signMove(
  session: OfficerSession,
  payload: Uint8Array,
  { campaign, action }: { readonly campaign: string; readonly action: Action },
  { targets, attachment, presigned }: Companions = {},
): Promise<DirectiveAnswer> {
  const { client, home, keys } = session;
  // Before the signature leaves: an agent of ours must not publish what we vote to stop.
  if (action === 'abort') await stopOwnAgent(home, campaign);
  const { sequence, releaseTime } = parseDirective(payload);
  if (releaseTime !== undefined) await delayOwnAgent(home, campaign, { sequence, releaseTime });
  const own = signEnvelope(payload, keys.signer);
  return client.sendDirective(campaign, {
    envelope: envelopeJsonOf(presigned === undefined ? own : mergeSignatures(own, presigned)),
    ...(targets && { targets: toBase64(targets) }),
    ...(attachment && { attachment: toBase64(attachment) }),
  });
}

/** Say how far a directive has come. */
export function tellProgress(
  { context }: OfficerSession,
  campaign: string,
  action: Action,
  { completed, signed, threshold, status }: DirectiveAnswer,
): void {
  const people = signed.join(', ');
  context.out.line(
    completed
      ? `${action} of ${campaign} is done, signed by ${people}: now ${status}`
      : `${action} of ${campaign} has ${signed.length} of ${threshold} signatures: ${people}`,
  );
  if (!completed) {
    const draft = needsDraft(action) ? ' --draft FILE' : '';
    context.out.note(`the other officers add theirs with: sealdrop approve ${campaign}${draft}`);
  }
}
