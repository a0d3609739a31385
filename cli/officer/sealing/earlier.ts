import { commitmentName, type CommitmentEntry } from '../../../protocol/commitment/commitment.ts';
import { earlierName } from '../../../protocol/embargo/closing-bundle.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { parsePlan } from '../../../protocol/plan/plan.ts';

/** What a revision takes along from those before it, so that nothing committed to is forgotten. */
export interface Earlier {
  /** The number that the new revision has. */
  readonly revision: number;
  /** The list before, as the new one lists it; nothing for a first revision. */
  readonly entries: readonly CommitmentEntry[];
  /** All documents and lists so far, by the names that the new closing bundle gives them. */
  readonly files: readonly (readonly [string, Uint8Array])[];
}

/** @param draft - Of the revision in force; `undefined` for a first revision. */
export function earlierOf(draft: Draft | undefined): Earlier {
  if (draft === undefined) return { revision: 1, entries: [], files: [] };
  const { revision, commitment, documents } = parsePlan(draft.plan);
  const own = new Set(documents.map(({ name }) => name));
  return {
    revision: revision + 1,
    entries: [{ name: commitmentName(revision), sha256: commitment }],
    files: [...draft.documents].map(([name, bytes]) => {
      const isOwn = own.has(name) && !name.startsWith('COMMITMENT');
      return [isOwn ? earlierName(revision, name) : name, bytes];
    }),
  };
}
