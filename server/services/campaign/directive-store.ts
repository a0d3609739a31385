import type { NewTargets } from './change.ts';
import type { CustodyShare } from './registry.ts';

/** A directive that still lacks signatures. */
export interface Proposal {
  /** Who began it; each officer has at most one. */
  readonly proposer: string;
  /** SHA-256 of the payload. */
  readonly digest: string;
  readonly envelope: string;
  /** TUF targets metadata by the same signers, as text. */
  readonly targets: string | null;
  /** Later is higher; chosen by the store for a new one. */
  readonly seq?: number;
}

/** What was promised for a completed directive. */
interface DirectivePromise {
  /** Null where a release without receipts has taken it. */
  readonly receipt: string | null;
  /** Base64. */
  readonly opening: string;
  readonly completedAt: string;
}

export interface DirectiveStore {
  /** In order of their sequence. */
  listDirectives(
    campaign: string,
  ): Promise<readonly { envelope: string; digest: string; completedAt: string }[]>;
  /** What is known of the leaf of a completed directive. */
  getPromise(campaign: string, sequence: number): Promise<DirectivePromise>;
  /** In order of `seq`. */
  listProposals(campaign: string): Promise<readonly Required<Proposal>[]>;
  /** Add or replace what this proposer has begun. */
  saveProposal(
    campaign: string,
    proposal: Proposal,
    attachment: { readonly officer: string; readonly sealed: string } | undefined,
  ): Promise<void>;
  listAttachments(campaign: string): Promise<readonly { officer: string; sealed: string }[]>;
  listCustody(plan: string, officer: string): Promise<readonly CustodyShare[]>;
  findSignatures(plan: string): Promise<string | undefined>;
  saveSignatures(plan: string, sealed: string): Promise<void>;
  readonly findLatestTargets: () => Promise<NewTargets | undefined>;
}
