import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { argv, stderr, stdout, versions } from 'node:process';
import { parseArgs } from 'node:util';

import { auditTable, measureAudit } from './audit.ts';
import type { DrillTimes } from './drill.ts';
import { measureDrill } from './drill.ts';
import { hiddenTable, measureHidden } from './hidden.ts';
import type { LogTimes } from './log.ts';
import { logTable, measureLog } from './log.ts';
import { measureOpenssl, opensslVersion } from './openssl.ts';
import type { StatementRound } from './statements.ts';
import { openStatementBench } from './statements.ts';
import { formatTable, median } from './table.ts';
import type { VerifyRate } from './verify.ts';
import { measureVerify } from './verify.ts';

const USAGE = `usage: npm run bench -- [options]

What is measured and against whom. Compare only figures of one run: the speed of a shared machine
drifts by a factor of two.

  --json             one JSON document instead of tables
  --only NAME        statements, log, audit, hidden or drill
  --leaves N         of the log that is audited (1000000)
  --operators N      operators, each with one kept-alive connection (128)
  --each N           statements of each operator in a round (45)
  --rounds N         of openssl, bare verification and statements in turn (3)
  --validators N     of the drill's network (200)
  --profile DIR      write a CPU profile of the server there; slows it down
`;

/** The server takes no more of one operator about one campaign. */
const MAX_EACH = 200;
/** Statements of each operator before anything is measured: code has to be compiled first. */
const WARM_UP = 20;
const PARTS = ['statements', 'log', 'audit', 'hidden', 'drill'] as const;
/** Requests for a hidden campaign, each beside one for a campaign that does not exist. */
const PAIRS = 2000;

/** One after the other within a minute, so that they can be compared. */
interface Round {
  readonly openssl: number;
  readonly verify: VerifyRate;
  readonly statements: StatementRound;
}

async function measureStatements(options: {
  readonly operators: number;
  readonly each: number;
  readonly rounds: number;
  readonly profile: string | undefined;
}): Promise<readonly Round[]> {
  const { operators, each, profile } = options;
  await using bench = await openStatementBench({
    operators,
    ...(profile !== undefined && {
      nodeOptions: `--cpu-prof --cpu-prof-dir=${resolve(profile)}`,
    }),
  });
  await bench.round(WARM_UP);
  const rounds: Round[] = [];
  while (rounds.length < options.rounds) {
    const openssl = await measureOpenssl();
    const verify = measureVerify();
    rounds.push({ openssl, verify, statements: await bench.round(each) });
  }
  return rounds;
}

function statementTable(rounds: readonly Round[]): string {
  const of = (read: (round: Round) => number): number => median(rounds.map(read));
  const row = (name: string, read: (round: Round) => number): string[] => [
    name,
    of(read).toFixed(0),
    of((round) => read(round) / round.openssl).toFixed(2),
  ];
  const rows = [
    ['', 'per second', 'x openssl'],
    row('openssl speed ed25519, verify, one core', ({ openssl }) => openssl),
    row('verifyEd25519 alone, one core', ({ verify }) => verify.perSecond),
    row('statements accepted durably over HTTP', ({ statements }) => statements.perSecond),
  ];
  const cpu = rounds.flatMap(({ openssl, statements: { serverCpuMs, count } }) =>
    serverCpuMs === undefined ? [] : [(serverCpuMs / 1000 / count) * openssl],
  );
  const p50 = of(({ statements }) => statements.p50Ms).toFixed(0);
  const p99 = of(({ statements }) => statements.p99Ms).toFixed(0);
  const share = of(({ verify }) => verify.coreShare * 100).toFixed(0);
  return [
    formatTable(rows),
    '\n',
    `  answered after ${p50} ms (p50), ${p99} ms (p99)\n`,
    cpu.length === 0
      ? ''
      : `  one statement takes the server the CPU time of ${median(cpu).toFixed(1)} openssl verifications\n`,
    `  a busy process got ${share} % of a core meanwhile; below 100, others were at work here,\n`,
    '  which slows down statements and not the other two, which count CPU time\n',
  ].join('');
}

function drillTable({ phases }: DrillTimes): string {
  const total = phases.reduce((sum, { ms }) => sum + ms, 0);
  return formatTable([
    ['', 'seconds', 'share'],
    ...phases.map(({ phase, ms }) => [
      phase,
      (ms / 1000).toFixed(1),
      `${((ms / total) * 100).toFixed(0)} %`,
    ]),
  ]);
}

function countOf(text: string, name: string, max: number): number {
  const count = Number(text);
  if (/^[1-9]\d*$/.test(text) && count <= max) return count;
  throw new RangeError(`--${name} is a whole number from 1 to ${max}`);
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      operators: { type: 'string', default: '128' },
      each: { type: 'string', default: '45' },
      rounds: { type: 'string', default: '3' },
      validators: { type: 'string', default: '200' },
      leaves: { type: 'string', default: '1000000' },
      profile: { type: 'string' },
    },
  });
  if (values.help) {
    stdout.write(USAGE);
    return;
  }
  const operators = countOf(values.operators, 'operators', 1000);
  const rounds = countOf(values.rounds, 'rounds', MAX_EACH);
  const each = countOf(values.each, 'each', Math.floor((MAX_EACH - WARM_UP) / rounds));
  const validators = countOf(values.validators, 'validators', 10_000);
  const leaves = countOf(values.leaves, 'leaves', 100_000_000);
  const { only } = values;
  if (only !== undefined && !PARTS.some((part) => part === only)) {
    throw new RangeError(`--only is one of ${PARTS.join(', ')}`);
  }
  const isAsked = (name: (typeof PARTS)[number]): boolean => only === undefined || only === name;

  const openssl = await opensslVersion();
  const measured = isAsked('statements')
    ? await measureStatements({ operators, each, rounds, profile: values.profile })
    : undefined;
  const log: LogTimes | undefined = isAsked('log') ? await measureLog(rounds) : undefined;
  const audit = isAsked('audit') ? await measureAudit(leaves, rounds) : undefined;
  const hidden = isAsked('hidden') ? await measureHidden(PAIRS) : undefined;
  const drill = isAsked('drill') ? await measureDrill(validators) : undefined;

  if (values.json) {
    const machine = { cores: availableParallelism(), node: versions.node, openssl };
    const statements = measured && { operators, connections: operators, rounds: measured };
    stdout.write(`${JSON.stringify({ machine, statements, log, audit, hidden, drill })}\n`);
    return;
  }
  if (measured !== undefined) {
    stdout.write(
      [
        `Statements: median of ${rounds} rounds of ${operators * each}, ${operators} operators on as many kept-alive connections\n`,
        `(server and client on the same ${availableParallelism()} cores; Node ${versions.node}, ${openssl};\n`,
        'a real process, SQLite with synchronous=FULL; statements and DPoP proofs are signed ahead)\n\n',
        statementTable(measured),
        '\n',
      ].join(''),
    );
  }
  if (log !== undefined) {
    stdout.write(
      [
        'Log: checkpoints signed and durable, on the disk of the temporary folder; then full tiles over\n',
        `HTTP, ${log.tiles.connections} connections, median of ${rounds} rounds, servers in turn, load on the same cores\n\n`,
        logTable(log),
        '\n',
      ].join(''),
    );
  }
  if (audit !== undefined) {
    stdout.write(
      `Audit of a log of ${audit.leaves} leaves in a folder, ${audit.threads} threads, median of ${rounds} rounds\n\n${auditTable(audit)}\n`,
    );
  }
  if (hidden !== undefined) {
    stdout.write(
      `What is hidden, and what does not exist: median of ${PAIRS} answers each, asked in turn\n\n${hiddenTable(hidden)}\n`,
    );
  }
  if (drill !== undefined) {
    stdout.write(
      `Drill of ${drill.validators} validators, ${drill.operators} operators: ${drill.seconds.toFixed(1)} s\n\n${drillTable(drill)}`,
    );
  }
}

main(argv.slice(2)).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
