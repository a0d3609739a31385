import { resolve } from 'node:path';
import { measureOpenssl } from './openssl.ts';
import { openStatementBench, type StatementRound } from './statements.ts';
import { formatTable, median } from './table.ts';
import { measureVerify, type VerifyRate } from './verify.ts';

/** Statements of each operator before anything is measured: code has to be compiled first. */
export const WARM_UP = 20;

/** One after the other within a minute, so that they can be compared. */
interface Round {
  readonly openssl: number;
  readonly verify: VerifyRate;
  readonly statements: StatementRound;
}

/** Where a benchmark runs. */
export interface Machine {
  readonly cores: number;
  /** Versions. */
  readonly node: string;
  readonly openssl: string;
}

export interface StatementTimes {
  readonly operators: number;
  readonly connections: number;
  readonly rounds: readonly Round[];
}

/** Statements accepted over HTTP, with openssl and bare verification before each round. */
export async function measureStatements(options: {
  readonly operators: number;
  readonly each: number;
  readonly rounds: number;
  readonly profile: string | undefined;
}): Promise<StatementTimes> {
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
  return { operators, connections: operators, rounds };
}

/** @param machine - On what and with which OpenSSL it was measured. */
export function statementReport({ operators, rounds }: StatementTimes, machine: Machine): string {
  const { cores, node, openssl } = machine;
  const count = rounds[0]?.statements.count ?? 0;
  return [
    `Statements: median of ${rounds.length} rounds of ${count}, ${operators} operators on as many kept-alive connections\n`,
    `(server and client on the same ${cores} cores; Node ${node}, ${openssl};\n`,
    'a real process, SQLite with synchronous=FULL; statements and DPoP proofs are signed ahead)\n\n',
    statementTable(rounds),
  ].join('');
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
