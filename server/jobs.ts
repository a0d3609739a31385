import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import type { LogRunner } from './jobs/log-runner.ts';
import type { Loop } from './jobs/loop.ts';
import { startLoop } from './jobs/loop.ts';
import { mailWorker } from './jobs/mail-worker.ts';
import { timestamper } from './jobs/timestamper.ts';
import { smtpTransport } from './jobs/transport.ts';
import type { Custodian } from './services/custody/custodian.ts';
import type { Logger } from './services/logger.ts';
import type { Roster } from './services/people/roster.ts';
import type { Stores } from './stores.ts';

const MAIL_POLL_MS = 15_000;
const FINISH_MS = 60_000;
/** T0 comes by the clock; shares that officers publish are no reason to wait for the next look. */
const CUSTODY_MS = 1_000;
/** A mail under way gets this long when the server stops; it is sent again if need be. */
const MAIL_GRACE_MS = 3_000;

export interface JobDeps {
  readonly config: Config;
  readonly stores: Stores;
  readonly roster: Roster;
  /** What is due by the clock, or was left undone. */
  readonly finish: () => Promise<void>;
  /** Publishes the server's own shares; undefined where it holds none. */
  readonly custody: Pick<Custodian, 'tend' | 'settle'> | undefined;
  readonly log: LogRunner;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly onFatal: (error: unknown) => void;
}

export interface Jobs {
  /** There is mail to send: do not wait for the next turn. */
  readonly sendMail: () => void;
  /** An officer has published a share: the server's own may be due. */
  readonly tendShares: () => void;
  stop(): Promise<void>;
}

/** What goes on without being asked: the log grows, mail goes out, metadata stays fresh. */
export function startJobs(deps: JobDeps): Jobs {
  const { config, log, logger } = deps;
  const stopping = new AbortController();
  const growing = log.run(config.epochMs, stopping.signal).catch(deps.onFatal);
  const refreshing = startLoop('finish', FINISH_MS, deps.finish, logger);
  const { custody } = deps;
  const tending = custody && startLoop('custody', CUSTODY_MS, () => custody.tend(), logger);
  const mailing = startMail(deps, stopping.signal);
  mailing?.kick();
  const stamping = startTimestamps(deps, stopping.signal);
  stamping?.kick();

  return {
    sendMail: () => mailing?.kick(),
    tendShares: () => tending?.kick(),
    async stop() {
      stopping.abort();
      const loops = [refreshing, tending, mailing, stamping];
      await Promise.all([growing, ...loops.map((loop) => loop?.stop())]);
      await custody?.settle();
    },
  };
}

function startMail(deps: JobDeps, signal: AbortSignal): Loop | undefined {
  const { config, stores, logger } = deps;
  const { mail } = config;
  if (mail === undefined) return undefined;
  const transport = smtpTransport(mail.url, mail.concurrency);
  const { from, concurrency } = mail;
  const worker = mailWorker({
    ...deps,
    store: stores.outbox,
    transport,
    from,
    concurrency,
    signal,
  });
  const loop = startLoop('mail', MAIL_POLL_MS, () => worker.run(), logger);
  return {
    kick: loop.kick,
    async stop() {
      const timer = setTimeout(transport.close, MAIL_GRACE_MS);
      await loop.stop();
      clearTimeout(timer);
      transport.close();
    },
  };
}

function startTimestamps(
  { config, stores, logger }: JobDeps,
  signal: AbortSignal,
): Loop | undefined {
  if (config.timestamps === undefined) return undefined;
  const { url, intervalMs } = config.timestamps;
  const stamp = timestamper({
    url,
    fetch,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    files: stores.logFiles,
    signal,
  });
  return startLoop('timestamp', intervalMs, stamp, logger);
}
