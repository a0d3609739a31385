import { ProtocolError } from '../../protocol/errors.ts';
import type { VerifyEd25519 } from '../../protocol/signature/ed25519.ts';
import type { KeepEvidence } from '../log/testimony.ts';
import type { RecordFiles } from '../record/record-files.ts';

/** One question an audit asks of a record. */
export interface Check {
  /** Stable, for scripts: `log.root`. */
  readonly id: string;
  /** What is true when it passes, as a sentence without full stop. */
  readonly title: string;
  /**
   * @returns What was found, for the reader of the report.
   * @throws when the title is not true; see {@link AuditError}.
   */
  run(audit: Audit): Promise<string>;
}

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'skip';
  readonly detail: string;
}

/**
 * Something that several checks build on and that is established once.
 *
 * When it cannot be, the check called `check` fails and the others that need it are skipped, so
 * that one fault is one failure in the report.
 */
export interface Fact<T> {
  readonly check: string;
  establish(audit: Audit): Promise<T>;
}

/** What an audit is given, and what it has established so far. */
export interface Audit {
  readonly files: RecordFiles;
  /** SHA-256 of the first root of trust, from a source other than the record. */
  readonly pin: string | undefined;
  /** Notes by the log's key that somebody kept. */
  readonly receipts: readonly string[];
  readonly verify: VerifyEd25519;
  /** Keeps evidence outside of the record; undefined for who wants none. */
  readonly keep: KeepEvidence | undefined;
  get<T>(fact: Fact<T>): Promise<T>;
}

/** The record contradicts itself or its rules. The message is for the report. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

/** A check that has nothing to look at, by the choice of whoever runs the audit. */
export class NotAskedError extends Error {
  override readonly name = 'NotAskedError';
}

class NotEstablishedError extends Error {
  override readonly name = 'NotEstablishedError';
  readonly check: string;

  constructor(check: string, cause: unknown) {
    super(`needs ${check}, which failed`, { cause });
    this.check = check;
  }
}

export function openAudit(inputs: Omit<Audit, 'get'>): Audit {
  const established = new Map<Fact<unknown>, Promise<unknown>>();
  const audit: Audit = {
    ...inputs,
    get<T>(fact: Fact<T>): Promise<T> {
      const known = established.get(fact) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const promise = fact.establish(audit).catch((error: unknown) => {
        throw error instanceof NotEstablishedError
          ? error
          : new NotEstablishedError(fact.check, error);
      });
      established.set(fact, promise);
      return promise;
    },
  };
  return audit;
}

/** Run one check. Whatever it throws is a failure: an audit that cannot look does not approve. */
export async function runCheck(check: Check, audit: Audit): Promise<CheckResult> {
  const { id, title } = check;
  try {
    return { id, title, status: 'pass', detail: await check.run(audit) };
  } catch (error) {
    if (error instanceof NotAskedError) return { id, title, status: 'skip', detail: error.message };
    if (error instanceof NotEstablishedError) {
      if (error.check !== id) return { id, title, status: 'skip', detail: error.message };
      return { id, title, status: 'fail', detail: describe(error.cause) };
    }
    return { id, title, status: 'fail', detail: describe(error) };
  }
}

/** @throws {@link AuditError} unless `holds`. */
export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new AuditError(otherwise);
}

/**
 * Say whose part of the record is being judged, in front of what a parser or verifier says of it.
 */
export function within<T>(what: string, judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    throw new AuditError(`${what}: ${describe(error)}`, { cause: error });
  }
}

/**
 * Judge one revision after the other, and say in front of a complaint of which one it is where there
 * are several.
 */
export async function forRevisions<R extends { readonly plan: { readonly revision: number } }, T>(
  revisions: readonly R[],
  judge: (revision: R, index: number) => Promise<T> | T,
): Promise<readonly T[]> {
  const judged: T[] = [];
  for (const [i, revision] of revisions.entries()) {
    try {
      judged.push(await judge(revision, i));
    } catch (error) {
      if (revisions.length === 1 || error instanceof NotEstablishedError) throw error;
      const message = `revision ${revision.plan.revision}: ${describe(error)}`;
      throw new AuditError(message, { cause: error });
    }
  }
  return judged;
}

/** What was found of each revision, for the report; of the only one without its number. */
export function tellRevisions(found: readonly string[]): string {
  if (found.length === 1) return found[0] ?? '';
  return found.map((it, i) => `revision ${i + 1}: ${it}`).join('; ');
}

function describe(error: unknown): string {
  if (error instanceof ProtocolError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

/** `1 statement`, `2 statements`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
