import { isOfficerSignature } from '../../protocol/embargo/sums-signatures.ts';
import { inRevision, RECORD } from '../../protocol/record/layout.ts';
import { demand, type Audit } from './check.ts';

/** Paths of the files below a folder, given with its final slash; sorted. */
export function pathsIn(audit: Audit, folder: string): readonly string[] {
  return [...audit.files.sizes.keys()].filter((path) => path.startsWith(folder)).sort();
}

/**
 * Check that a folder holds exactly these files.
 *
 * @throws {@link AuditError} naming the first that is missing or too many.
 */
export function requirePaths(audit: Audit, folder: string, expected: Iterable<string>): void {
  const wanted = new Set(expected);
  for (const path of wanted) demand(audit.files.sizes.has(path), `${path} is missing`);
  for (const path of pathsIn(audit, folder)) demand(wanted.has(path), `${path} does not belong`);
}

/**
 * What a record may hold of signatures over one revision's plaintext, by the names they have in its
 * folder: two files, and officers' pairs.
 */
export function signatureNames(audit: Audit, revision: number): readonly string[] {
  const folder = inRevision(revision, '');
  const ofOfficers = pathsIn(audit, folder)
    .map((path) => path.slice(folder.length))
    .filter(isOfficerSignature);
  return [RECORD.sumsSignature, RECORD.releaseStatement, ...ofOfficers.sort()];
}

/** Sizes of the checkpoints that have a token, ascending. */
export function timestampSizes(audit: Audit): readonly number[] {
  const sizes = pathsIn(audit, 'timestamps/').flatMap((path) => {
    const [, size] = /^timestamps\/([1-9]\d{0,15})\.tsr$/.exec(path) ?? [];
    return size === undefined ? [] : [Number(size)];
  });
  return sizes.sort((a, b) => a - b);
}
