import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { parsePolicy } from '../../protocol/log/policy.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import type { NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { makeCard } from '../../server/card.ts';
import type { Config } from '../../server/config.ts';
import { readConfig } from '../../server/config.ts';
import type { Logger } from '../../server/services/logger.ts';
import type { RunningServer } from '../../server/start.ts';
import { startServer } from '../../server/start.ts';
import type { TestOfficer } from './officers.ts';
import { makeOfficers, makeRoot, signRoot, signTargets } from './officers.ts';
import type { TestClient } from './session.ts';
import { testClient } from './session.ts';

export interface TestServerOptions {
  /** Unix ms. The real time by default; a clock of your own should stand on a whole second. */
  readonly now?: () => number;
  /** Further `SEALDROP_…` variables, named without the prefix. */
  readonly env?: Readonly<Record<string, string>>;
  /** Officers of an earlier server, to save the time of making new ones. */
  readonly officers?: readonly TestOfficer[];
  /** People that a decision takes, and shares that open a patch; 3 by default. */
  readonly threshold?: number;
  /** Whether the server may hold shares, with a custody key that it and the root know. */
  readonly custody?: boolean;
  /** Who reviews and endorses; nobody by default. */
  readonly vouchers?: Pick<TrustRoot, 'reviewers' | 'endorsers' | 'endorsementThreshold'>;
  /** Text of the witness policy in the root, once the log's key is known. */
  readonly witnessPolicy?: (logKey: NoteVerifier) => Promise<string>;
}

/** One line of the server's log. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The real server on a free port and a real database, with a root of trust by test officers. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly officers: readonly TestOfficer[];
  readonly root: TrustRoot;
  /** `root.json` as the officers signed it, and its digest, which clients pin. */
  readonly rootBytes: Uint8Array;
  readonly rootSha256: string;
  readonly dataDirectory: string;
  readonly config: Config;
  /** Everything logged so far, over all restarts. */
  readonly logged: readonly LogLine[];
  now(): number;
  /** The same one for the same key, so that it logs in once. */
  client(signer?: Signer): TestClient;
  /** Bring everything accepted so far under a checkpoint, and account for what was disclosed. */
  sequence(): Promise<void>;
  /** Have the server look after its own shares. */
  tendShares(): Promise<void>;
  /** Stop, and start again on the same data, at the same URL. */
  restart(): Promise<void>;
  /** Same, with further variables. */
  restartWith(env: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Stop and remove the data. */
  close(): Promise<void>;
}

export const TEST_ORIGIN = 'sealdrop.test/log';

/** A data directory with the server's keys, and a root of trust that fits. */
export interface TestData {
  /** Removed by `remove`. */
  readonly dataDirectory: string;
  readonly officers: readonly TestOfficer[];
  readonly root: TrustRoot;
  readonly rootBytes: Uint8Array;
  /** Where `root.json` and `targets.json` lie. */
  readonly rootFile: string;
  /** The server's environment; further variables are named without the prefix. */
  env(more?: Readonly<Record<string, string>>): Record<string, string>;
  remove(): Promise<void>;
}

export async function prepareData(options: TestServerOptions = {}): Promise<TestData> {
  const { now = Date.now, threshold = 3, custody = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-server-'));
  const dataDirectory = join(folder, 'data');
  const rootFile = join(folder, 'root.json');
  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> =>
    prefixed({
      DATA: dataDirectory,
      ROOT: rootFile,
      PORT: '0',
      ORIGIN: TEST_ORIGIN,
      // Tests call `sequence`; nothing should happen behind their backs.
      LOG_EPOCH_MS: '3600000',
      LOG_EPOCH_LEAVES: '8',
      ...(custody && { CUSTODY: join(folder, 'custody.key') }),
      ...more,
    });
  const officers = options.officers ?? (await makeOfficers());
  const card = await makeCard(readConfig(env()), { custody });
  const plain = { ...makeRoot(officers, card, { now: now(), threshold }), ...options.vouchers };
  const policyText = await options.witnessPolicy?.(plain.logKey);
  const root = policyText === undefined ? plain : withWitnesses(plain, policyText);
  const rootBytes = signRoot(root, officers);
  await writeFile(rootFile, rootBytes);
  await writeFile(join(folder, 'targets.json'), signTargets(1, [], officers, now()));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { dataDirectory, officers, root, rootBytes, rootFile, env, remove };
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { now = Date.now } = options;
  const data = await prepareData(options);
  const { officers, root, rootBytes, dataDirectory } = data;
  let config = readConfig(data.env(options.env));

  const logged: LogLine[] = [];
  const clients = new Map<string, TestClient>();
  const start = (): Promise<RunningServer> =>
    startServer(config, {
      now,
      random: () => 0.5,
      logger: recorder(logged),
      onFatal: (error) => {
        throw new Error('the server cannot go on', { cause: error });
      },
    });
  let server: RunningServer | undefined = await start();
  // Where it is found again after a restart.
  const { port } = new URL(server.url);
  const running = (): RunningServer => {
    if (server === undefined) throw new Error('the test server is stopped');
    return server;
  };
  const stop = async (): Promise<void> => {
    await server?.close();
    server = undefined;
  };
  const restartWith = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await stop();
    config = readConfig(data.env({ PORT: port, ...options.env, ...env }));
    server = await start();
  };
  const close = async (): Promise<void> => {
    await stop();
    await data.remove();
  };

  return {
    get url() {
      return running().url;
    },
    get config() {
      return config;
    },
    officers,
    root,
    rootBytes,
    rootSha256: sha256Hex(rootBytes),
    dataDirectory,
    logged,
    now,
    client(signer) {
      const name = `${running().url} ${signer?.publicKey ?? ''}`;
      const known = clients.get(name) ?? testClient(running().url, signer, now);
      clients.set(name, known);
      return known;
    },
    sequence: () => running().sequence(),
    tendShares: () => running().tendShares(),
    restart: () => restartWith({}),
    restartWith,
    stop,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function withWitnesses(root: TrustRoot, text: string): TrustRoot {
  const witnessPolicy = parsePolicy(text);
  const witnesses = witnessPolicy.witnesses.map(({ verifier }) => verifier);
  return { ...root, witnessPolicy, witnesses };
}

function prefixed(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [`SEALDROP_${name}`, value]),
  );
}

function recorder(lines: LogLine[]): Logger {
  const write =
    (level: LogLine['level']) =>
    (fields: object, message: string): void => {
      lines.push({ ...fields, level, message });
    };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
