import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { writeBenchLog } from './audit-log.ts';
import { measureHashRate } from './hash-rate.ts';
import type { HashRate } from './hash-rate.ts';
import { formatTable, median } from './table.ts';

const HASH_MS = 700;
/** Where bin/sealdrop.mjs keeps compiled code. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/sealdrop', import.meta.url));

/** One audit of a whole log in a process of its own. */
interface AuditRun {
  readonly leaves: number;
  readonly tiles: number;
  /** From opening the checkpoint to the last comparison, threads started and code compiled on the way. */
  readonly ms: number;
  readonly cpuMs: number;
  /** Most memory the process had, all threads together. */
  readonly peakBytes: number;
}

/** Bare hashing, an audit, bare hashing again: others may be at work on the machine. */
interface AuditRound {
  readonly before: HashRate;
  readonly run: AuditRun;
  readonly after: HashRate;
}

export interface AuditTimes {
  readonly leaves: number;
  readonly threads: number;
  readonly rounds: readonly AuditRound[];
  /** Medians over the rounds of the audit's rate over that of hashing. */
  readonly ratio: { readonly wall: number; readonly cpu: number };
  readonly peakBytes: number;
}

/** Audit a log in a folder, and hash the same inputs bare, in turn. */
export async function measureAudit(leaves: number, count: number): Promise<AuditTimes> {
  const threads = availableParallelism();
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-bench-audit-'));
  try {
    const { key } = writeBenchLog(directory, leaves);
    await runAudit(directory, key, threads); // the files are in the page cache from here on
    const rounds: AuditRound[] = [];
    while (rounds.length < count) {
      const before = await measureHashRate(threads, HASH_MS);
      const run = await runAudit(directory, key, threads);
      rounds.push({ before, run, after: await measureHashRate(threads, HASH_MS) });
    }
    const wall = median(
      rounds.map(({ before, run, after }) => {
        const hashing = (before.perSecond + after.perSecond) / 2;
        return (run.leaves * 1000) / run.ms / hashing;
      }),
    );
    const cpu = median(
      rounds.map(({ before, run, after }) => {
        const hashing = (before.cpuNs + after.cpuNs) / 2;
        return hashing / ((run.cpuMs * 1e6) / run.leaves);
      }),
    );
    const peakBytes = Math.max(...rounds.map(({ run }) => run.peakBytes));
    return { leaves, threads, rounds, ratio: { wall, cpu }, peakBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runAudit(directory: string, key: string, threads: number): Promise<AuditRun> {
  const path = fileURLToPath(new URL('audit-run.ts', import.meta.url));
  const args = [path, directory, key, String(threads)];
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as AuditRun;
}

export function auditTable({ rounds, ratio, peakBytes }: AuditTimes): string {
  const of = (read: (round: AuditRound) => number): number => median(rounds.map(read));
  const hashing = of(({ before, after }) => (before.perSecond + after.perSecond) / 2);
  const hashingNs = of(({ before, after }) => (before.cpuNs + after.cpuNs) / 2);
  const auditing = of(({ run }) => (run.leaves * 1000) / run.ms);
  const auditingNs = of(({ run }) => (run.cpuMs * 1e6) / run.leaves);
  return [
    formatTable([
      ['', 'leaves a second', 'CPU ns a leaf'],
      ['crypto.hash over the same inputs, all cores', hashing.toFixed(0), hashingNs.toFixed(0)],
      ['audit: every tile, every leaf, the root', auditing.toFixed(0), auditingNs.toFixed(0)],
      ['ratio', ratio.wall.toFixed(2), ratio.cpu.toFixed(2)],
    ]),
    `  peak memory of the audit ${(peakBytes / 2 ** 20).toFixed(0)} MiB\n`,
  ].join('');
}
