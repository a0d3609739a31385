import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../world.ts';
import type { Founded } from './found.ts';
import type { Staged } from './stage.ts';

/** The record as an auditor found it. */
export interface Kept {
  readonly record: string;
  readonly auditOk: boolean;
  readonly checks: number;
  /** Second and third line of the checkpoint. */
  readonly checkpoint: { readonly size: number; readonly root: string };
}

/** Download the whole campaign as anyone may, and audit the files without a network. */
export async function keepRecord(
  { auditor, narrator }: World,
  founded: Founded,
  { campaign }: Staged,
  out: string,
): Promise<Kept> {
  await auditor.run('trust add', [founded.url], { rootSha256: founded.rootSha256 });
  await auditor.run('record', [campaign], { out, unaudited: true });
  const audit = await auditor.run('audit', [out], { rootSha256: founded.rootSha256 });
  const [, size, root] = (await readFile(join(out, 'log', 'checkpoint'), 'utf8')).split('\n');
  const checks = Number(audit['passed']);
  narrator.said(`${checks} checks passed, 0 failed; log of ${String(size)} leaves`);
  return {
    record: out,
    auditOk: audit['failed'] === 0,
    checks,
    checkpoint: { size: Number(size), root: String(root) },
  };
}
