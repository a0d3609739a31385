import assert from 'node:assert/strict';
import { auditRecord, type AuditInputs } from '../../../../cli/audit/audit.ts';
import type { CheckResult } from '../../../../cli/audit/check.ts';
import { verifyEd25519 } from '../../../../platform/ed25519.ts';
import type { Files } from '../../../../protocol/embargo/tar.ts';
import { memoryFiles } from './memory.ts';

export type Given = Omit<Partial<AuditInputs>, 'files' | 'verify'>;

export function audit(files: Files, given: Given = {}): Promise<readonly CheckResult[]> {
  return auditRecord({ files: memoryFiles(files), verify: verifyEd25519, ...given });
}

/** Ids of the checks that failed, each with what was said. */
export async function failuresOf(files: Files, given?: Given): Promise<Map<string, string>> {
  const results = await audit(files, given);
  const failed = results.filter(({ status }) => status === 'fail');
  return new Map(failed.map(({ id, detail }) => [id, detail]));
}

export async function assertGood(files: Files, given?: Given): Promise<void> {
  assert.deepEqual([...(await failuresOf(files, given))], []);
}

/** The check must fail, for this reason. Others may fail as well. */
export async function assertFails(files: Files, id: string, reason: RegExp): Promise<void> {
  const failures = await failuresOf(files);
  assert.match(failures.get(id) ?? `${id} passed; failed: ${[...failures.keys()].join()}`, reason);
}
