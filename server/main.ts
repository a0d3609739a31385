import { argv, env, exit, stderr, stdout } from 'node:process';

import { steadyClock } from '../platform/steady-clock.ts';
import { ExposedSecretError } from '../platform/read-file.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { makeCard } from './card.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './services/logger.ts';
import { describeFailure } from './services/failure.ts';
import { LogStateError } from './services/log/recover.ts';
import { TrustError } from './services/trust/trust.ts';
import { startServer } from './start.ts';
import { DatabaseError } from './store/database.ts';
import { DataDirectoryLockedError } from './store/lock.ts';
import { MigrationError } from './store/migrator.ts';

/** Everything is over after this, also what hangs. */
const STOP_MS = 10_000;

const USAGE = `usage: node server/main.ts [card [--renew] [--custody]]

  (nothing)   run the server; its environment is in README.md, "Configuration of the server"
  card        make the server's keys if there are none, and print their public halves
  --renew     with new snapshot and timestamp keys, for the next root of trust to name
  --custody   with a new custody key in SEALDROP_CUSTODY, so that this server can hold shares
`;

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const [renew, custody] = [rest.includes('--renew'), rest.includes('--custody')];
  const known = Number(renew) + Number(custody);
  if (command === 'card' && rest.length === known) {
    stdout.write(`${JSON.stringify(await makeCard(readConfig(env), { renew, custody }))}\n`);
  } else if (command === undefined) {
    await serve();
  } else {
    stderr.write(USAGE);
    exit(2);
  }
}

async function serve(): Promise<void> {
  const config = readConfig(env);
  const now = steadyClock((byMs) => {
    tellJump(logger, byMs);
  });
  const logger = createLogger(config.logLevel, now);
  const onFatal = (error: unknown): void => {
    logger.error(
      { code: 'fatal', ...describeFailure(error) },
      'stopping: storage cannot be trusted',
    );
    exit(1);
  };
  const server = await startServer(config, {
    logger,
    now,
    random: () => Math.random(),
    onFatal,
  });
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error({ code: 'stop_timeout' }, 'stopping took too long');
      exit(1);
    }, STOP_MS).unref();
    server.close().then(() => {
      logger.info({}, 'stopped');
      exit(0);
    }, onFatal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Last: whoever reads this may send a signal at once. Said whatever the level is.
  logger.child({}, { level: 'info' }).info({ url: server.url }, 'listening');
  if (config.mail === undefined) {
    logger.warn({}, 'SEALDROP_SMTP_URL is not set: no mail goes out, messages wait in the inbox');
  }
}

function tellJump(logger: Pick<Logger, 'info' | 'error'>, byMs: number): void {
  const seconds = Math.round(byMs / 1000);
  if (seconds === 0) logger.info({}, 'the clock is right again');
  else logger.error({ code: 'clock_jump', seconds }, 'the clock has jumped and is not followed');
}

const EXPECTED = [
  ConfigError,
  DatabaseError,
  DataDirectoryLockedError,
  ExposedSecretError,
  LogStateError,
  MigrationError,
  ProtocolError,
  TrustError,
] as const;

/** Mistakes of whoever starts the server are one line each; anything else is a report. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  // A port in use, a file that is not there or may not be read, a database that is none.
  if ('syscall' in error || error.name === 'SqliteError') return `cannot start: ${error.message}`;
  return error.stack ?? error.message;
}

main(argv.slice(2)).catch((error: unknown) => {
  stderr.write(`${explain(error)}\n`);
  exit(1);
});
