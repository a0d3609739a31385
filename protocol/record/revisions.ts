import type { Revision } from '../campaign/chain.ts';
import { commitmentName } from '../commitment/commitment.ts';
import { releaseDigest } from '../embargo/approval.ts';
import { earlierName } from '../embargo/closing-bundle.ts';
import type { Publication } from '../embargo/publications.ts';
import type { Files } from '../embargo/tar.ts';
import type { Plan } from '../plan/plan.ts';
import type { OperatorStatement } from '../statement/operator.ts';
import { isPlanned } from '../statement/share.ts';
import { inRevision, RECORD } from './layout.ts';

/** A plan that officers put in force, and between which leaves of the log it was the newest. */
export interface LoggedRevision extends Revision {
  /** Leaf of the directive that put it in force; 0 for the first, which was there from the start. */
  readonly start: number;
  /** Leaf of the directive that put the next one in force; infinite for the last. */
  readonly end: number;
}

/** @param leafOf - The leaf of a directive, by its number. Not asked about the first revision. */
export function logRevisions(
  revisions: readonly Revision[],
  leafOf: (sequence: number) => number,
): readonly LoggedRevision[] {
  const starts = revisions.map(({ sequence }, i) => (i === 0 ? 0 : leafOf(sequence)));
  return revisions.map((revision, i) => {
    return { ...revision, start: starts[i] ?? 0, end: starts[i + 1] ?? Infinity };
  });
}

/**
 * The publications that count for a revision: of its own shares and keys, and logged before the next
 * one came. Those of an earlier revision are its own as long as it commits to them as well.
 *
 * @param published - By leaf.
 */
export function publishedFor<
  T extends { readonly index: number; readonly publication: Publication },
>({ plan, end }: LoggedRevision, published: readonly T[]): readonly T[] {
  return published.filter(({ index, publication }) => {
    return index < end && isPlanned(publication, plan);
  });
}

/**
 * The statements that count for a revision: logged before the next one came, and nothing that was
 * said of another `release.txt`.
 */
export function statementsFor<
  T extends { readonly index: number; readonly statement: Pick<OperatorStatement, 'subject'> },
>({ plan, end }: LoggedRevision, statements: readonly T[]): readonly T[] {
  const release = releaseDigest(plan);
  return statements.filter(({ index, statement: { subject } }) => {
    return index < end && (subject.name !== 'release.txt' || subject.sha256 === release);
  });
}

/**
 * A document of one revision, out of the files of the last revision's closing bundle.
 *
 * @throws when there is none, which verified files rule out for documents that every plan has.
 */
export function documentOf(
  documents: Files,
  plans: readonly Plan[],
  revision: number,
  name: string,
): Uint8Array {
  const bytes = documents.get(revision === plans.length ? name : earlierName(revision, name));
  if (bytes === undefined) throw new Error(`revision ${revision} has no ${name}`);
  return bytes;
}

/**
 * Where each committed list and document of all revisions is in a record, by the name that the last
 * revision's closing bundle has for it. A list is in `commitment/`, and with the documents of the next
 * revision, which commits to it.
 */
export function documentPaths(plans: readonly Plan[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  for (const { revision, documents } of plans) {
    const list = commitmentName(revision);
    paths.set(list, [RECORD.commitment(list)]);
    for (const { name } of documents) {
      const path = RECORD.document(revision, name);
      if (name.startsWith('COMMITMENT')) paths.get(name)?.push(path);
      else paths.set(revision === plans.length ? name : earlierName(revision, name), [path]);
    }
  }
  return paths;
}

/** Where the snapshot is that a revision pins: with the first one that pins it. */
export function snapshotPath(plans: readonly Plan[], { snapshot }: Plan): string {
  const first = plans.find((plan) => plan.snapshot.sha256 === snapshot.sha256);
  return inRevision(first?.revision ?? 1, RECORD.snapshot(snapshot.point));
}
