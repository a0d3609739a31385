import type { z } from 'zod';
import type { tallyResponse } from '../../protocol/api/adoption.ts';
import type {
  campaignView,
  createCampaignRequest,
  createCampaignResponse,
  custodyResponse,
  eventsResponse,
} from '../../protocol/api/campaign.ts';
import type {
  directiveRequest,
  directiveResponse,
  directivesResponse,
} from '../../protocol/api/directive.ts';
import type { commitmentView, openingsResponse } from '../../protocol/api/disclosure.ts';
import type { envelopeJson, receiptResponse } from '../../protocol/api/exchange.ts';
import type {
  contactsResponse,
  messagesAccepted,
  messagesRequest,
  messagesResponse,
} from '../../protocol/api/message.ts';
import type {
  enrolmentRequest,
  enrolmentsResponse,
  inboxResponse,
} from '../../protocol/api/operator.ts';
import type { statementsResponse } from '../../protocol/api/statement.ts';
import type { publishRootResponse, rootsResponse } from '../../protocol/api/trust.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import type { HttpAnswer } from './http.ts';
import type { Session } from '../home/sessions.ts';

/** An envelope as it stands in a JSON body; `readEnvelope` (client/envelope.ts) judges it. */
export type EnvelopeJson = z.infer<typeof envelopeJson>;
export type CampaignView = z.infer<typeof campaignView>;
export type CommitmentView = z.infer<typeof commitmentView>;
export type ContactEntry = z.infer<typeof contactsResponse>['contacts'][number];
export type CustodyShare = z.infer<typeof custodyResponse>['custody'][number];
export type DeliveryEntry = z.infer<typeof messagesResponse>['messages'][number];
export type DirectiveAnswer = z.infer<typeof directiveResponse>;
export type DirectivesView = z.infer<typeof directivesResponse>;
export type EnrolmentEntry = z.infer<typeof enrolmentsResponse>['enrolments'][number];
export type EventEntry = z.infer<typeof eventsResponse>['events'][number];
export type InboxEntry = z.infer<typeof inboxResponse>['campaigns'][number];
export type LoggedRoot = z.infer<typeof rootsResponse>['roots'][number];
export type OpeningEntry = z.infer<typeof openingsResponse>['openings'][number];
export type OutgoingMessage = z.infer<typeof messagesRequest>['messages'][number];
export type Receipt = z.infer<typeof receiptResponse>;
export type StatementEntry = z.infer<typeof statementsResponse>['statements'][number];
export type TallyView = z.infer<typeof tallyResponse>;

/**
 * The server's routes, one method each. Answers are checked for shape and nothing else: whatever
 * matters in them is signed, and whoever asks verifies it. Lists are read to their end.
 *
 * Every method throws {@link ProblemError}, {@link TemporaryError} or {@link InterruptedError}; and
 * {@link ProtocolError} when the answer has another shape or is too long.
 *
 * @see docs/spec/http.md
 */
export interface Client {
  /** Base URL as `trust add` stored it. */
  readonly server: string;
  /** Who the server takes the holder of this key for; logs in when needed. */
  whoAmI(): Promise<Pick<Session, 'role' | 'id'>>;

  // Public: asked without showing who asks.

  /** The newest checkpoint, a signed note; `client/checkpoint.ts` verifies it. */
  checkpoint(): Promise<string>;
  /** A tile or entry bundle by path: `tile/0/x001/067`, `tile/entries/000.p/5`. */
  tile(path: string): Promise<Uint8Array>;
  /** A file of the log's timestamps by path, see `TIMESTAMPS`. */
  findTimestamp(path: string): Promise<Uint8Array | undefined>;
  /** `<version>.root.json`; `undefined` while there is no such version. */
  findRoot(version: number): Promise<Uint8Array | undefined>;
  /** Every root that was ever in force, by the server's word; see {@link findRoot}. */
  roots(): Promise<readonly LoggedRoot[]>;
  /** Give the next root to the server. It verifies it as we do. */
  publishRoot(root: Uint8Array, targets: Uint8Array): Promise<z.infer<typeof publishRootResponse>>;
  commitments(): Promise<readonly CommitmentView[]>;
  commitment(sha256: string): Promise<CommitmentView>;
  /** Endorsements of a commitment, the latest of each endorser. */
  endorsements(commitment: string): Promise<readonly EnvelopeJson[]>;
  sendEndorsement(commitment: string, envelope: Envelope): Promise<Receipt>;
  /** A canonical stake snapshot by its digest. */
  snapshot(sha256: string): Promise<Uint8Array>;
  enrol(request: z.input<typeof enrolmentRequest>): Promise<Receipt>;

  // Officers' and operators' common ground.

  campaign(id: string): Promise<CampaignView>;
  /** The exact bytes of plan.txt: the one in force, or another that was or may be. */
  plan(id: string, digest?: string): Promise<Uint8Array>;
  /** The snapshot that the plan pins. */
  campaignSnapshot(id: string): Promise<Uint8Array>;
  directives(id: string): Promise<DirectivesView>;
  /** Shares that are out; empty before the release time. */
  shares(id: string): Promise<readonly EnvelopeJson[]>;
  releaseKey(id: string): Promise<EnvelopeJson>;
  /** The second age file, with the signatures over the plaintext: of a plan, or of the one in force. */
  signatures(id: string, plan?: string): Promise<Uint8Array>;
  tally(id: string): Promise<TallyView>;
  events(id: string, after?: number): Promise<readonly EventEntry[]>;
  statements(id: string): Promise<readonly StatementEntry[]>;
  /** Stream ciphertext to a new file at `path`, left there only if digest and size are these. */
  downloadBlob(sha256: string, size: number, path: string): Promise<void>;
  /** `timestamp.json`, `<n>.snapshot.json` or `<n>.targets.json`. */
  tuf(name: string): Promise<HttpAnswer>;

  // Operators.

  inbox(): Promise<readonly InboxEntry[]>;
  sendStatement(id: string, envelope: Envelope): Promise<Receipt>;

  // Officers.

  enrolments(): Promise<readonly EnrolmentEntry[]>;
  postSnapshot(content: Uint8Array): Promise<{ readonly sha256: string }>;
  /** Stream a file up under its digest. Sending it again changes nothing. */
  uploadBlob(path: string, sha256: string): Promise<void>;
  createCampaign(
    request: z.input<typeof createCampaignRequest>,
  ): Promise<z.infer<typeof createCampaignResponse>>;
  campaigns(): Promise<readonly CampaignView[]>;
  /** The caller's own shares under a plan, each an age file to the caller. */
  custody(id: string, plan: string): Promise<readonly CustodyShare[]>;
  sendDirective(id: string, request: z.input<typeof directiveRequest>): Promise<DirectiveAnswer>;
  putSignatures(id: string, plan: string, ciphertext: Uint8Array): Promise<void>;
  publishShare(id: string, envelope: Envelope): Promise<void>;
  publishReleaseKey(id: string, envelope: Envelope): Promise<void>;
  sendMessages(
    id: string,
    messages: readonly OutgoingMessage[],
  ): Promise<z.infer<typeof messagesAccepted>>;
  messages(id: string): Promise<readonly DeliveryEntry[]>;
  contacts(id: string): Promise<readonly ContactEntry[]>;

  /** What firms said of every plan of a campaign. */
  reviews(id: string): Promise<readonly EnvelopeJson[]>;

  // Reviewers.

  sendReview(id: string, envelope: Envelope): Promise<Receipt>;

  // After disclosure.

  document(id: string, name: string): Promise<Uint8Array>;
  /** `AGE-SECRET-KEY-1…` of the closing bundle. */
  closingKey(id: string): Promise<string>;
  openings(id: string): Promise<readonly OpeningEntry[]>;
  /** Keys of the dummies that are opened, as `formatDummyKeys` writes them. */
  dummies(): Promise<string>;
}
