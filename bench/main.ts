import { availableParallelism } from 'node:os';
import { argv, stderr, stdout, versions } from 'node:process';
import { parseArgs } from 'node:util';

import { auditReport, measureAudit } from './audit.ts';
import { drillReport, measureDrill } from './drill.ts';
import { hiddenReport, measureHidden } from './hidden.ts';
import { logReport, measureLog } from './log.ts';
import { measureOpening, openingReport } from './opening.ts';
import { opensslVersion } from './openssl.ts';
import { measureStatements, statementReport, WARM_UP } from './statement-rounds.ts';

const USAGE = `usage: npm run bench -- [options]

What is measured and against whom. Compare only figures of one run: the speed of a shared machine
drifts by a factor of two.

  --json             one JSON document instead of tables
  --only NAME        statements, log, audit, opening, hidden or drill
  --leaves N         of the log that is audited (1000000)
  --megabytes N      of each artifact of the patch that is opened (20)
  --operators N      operators, each with one kept-alive connection (128)
  --each N           statements of each operator in a round (45)
  --rounds N         of openssl, bare verification and statements in turn (3)
  --validators N     of the drill's network (200)
  --profile DIR      write a CPU profile of the server there; slows it down
`;

/** The server takes no more of one operator about one campaign. */
const MAX_EACH = 200;
const PARTS = ['statements', 'log', 'audit', 'opening', 'hidden', 'drill'] as const;
/** Requests for a hidden campaign, each beside one for a campaign that does not exist. */
const PAIRS = 2000;

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
      megabytes: { type: 'string', default: '20' },
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
  const megabytes = countOf(values.megabytes, 'megabytes', 500);
  const { only } = values;
  if (only !== undefined && !PARTS.some((part) => part === only)) {
    throw new RangeError(`--only is one of ${PARTS.join(', ')}`);
  }
  const isAsked = (name: (typeof PARTS)[number]): boolean => only === undefined || only === name;

  const machine = {
    cores: availableParallelism(),
    node: versions.node,
    openssl: await opensslVersion(),
  };
  const statements = isAsked('statements')
    ? await measureStatements({ operators, each, rounds, profile: values.profile })
    : undefined;
  const log = isAsked('log') ? await measureLog(rounds) : undefined;
  const audit = isAsked('audit') ? await measureAudit(leaves, rounds) : undefined;
  const opening = isAsked('opening')
    ? await measureOpening(megabytes * 1_000_000, rounds)
    : undefined;
  const hidden = isAsked('hidden') ? await measureHidden(PAIRS) : undefined;
  const drill = isAsked('drill') ? await measureDrill(validators) : undefined;

  if (values.json) {
    stdout.write(
      `${JSON.stringify({ machine, statements, log, audit, opening, hidden, drill })}\n`,
    );
    return;
  }
  const reports = [
    statements && statementReport(statements, machine),
    log && logReport(log),
    audit && auditReport(audit),
    opening && openingReport(opening),
    hidden && hiddenReport(hidden),
    drill && drillReport(drill),
  ];
  stdout.write(reports.filter((report) => report !== undefined).join('\n'));
}

main(argv.slice(2)).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
