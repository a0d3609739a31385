import { isIP } from 'node:net';
import { join, resolve, sep } from 'node:path';

import { z } from 'zod';

import { parseAddress } from './services/contact/address.ts';

/** What the server is told by its environment, checked as a whole before anything is opened. */
export interface Config {
  /** Absolute path of the data directory. */
  readonly dataDirectory: string;
  /** Absolute path of a root.json to start from or to move on to. */
  readonly rootFile: string | undefined;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Without trailing slash; `undefined` means `http://host:port` as it turns out. */
  readonly publicUrl: string | undefined;
  /** Name of service and log; `undefined` derives it from the public URL. */
  readonly origin: string | undefined;
  readonly mail: MailConfig | undefined;
  /** Absolute path of the folder for the last signed head of the log. */
  readonly logHeadDirectory: string;
  /** Absolute path of a tlog-policy: witnesses with their URLs, and the quorum. */
  /** Absolute path of the key with which the server holds shares; `undefined`: it holds none. */
  readonly custodyFile: string | undefined;
  /** Where beacons are looked for, for shares with a time-lock; empty: public relays. */
  readonly beacons: readonly string[];
  readonly witnessPolicyFile: string | undefined;
  /** How long a checkpoint waits for its slowest witness. */
  readonly witnessTimeoutMs: number;
  /** A timestamping authority (RFC 3161), and how often at most it is asked. */
  readonly timestamps: { readonly url: string; readonly intervalMs: number } | undefined;
  readonly epochMs: number;
  /** Leaves that every epoch adds to the log. */
  readonly epochLeaves: number;
  readonly flushMs: number;
  readonly maxBlobBytes: number;
  /** Addresses or networks whose `X-Forwarded-For` is believed; for rate limits, and nothing else. */
  readonly trustedProxies: readonly string[];
  /** Requests a second that one address may make before it is known who asks. */
  readonly addressRate: number;
  /** Requests a second that one identity may make. */
  readonly identityRate: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

interface MailConfig {
  /** `smtp://` or `smtps://`, possibly with credentials: secret, never logged. */
  readonly url: string;
  readonly from: string;
  readonly concurrency: number;
}

/** Every mistake in the environment, each on its own line, without the values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
const PREFIX = 'SEALDROP_';

const count = (minimum: number, maximum: number, fallback: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^(?:0|[1-9]\d{0,12})$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= minimum && n <= maximum, `must be from ${minimum} to ${maximum}`)
    .default(fallback);

const url = (...schemes: string[]): z.ZodType<string | undefined> =>
  z
    .string()
    .refine(
      (text) => {
        const parsed = URL.parse(text);
        return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1));
      },
      `must be a URL with scheme ${schemes.join(' or ')}`,
    )
    .optional();

/** An address, or one with the length of a prefix. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (bits < 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits);
}

/** The address of a drand relay, or the path of a file. */
function isBeacon(text: string): boolean {
  if (!/^[a-z]+:\/\//i.test(text)) return text !== '';
  return /^https?:\/\/[^?#@]+$/.test(text) && URL.canParse(text);
}

const environment = z.object({
  DATA: z.string('is required: the data directory').min(1, 'is required: the data directory'),
  ROOT: z.string().min(1).optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: count(0, 65_535, 8420),
  PUBLIC_URL: url('http', 'https').refine(
    (text) => text === undefined || !/[?#@]/.test(text),
    'must have no credentials, query or fragment',
  ),
  ORIGIN: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.:/_~-]{0,127}$/, 'must be host and path without scheme')
    .optional(),
  SMTP_URL: url('smtp', 'smtps'),
  MAIL_FROM: z
    .string()
    .refine((text) => parseAddress(text) !== undefined, 'must be one plain address')
    .optional(),
  MAIL_CONCURRENCY: count(1, 50, 4),
  LOG_HEAD: z.string().min(1).optional(),
  // docs/adr/0007-padded-log.md says what these cost and hide.
  LOG_EPOCH_MS: count(10, 3_600_000, 60_000),
  LOG_EPOCH_LEAVES: count(1, 4096, 16),
  CUSTODY: z.string().min(1).optional(),
  BEACONS: z
    .string()
    .transform((text) => text.split(','))
    .refine((all) => all.every(isBeacon), 'must be URLs of relays or files, separated by commas')
    .default([]),
  WITNESS_POLICY: z.string().min(1).optional(),
  WITNESS_TIMEOUT_MS: count(50, 60_000, 5_000),
  TSA_URL: url('http', 'https'),
  TSA_INTERVAL_MS: count(1_000, 86_400_000, 3_600_000),
  FLUSH_MS: count(0, 1000, 2),
  MAX_BLOB_BYTES: count(1, 2 ** 33, 2 ** 31),
  TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(','))
    .refine((all) => all.every(isNetwork), 'must be addresses or networks, separated by commas')
    .default([]),
  ADDRESS_RATE: count(1, 1_000_000, 100),
  IDENTITY_RATE: count(1, 1_000_000, 50),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

const KNOWN = new Set(Object.keys(environment.shape));

/**
 * Read `SEALDROP_…` variables. A name that is not known is a mistake too: it may be a misspelt limit.
 *
 * @throws {@link ConfigError} listing everything that is wrong.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const own = Object.fromEntries(
    Object.entries(env)
      .filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined)
      .map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
  const mistakes = Object.keys(own)
    .filter((name) => !KNOWN.has(name) && !CLIENT_VARIABLES.has(name))
    .map((name) => `${PREFIX}${name} is not known`);
  const result = environment.safeParse(own);
  if (!result.success) {
    mistakes.push(
      ...result.error.issues.map(({ path, message }) => `${PREFIX}${path.join('.')} ${message}`),
    );
  }
  if ((own['SMTP_URL'] === undefined) !== (own['MAIL_FROM'] === undefined)) {
    mistakes.push(`${PREFIX}SMTP_URL and ${PREFIX}MAIL_FROM go together`);
  }
  if (own['LOG_HEAD'] !== undefined && resolve(own['LOG_HEAD']) === resolve(own['DATA'] ?? '')) {
    mistakes.push(`${PREFIX}LOG_HEAD must be a folder of its own`);
  }
  const { CUSTODY: custody, DATA: directory = '' } = own;
  if (
    custody !== undefined &&
    `${resolve(custody)}${sep}`.startsWith(`${resolve(directory)}${sep}`)
  ) {
    mistakes.push(`${PREFIX}CUSTODY must be outside of the data directory`);
  }
  const isWildcard = ['0.0.0.0', '::'].includes(own['HOST'] ?? '');
  if (isWildcard && own['PUBLIC_URL'] === undefined) {
    mistakes.push(`${PREFIX}PUBLIC_URL is required with a HOST that stands for all addresses`);
  }
  if (!result.success || mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  const { data } = result;
  return {
    dataDirectory: resolve(data.DATA),
    rootFile: data.ROOT === undefined ? undefined : resolve(data.ROOT),
    host: data.HOST,
    port: data.PORT,
    publicUrl: data.PUBLIC_URL?.replace(/\/+$/, ''),
    origin: data.ORIGIN,
    mail:
      data.SMTP_URL === undefined || data.MAIL_FROM === undefined
        ? undefined
        : { url: data.SMTP_URL, from: data.MAIL_FROM, concurrency: data.MAIL_CONCURRENCY },
    logHeadDirectory: resolve(data.LOG_HEAD ?? join(data.DATA, 'log-head')),
    custodyFile: data.CUSTODY === undefined ? undefined : resolve(data.CUSTODY),
    beacons: data.BEACONS.map((text) => text.replace(/\/+$/, '')),
    witnessPolicyFile: data.WITNESS_POLICY === undefined ? undefined : resolve(data.WITNESS_POLICY),
    witnessTimeoutMs: data.WITNESS_TIMEOUT_MS,
    timestamps:
      data.TSA_URL === undefined
        ? undefined
        : { url: data.TSA_URL, intervalMs: data.TSA_INTERVAL_MS },
    epochMs: data.LOG_EPOCH_MS,
    epochLeaves: data.LOG_EPOCH_LEAVES,
    flushMs: data.FLUSH_MS,
    maxBlobBytes: data.MAX_BLOB_BYTES,
    trustedProxies: data.TRUSTED_PROXIES,
    addressRate: data.ADDRESS_RATE,
    identityRate: data.IDENTITY_RATE,
    logLevel: data.LOG_LEVEL,
  };
}

/** Read by the CLI; no mistake when both run in one shell. */
const CLIENT_VARIABLES = new Set(['HOME']);
