import { verifyEd25519 } from '../../platform/ed25519.ts';
import type { Output } from '../output.ts';
import { VerificationError } from '../errors.ts';
import type { Home } from '../home/home.ts';
import { keepEvidence } from '../log/evidence.ts';
import type { KeepEvidence } from '../log/testimony.ts';
import { openRecordDirectory } from '../record/record-files.ts';
import { auditRecord } from './audit.ts';
import { count, type CheckResult } from './check.ts';

export interface ReportInputs {
  /** The record's folder. */
  readonly directory: string;
  readonly rootSha256: string | undefined;
  /** Notes by the log's key. */
  readonly receipts?: readonly string[];
  /** Where evidence is kept. */
  readonly home: Home;
}

const MARK = { pass: 'ok', fail: 'FAIL', skip: 'skip' } as const;

/**
 * Audit a record on disk and say what was found, check by check, then in one sentence.
 *
 * @throws {@link VerificationError} when a check failed, after all of them have been told.
 */
export async function reportAudit(
  out: Output,
  { directory, rootSha256, receipts = [], home }: ReportInputs,
): Promise<readonly CheckResult[]> {
  if (rootSha256 === undefined) {
    out.line('The root of trust is NOT pinned: anybody could have made this record up.');
    out.line('Give --root-sha256 with the digest that the foundation publishes elsewhere.');
    out.event('warning', { message: 'the root of trust is not pinned' });
  }
  const files = await openRecordDirectory(directory);
  const keep: KeepEvidence = (evidence) => keepEvidence(home, evidence);
  const inputs = { files, rootSha256, receipts, verify: verifyEd25519, keep };
  const results = await auditRecord(inputs, (result) => {
    const { id, title, status, detail } = result;
    out.event('check', result);
    out.line(`${MARK[status].padEnd(4)}  ${id}: ${title}`);
    out.line(`      ${detail}`);
  });
  const failed = results.filter(({ status }) => status === 'fail').map(({ id }) => id);
  if (failed.length > 0) {
    throw new VerificationError(
      `the record does not hold: ${count(failed.length, 'check')} failed (${failed.join(', ')})`,
      'do not rely on it; each failed check says above what it found',
    );
  }
  return results;
}
