import type { KeyName } from '../../protocol/plan/key-name.ts';
import type { LogSchema } from './log/schema.ts';

/** Every table with its columns, as `migrations/` leaves them; a test holds the two together. */
export interface Schema extends LogSchema {
  openings: {
    digest: string;
    queue_seq: number;
    campaign: string;
    kind: string;
    opening: string;
  };
  blobs: { sha256: string; size: number; stored_at: string };
  snapshots: { sha256: string; seq: number; network: string; point: string; posted_at: string };
  enrolments: {
    seq: number;
    digest: string;
    operator: string;
    envelope: string;
    email: string;
    openpgp: string;
    accepted_at: string;
    receipt: string;
    opening: string;
  };
  tuf_targets: { version: number; bytes: string; sha256: string };
  trust_roots: {
    version: number;
    bytes: string;
    sha256: string;
    published_at: string;
    queue_seq: number;
  };
  plans: { digest: string; campaign: string; revision: number; bytes: string; stored_at: string };
  campaigns: {
    id: string;
    plan: string;
    status: string;
    sequence: number;
    previous: string | null;
    root_version: number;
    release_time: string;
    latest_disclosure: string;
    released: number;
    events: number;
    created_at: string;
    armed_at: string | null;
    released_at: string | null;
    supermajority_at: string | null;
    disclosed_at: string | null;
    opened_at: string | null;
    closing_key: string | null;
    disclosure_seq: number | null;
    break_glass: number;
  };
  custody: { plan: string; key: KeyName; officer: string; sealed: string };
  signatures: { plan: string; sealed: string; stored_at: string };
  directives: {
    campaign: string;
    sequence: number;
    digest: string;
    envelope: string;
    completed_at: string;
    opening: string;
    /** Null for those that a release without receipts has taken. */
    receipt: string | null;
  };
  proposals: {
    campaign: string;
    proposer: string;
    digest: string;
    seq: number;
    envelope: string;
    targets: string | null;
  };
  attachments: { campaign: string; officer: string; sealed: string };
  commitments: { sha256: string; queue_seq: number; campaign: string; committed_at: string };
  events: {
    campaign: string;
    seq: number;
    at: string;
    type: string;
    detail: string;
    opening: string;
  };
  documents: { campaign: string; name: string; sha256: string; bytes: string };
  statements: {
    campaign: string;
    seq: number;
    operator: string;
    kind: string;
    revision: number;
    counter: number;
    digest: string;
    envelope: string;
    accepted_at: string;
    receipt: string;
    opening: string;
  };
  publications: {
    campaign: string;
    kind: KeyName | 'release-key';
    officer: string;
    subject: string;
    digest: string;
    envelope: string;
    accepted_at: string;
    receipt: string;
    opening: string;
  };
  reviews: {
    campaign: string;
    plan: string;
    firm: string;
    key: string;
    verdict: 'sound' | 'unsound';
    digest: string;
    envelope: string;
    accepted_at: string;
    receipt: string;
    opening: string;
  };
  endorsements: {
    commitment: string;
    endorser: string;
    issued_at: string;
    digest: string;
    envelope: string;
    accepted_at: string;
    receipt: string;
    opening: string;
  };
  /** Not used any more. */
  messages: {
    seq: number;
    campaign: string;
    operator: string;
    kind: 'notice' | 'closing';
    armored: string;
    message_id: string;
    state: 'queued' | 'deferred' | 'sent' | 'bounced';
    attempts: number;
    next_attempt_at: string;
    updated_at: string;
  };
  mails: {
    seq: number;
    campaign: string;
    operator: string;
    kind: 'notice' | 'turn' | 'closing';
    directive: number;
    armored: string;
    message_id: string;
    state: 'queued' | 'deferred' | 'sent' | 'bounced';
    attempts: number;
    next_attempt_at: string;
    updated_at: string;
  };
  accounted: { leaf: number; how: 'opened' | 'withheld' | 'dummy'; campaign: string };
}
