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

export interface AuditTimes {
  readonly leaves: number;
  readonly threads: number;
  readonly rounds: readonly AuditRound[];
  /** Medians over the rounds: to hashing from the same standing start, and to hashing that never started. */
  readonly ratio: { readonly started: Ratio; readonly warm: Ratio };
  readonly peakBytes: number;
}

/** Audit a log in a folder, and hash the same inputs bare, in turn. */
export async function measureAudit(leaves: number, count: number): Promise<AuditTimes> {
  const threads = availableParallelism();
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-bench-audit-'));
  try {
    const { key } = writeBenchLog(directory, leaves);
    const audit = (): Promise<AuditRun> =>
      inProcess<AuditRun>(new URL('audit-run.ts', import.meta.url), directory, key, `${threads}`);
    const hashAlone = (): Promise<Run> =>
      inProcess<Run>(new URL('hash-run.ts', import.meta.url), `${leaves}`, `${threads}`);
    const hashWarm = (): Promise<HashRate> => measureHashRate(threads, HASH_MS);
    await audit(); // the files are in the page cache from here on, and compiled code is kept
    await hashAlone();
    const rounds: AuditRound[] = [];
    while (rounds.length < count) {
      const before = { warm: await hashWarm(), hashing: await hashAlone() };
      const run = await audit();
      const hashing = [before.hashing, await hashAlone()];
      rounds.push({ warm: [before.warm, await hashWarm()], hashing, audit: run });
    }
    const ratioTo = (peer: (round: AuditRound) => Rate): Ratio => ({
      wall: median(rounds.map((round) => rateOf(round.audit).perSecond / peer(round).perSecond)),
      cpu: median(rounds.map((round) => peer(round).cpuNs / rateOf(round.audit).cpuNs)),
    });
    const ratio = { started: ratioTo(startedRate), warm: ratioTo(warmRate) };
    const peakBytes = Math.max(...rounds.map(({ audit: run }) => run.peakBytes));
    return { leaves, threads, rounds, ratio, peakBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Rate = HashRate;

function rateOf({ leaves, ms, cpuMs }: Run): Rate {
  return { perSecond: (leaves * 1000) / ms, cpuNs: (cpuMs * 1e6) / leaves };
}

const startedRate = ({ hashing }: AuditRound): Rate => meanOf(hashing.map(rateOf));
const warmRate = ({ warm }: AuditRound): Rate => meanOf(warm);

function meanOf(rates: readonly Rate[]): Rate {
  const mean = (read: (rate: Rate) => number): number =>
    rates.reduce((sum, rate) => sum + read(rate), 0) / rates.length;
  return { perSecond: mean(({ perSecond }) => perSecond), cpuNs: mean(({ cpuNs }) => cpuNs) };
}

async function inProcess<T extends Run>(script: URL, ...args: readonly string[]): Promise<T> {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED };
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(script), ...args], {
    env,
  });
  return JSON.parse(stdout) as T;
}

export function auditTable({ rounds, ratio, peakBytes }: AuditTimes): string {
  const row = (what: string, read: (round: AuditRound) => Rate, peer?: Ratio): string[] => [
    what,
    median(rounds.map((round) => read(round).perSecond)).toFixed(0),
    median(rounds.map((round) => read(round).cpuNs)).toFixed(0),
    peer?.wall.toFixed(2) ?? '',
    peer?.cpu.toFixed(2) ?? '',
  ];
  return [
    formatTable([
      ['', 'leaves a second', 'CPU ns a leaf', 'audit / it', 'by CPU time'],
      row('crypto.hash over the same inputs, from a standing start', startedRate, ratio.started),
      row('crypto.hash over the same inputs, running already', warmRate, ratio.warm),
      row('audit, from a standing start', ({ audit }) => rateOf(audit)),
    ]),
    '  all cores; the audit reads every tile and leaf and makes the root\n',
    `  peak memory of the audit ${(peakBytes / 2 ** 20).toFixed(0)} MiB\n`,
  ].join('');
}
