import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { writeBenchLog } from './audit-log.ts';
import type { HashRate } from './hash-rate.ts';
import { formatTable, median } from './table.ts';

const HASH_MS = 700;
/** Where bin/sealdrop.mjs keeps compiled code. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/sealdrop', import.meta.url));

/** One run over a whole log in a process of its own. */
interface Run {
  readonly leaves: number;
  /** From a standing start: threads started and code compiled on the way. */
  readonly ms: number;
  readonly cpuMs: number;
}

interface AuditRun extends Run {
  readonly tiles: number;
  /** Most memory the process had, all threads together. */
  readonly peakBytes: number;
}

/** What an audit costs, with bare hashing before and after it: others may be at work on the machine. */
interface AuditRound {
  readonly warm: readonly HashRate[];
  readonly hashing: readonly Run[];
  readonly audit: AuditRun;
}

/** Rate of the audit over that of hashing, by the clock and by CPU time. */
interface Ratio {
  readonly wall: number;
  readonly cpu: number;
}

/** The rounds on one kind of processor. */
interface ProcessorTimes {
  readonly processor: string;
  readonly rounds: readonly AuditRound[];
  /** Medians over the rounds: to hashing from the same standing start, and to hashing that never started. */
  readonly ratio: { readonly started: Ratio; readonly warm: Ratio };
}

export interface AuditTimes {
  readonly leaves: number;
  readonly threads: number;
  /** This processor; and if it has SHA instructions, itself without them. */
  readonly processors: readonly ProcessorTimes[];
  readonly peakBytes: number;
}

/**
 * Audit a log in a folder, and hash the same inputs bare, in turn.
 *
 * With SHA instructions a hash of a leaf takes less time than the call for it, so that the ratio says
 * more about calls. Many processors have none, and with those of this one masked the ratio is theirs.
 */
export async function measureAudit(leaves: number, count: number): Promise<AuditTimes> {
  const threads = availableParallelism();
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-bench-audit-'));
  try {
    const { key } = writeBenchLog(directory, leaves);
    const processors = [];
    for (const { processor, env } of knowsShaInstructions() ? WITH_AND_WITHOUT : AS_IT_IS) {
      const run = runIn(env);
      const audit = (): Promise<AuditRun> =>
        run(new URL('audit-run.ts', import.meta.url), directory, key, `${threads}`);
      const hashAlone = (): Promise<Run> =>
        run(new URL('hash-run.ts', import.meta.url), `${leaves}`, `${threads}`);
      const hashWarm = (): Promise<HashRate> =>
        run(new URL('hash-rate.ts', import.meta.url), `${threads}`, `${HASH_MS}`);
      await audit(); // the files are in the page cache from here on, and compiled code is kept
      await hashAlone();
      const rounds: AuditRound[] = [];
      while (rounds.length < count) {
        const before = { warm: await hashWarm(), hashing: await hashAlone() };
        const audited = await audit();
        const hashing = [before.hashing, await hashAlone()];
        rounds.push({ warm: [before.warm, await hashWarm()], hashing, audit: audited });
      }
      processors.push({ processor, rounds, ratio: ratiosOf(rounds) });
    }
    const peaks = processors.flatMap(({ rounds }) => rounds.map(({ audit }) => audit.peakBytes));
    return { leaves, threads, processors, peakBytes: Math.max(...peaks) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whether OpenSSL hashes by instructions that it can be told to leave alone: on x86-64, under Linux. */
function knowsShaInstructions(): boolean {
  try {
    return /^flags\s*:.* sha_ni\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}

const AS_IT_IS = [{ processor: 'this processor', env: {} }];
const WITH_AND_WITHOUT = [
  { processor: 'with SHA instructions', env: {} },
  // OPENSSL_ia32cap(3): bit 29 of EBX of CPUID leaf 7 off.
  { processor: 'without SHA instructions', env: { OPENSSL_ia32cap: ':~0x20000000' } },
];

function runIn(
  changes: NodeJS.ProcessEnv,
): <T>(script: URL, ...args: readonly string[]) => Promise<T> {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...changes };
  return async (script, ...args) => {
    const command = [fileURLToPath(script), ...args];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env });
    return JSON.parse(stdout) as never;
  };
}

function ratiosOf(rounds: readonly AuditRound[]): ProcessorTimes['ratio'] {
  const ratioTo = (peer: (round: AuditRound) => HashRate): Ratio => ({
    wall: median(rounds.map((round) => rateOf(round.audit).perSecond / peer(round).perSecond)),
    cpu: median(rounds.map((round) => peer(round).cpuNs / rateOf(round.audit).cpuNs)),
  });
  return { started: ratioTo(startedRate), warm: ratioTo(warmRate) };
}

function rateOf({ leaves, ms, cpuMs }: Run): HashRate {
  return { perSecond: (leaves * 1000) / ms, cpuNs: (cpuMs * 1e6) / leaves };
}

const startedRate = ({ hashing }: AuditRound): HashRate => meanOf(hashing.map(rateOf));
const warmRate = ({ warm }: AuditRound): HashRate => meanOf(warm);

function meanOf(rates: readonly HashRate[]): HashRate {
  const mean = (read: (rate: HashRate) => number): number =>
    rates.reduce((sum, rate) => sum + read(rate), 0) / rates.length;
  return { perSecond: mean(({ perSecond }) => perSecond), cpuNs: mean(({ cpuNs }) => cpuNs) };
}

export function auditReport({ leaves, threads, processors, peakBytes }: AuditTimes): string {
  const tables = processors.map(({ processor, rounds, ratio }) => {
    const row = (what: string, read: (round: AuditRound) => HashRate, peer?: Ratio): string[] => [
      what,
      median(rounds.map((round) => read(round).perSecond)).toFixed(0),
      median(rounds.map((round) => read(round).cpuNs)).toFixed(0),
      peer?.wall.toFixed(2) ?? '',
      peer?.cpu.toFixed(2) ?? '',
    ];
    return formatTable([
      [processor, 'leaves a second', 'CPU ns a leaf', 'audit / it', 'by CPU time'],
      row('crypto.hash over the same inputs, from a standing start', startedRate, ratio.started),
      row('crypto.hash over the same inputs, running already', warmRate, ratio.warm),
      row('audit, from a standing start', ({ audit }) => rateOf(audit)),
    ]);
  });
  const count = processors[0]?.rounds.length ?? 0;
  return [
    `Audit of a log of ${leaves} leaves in a folder, ${threads} threads, median of ${count} rounds\n\n`,
    tables.join('\n'),
    '\n  all cores; the audit reads every tile and leaf and makes the root\n',
    `  peak memory of the audit ${(peakBytes / 2 ** 20).toFixed(0)} MiB\n`,
  ].join('');
}
