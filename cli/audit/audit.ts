import type { VerifyEd25519 } from '../../protocol/signature/ed25519.ts';
import type { KeepEvidence } from '../log/testimony.ts';
import type { RecordFiles } from '../record/record-files.ts';
import { adoptionChecks } from './adoption.ts';
import { announcedChecks } from './announced.ts';
import { bundleChecks } from './bundles.ts';
import { openAudit, runCheck, type Check, type CheckResult } from './check.ts';
import { contentChecks } from './content.ts';
import { directiveChecks } from './directives.ts';
import { endorsementChecks } from './endorsements.ts';
import { enrolmentChecks } from './enrolments.ts';
import { fileChecks } from './files.ts';
import { logChecks } from './log.ts';
import { openingChecks } from './openings.ts';
import { orderChecks } from './order.ts';
import { planChecks } from './plan.ts';
import { publishedChecks } from './published.ts';
import { receiptChecks } from './receipts.ts';
import { reviewChecks } from './reviews.ts';
import { shareChecks } from './shares.ts';
import { signatureChecks } from './signatures.ts';
import { statementChecks } from './statements.ts';
import { timestampChecks } from './timestamps.ts';
import { trustChecks } from './trust.ts';
import { witnessChecks } from './witnesses.ts';

/** Everything an audit looks at, from the outside in. */
const CHECKS: readonly Check[] = [
  ...fileChecks,
  ...trustChecks,
  ...logChecks,
  ...witnessChecks,
  ...planChecks,
  ...directiveChecks,
  ...reviewChecks,
  ...endorsementChecks,
  ...announcedChecks,
  ...timestampChecks,
  ...openingChecks,
  ...contentChecks,
  ...publishedChecks,
  ...shareChecks,
  ...bundleChecks,
  ...signatureChecks,
  ...enrolmentChecks,
  ...statementChecks,
  ...adoptionChecks,
  ...orderChecks,
  ...receiptChecks,
];

export interface AuditInputs {
  readonly files: RecordFiles;
  /** SHA-256 of the first root of trust; without it anybody could have made up the record. */
  readonly rootSha256?: string | undefined;
  /** Receipts that somebody kept: what the server promised to log. */
  readonly receipts?: readonly string[];
  readonly verify: VerifyEd25519;
  /** Keeps evidence of what operators were shown, outside of the record. */
  readonly keep?: KeepEvidence | undefined;
}

/**
 * Audit a record from its files alone: no clock, no network, nothing believed but the pinned root.
 *
 * @param onResult - Told of each check when it is done.
 * @returns Every check's result, in their order. The record is good when none failed.
 */
export async function auditRecord(
  { files, rootSha256, receipts = [], verify, keep }: AuditInputs,
  onResult: (result: CheckResult) => void = () => undefined,
): Promise<readonly CheckResult[]> {
  const audit = openAudit({ files, pin: rootSha256, receipts, verify, keep });
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    const result = await runCheck(check, audit);
    results.push(result);
    onResult(result);
  }
  return results;
}
