import { formatTilePath, parseTilePath, type Tile } from '../log/tile-path.ts';
import { TIMESTAMPS } from '../log/timestamps.ts';
import type { KeyName } from '../plan/key-name.ts';
import { ProtocolError } from '../errors.ts';

/**
 * Where everything is in a record, for whoever writes one and whoever reads it.
 *
 * What is of one revision of the plan alone is where this says for the first, and for a later one in
 * a folder of its own: {@link inRevision}.
 */
export const RECORD = {
  readme: 'README.md',
  plan: 'plan.txt',
  planJson: 'plan.json',
  releaseKey: 'release.key',
  closingKey: 'closing.key',
  published: 'shares/published.jsonl',
  sums: 'SHA256SUMS',
  sumsSignature: 'SHA256SUMS.asc',
  releaseStatement: 'release.intoto.json',
  officers: 'keys/officers.json',
  logKey: 'keys/log.vkey',
  allowedSigners: 'keys/allowed_signers',
  statements: 'statements/statements.jsonl',
  reviews: 'statements/reviews.jsonl',
  endorsements: 'statements/endorsements.jsonl',
  directives: 'directives/index.json',
  checkpoint: 'log/checkpoint',
  dummies: 'dummies.txt',
  tally: 'tally.json',
  commitment: (name: string): string => `commitment/${name}`,
  document: (revision: number, name: string): string => `documents/r${revision}/${name}`,
  bundle: (sha256: string): string => `bundles/${sha256}.age`,
  share: (key: KeyName, officer: string): string => `shares/${key}.${officer}`,
  officerKey: (officer: string): string => `keys/${officer}.asc`,
  /** For minisign. */
  officerMinisignKey: (officer: string): string => `keys/${officer}.pub`,
  /** An operator who enrolled again has one file more: `<operator>.2.intoto.json`. */
  enrolment: (operator: string, nth: number): string =>
    `enrolments/${operator}${nth === 1 ? '' : `.${nth}`}.intoto.json`,
  /** The moment as the plan words it, as far as a file name can carry it. */
  snapshot: (point: string): string =>
    `stake/${point
      .slice(0, 80)
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')}.txt`,
  directive: (sequence: number): string => `directives/${sequence}.intoto.json`,
  tile: (tile: Tile): string => `log/${formatTilePath(tile)}`,
  opening: (index: number): string => `openings/${index}`,
  root: (version: number): string => `trust/${version}.root.json`,
  timestamp: TIMESTAMPS.token,
  timestampedCheckpoint: TIMESTAMPS.checkpoint,
} as const;

/** Where a later revision has what the first has at `path`: below `r2/` and so on. */
export function inRevision(revision: number, path: string): string {
  return revision === 1 ? path : `r${revision}/${path}`;
}

/** The revision in whose folder a path is; `undefined` for what is in none. */
export function revisionOf(path: string): number | undefined {
  const [, revision] = REVISION_FOLDER.exec(path) ?? [];
  return revision === undefined ? undefined : Number(revision);
}

const REVISION_FOLDER = /^r([2-9]|[1-9][0-9]{1,5})\//;

const DIGEST = '[0-9a-f]{64}';
const NAME = '[A-Za-z0-9][A-Za-z0-9._-]*';
const NUMBER = '(?:0|[1-9][0-9]*)';

const FIXED: ReadonlySet<string> = new Set(
  Object.values(RECORD).filter((path) => typeof path === 'string'),
);

/** What every revision may have of its own. */
const FIXED_OF_REVISION: ReadonlySet<string> = new Set([
  RECORD.plan,
  RECORD.planJson,
  RECORD.releaseKey,
  RECORD.sums,
  RECORD.sumsSignature,
  RECORD.releaseStatement,
  RECORD.tally,
]);

const PATTERNS_OF_REVISION = [
  'stake/' + NAME,
  `shares/(?:release|closing|break-glass)\\.[a-z0-9][a-z0-9-]*`,
  `SHA256SUMS\\.[a-z0-9][a-z0-9-]*\\.(?:minisig|sshsig)`,
].map((pattern) => new RegExp(`^${pattern}$`));

const PATTERNS = [
  'commitment/' + NAME,
  `documents/r[1-9][0-9]*/${NAME}`,
  `bundles/${DIGEST}\\.age`,
  `keys/[a-z0-9][a-z0-9-]*\\.(?:asc|pub)`,
  `enrolments/${DIGEST}(?:\\.${NUMBER})?\\.intoto\\.json`,
  `directives/${NUMBER}\\.intoto\\.json`,
  `openings/${NUMBER}`,
  `trust/${NUMBER}\\.root\\.json`,
  `timestamps/[1-9][0-9]*\\.(?:checkpoint|tsr)`,
].map((pattern) => new RegExp(`^${pattern}$`));

/** Whether a record has a use for a file at `path`. */
export function isRecordPath(path: string): boolean {
  const own = path.replace(REVISION_FOLDER, '');
  const isOwn = FIXED_OF_REVISION.has(own) || PATTERNS_OF_REVISION.some((it) => it.test(own));
  if (isOwn || own !== path) return isOwn;
  return FIXED.has(path) || PATTERNS.some((pattern) => pattern.test(path)) || isTile(path);
}

function isTile(path: string): boolean {
  if (!path.startsWith('log/')) return false;
  try {
    parseTilePath(path.slice('log/'.length));
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** The largest size, in bytes, at which a file is still read. */
export const LIMIT = {
  document: 4 * 1024 * 1024,
  /** One envelope, opening, key or short list. */
  small: 1024 * 1024,
  snapshot: 32 * 1024 * 1024,
  /** 256 entries of at most 64 KiB. */
  tile: 17 * 1024 * 1024,
  /** Lists that grow with the number of validators and statements. */
  list: 1024 * 1024 * 1024,
} as const;
