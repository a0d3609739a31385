import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { verifyEd25519 } from '../platform/ed25519.ts';
import { noteSigner } from '../protocol/signature/note.ts';
import { buildApp } from './app.ts';
import { originOf, publicUrlOf } from './card.ts';
import { ConfigError, type Config } from './config.ts';
import { openCustodyKey } from './custody-key.ts';
import { dummyRoutes } from './http/dummy-routes.ts';
import { healthRoutes } from './http/health-routes.ts';
import { logRoutes } from './http/log-routes.ts';
import { rateLimit } from './http/rate-limit.ts';
import { listen } from './http/server.ts';
import { sessionRoutes } from './http/session-routes.ts';
import { serverBeacons } from './jobs/beacons.ts';
import { openLogRunner } from './jobs/log-runner.ts';
import { startJobs } from './jobs.ts';
import { buildRoutes } from './routes.ts';
import { openServices } from './services.ts';
import { accounting } from './services/disclosure/accounting.ts';
import { publishedLog } from './services/log/published.ts';
import type { ScheduleClock } from './services/log/schedule.ts';
import { openSequencer } from './services/log/sequencer.ts';
import type { Logger } from './services/logger.ts';
import { identities } from './services/people/identities.ts';
import { serial } from './services/serial.ts';
import { sessions } from './services/session/session.ts';
import { tufPublisher } from './services/trust/tuf.ts';
import { openKeys } from './store/keys.ts';
import { lockDataDirectory } from './store/lock.ts';
import { openStores } from './stores.ts';
import { establishTrust } from './trust.ts';
import { openWitnesses } from './witnesses.ts';

/** Requests under way get this long to finish. */
const GRACE_MS = 8_000;

export interface StartOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  /** The process must end: what is on disk is not known any more, only a restart can tell. */
  readonly onFatal: (error: unknown) => void;
}

export interface RunningServer {
  readonly url: string;
  /** Bring everything accepted so far into the log, now. */
  sequence(): Promise<void>;
  /** Publish what is due of the server's own shares, now. */
  tendShares(): Promise<void>;
  /** Finish what is under way, then close everything. */
  close(): Promise<void>;
}

/** The composition root: open the data directory, wire everything, listen. */
export async function startServer(config: Config, options: StartOptions): Promise<RunningServer> {
  const { logger, now, onFatal } = options;
  // Proofs made earlier may have been used before. Proofs count in whole seconds.
  const since = Math.ceil(now() / 1000) * 1000;
  await requireDataDirectory(config.dataDirectory);
  await using undo = new AsyncDisposableStack();
  const lock = lockDataDirectory(config.dataDirectory);
  undo.defer(lock.release);
  // It may be on another disk, where a copy of this data directory could find it, too.
  await mkdir(config.logHeadDirectory, { recursive: true, mode: 0o700 });
  const headLock = lockDataDirectory(config.logHeadDirectory);
  undo.defer(headLock.release);
  const keyDirectory = join(config.dataDirectory, 'keys');
  const keys = await openKeys(keyDirectory);
  const log = noteSigner(originOf(config), keys.log);
  const [mailDomain = ''] = log.name.split(/[/:]/);
  const stores = await openStores(config, {
    mailDomain,
    dummySeed: keys.dummies,
    now,
    onFatal,
  });
  undo.defer(stores.close);
  const { trust, ownKeys, signers } = await establishTrust(config, stores, {
    directory: keyDirectory,
    keys,
    log,
  });
  const tuf = tufPublisher({
    files: stores.tufFiles,
    latestTargets: stores.directives.findLatestTargets,
    signers,
    serial: serial(),
    now,
  });
  const clock: ScheduleClock = {
    now,
    wait: (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined),
  };
  const files = stores.logFiles;
  const witnessing = await openWitnesses(config, { trust, log, files, logger, now });
  const logRunner = await openLogRunner({
    open: async () => {
      const sequencer = await openSequencer({
        signer: log,
        verify: verifyEd25519,
        leaves: stores.leaves,
        heads: stores.heads,
        files: stores.logFiles,
        witnesses: witnessing.witnesses,
        clock,
        logger,
        epochLeaves: config.epochLeaves,
      });
      return witnessing.confirm(sequencer);
    },
    afterRun: accounting(stores.accounting, logger).run,
    clock,
    logger,
  });
  const mail = { onQueued: (): void => undefined };
  const shares = { onAccepted: (): void => undefined };
  const custodyKey = await openCustodyKey(config);
  const services = await openServices({
    stores,
    trust,
    ownKeys,
    tuf,
    log,
    logger,
    now,
    onMailQueued: () => {
      mail.onQueued();
    },
    custodyKey,
    findBeacon: serverBeacons(config.beacons, fetch),
    onShare: () => {
      shares.onAccepted();
    },
    witnessShortfall: witnessing.shortfall,
  });

  const socket = await listen(config.host, config.port);
  undo.defer(socket.close);
  const publicUrl = publicUrlOf(config, socket.port);
  const session = sessions({
    identities: identities(trust, services.roster),
    keys: keys.token,
    issuer: publicUrl,
    now,
    since,
  });
  const addressLimit = rateLimit(burst(config.addressRate, 60), now);
  const identityLimit = rateLimit(burst(config.identityRate, 20), now);
  const state = { isReady: false };
  const app = buildApp({
    sessions: session,
    publicUrl,
    trustedProxies: config.trustedProxies,
    addressLimit,
    identityLimit,
    publicRoutes: [
      healthRoutes({ isReady: () => state.isReady, alarms: witnessing.alarms }),
      logRoutes({ log: publishedLog(log.name, stores.logFiles) }),
      dummyRoutes({ dummies: stores.dummies, seed: keys.dummies }),
      sessionRoutes({ sessions: session, publicUrl, addressLimit }),
    ],
    routes: buildRoutes({
      services,
      stores,
      trust,
      addressLimit,
      maxBlobBytes: config.maxBlobBytes,
      logSize: logRunner.size,
    }),
    logger,
  });
  const jobs = startJobs({
    config,
    stores,
    roster: services.roster,
    finish: services.finish,
    custody: custodyKey && services.custodian,
    log: logRunner,
    ...options,
  });
  mail.onQueued = jobs.sendMail;
  shares.onAccepted = jobs.tendShares;
  jobs.tendShares();
  const remaining = since - now();
  if (remaining > 0 && remaining < 1000) await wait(remaining);
  const server = socket.serve(app);
  state.isReady = true;
  const opened = undo.move();
  return {
    url: publicUrl,
    sequence: logRunner.sequence,
    async tendShares() {
      await services.custodian.tend();
      await services.custodian.settle();
    },
    async close() {
      state.isReady = false;
      await Promise.all([server.stop(GRACE_MS), jobs.stop()]);
      await opened.disposeAsync();
    },
  };
}

/** A mistyped path must not become a fresh, empty log in place of the real one. */
async function requireDataDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new ConfigError(`${path} is no directory; \`card\` makes a new one`);
}

function burst(perSecond: number, seconds: number): { perSecond: number; burst: number } {
  return { perSecond, burst: perSecond * seconds };
}
