import type { OfficerShare } from '../embargo/share.ts';
import { officerSignatureFiles, type SumsSignatures } from '../embargo/sums-signatures.ts';
import type { Files } from '../embargo/tar.ts';
import { sha256Hex, utf8Encode } from '../encoding/bytes.ts';
import type { TileFile } from '../log/tiles.ts';
import type { TimestampedCheckpoint } from '../log/timestamps.ts';
import { KEY_NAMES, type KeyName } from '../plan/key-name.ts';
import type { Plan } from '../plan/plan.ts';
import { encodeEnvelope, type Envelope } from '../signature/dsse.ts';
import type { StakeSnapshot } from '../stake/snapshot.ts';
import type { TrustRoot } from '../trust/root.ts';
import { tallyJson, type Adoption } from './adoption.ts';
import { keyFiles, planJson } from './derived.ts';
import { inRevision, RECORD } from './layout.ts';
import {
  encodeDirectiveIndex,
  encodeEnvelopeLines,
  encodeStatementLines,
  type StatementLine,
} from './lines.ts';
import { readme } from './readme.ts';
import { encodeRecordIndex, INDEX_PATH } from './record-index.ts';
import { documentPaths, snapshotPath } from './revisions.ts';

/** Everything a record is made of; see `assembleRecord`. */
export interface RecordParts {
  /** `1.root.json` and so on, and the newest of them parsed. */
  readonly roots: readonly Uint8Array[];
  readonly newestRoot: TrustRoot;
  /** Every plan that was in force, first revision first. */
  readonly revisions: readonly [RevisionParts, ...RevisionParts[]];
  /** All committed lists and documents, as the last closing bundle has them. */
  readonly documents: Files;
  /** Ciphertexts of all revisions by their SHA-256, closing bundles among them. */
  readonly ciphertexts: ReadonlyMap<string, Uint8Array>;
  readonly closingKey: string;
  /** Shares and keys as published, by leaf. */
  readonly published: readonly Envelope[];
  /** By leaf. */
  readonly enrolments: readonly { readonly operator: string; readonly envelope: Envelope }[];
  /** By leaf. */
  readonly statements: readonly StatementLine[];
  /** What firms said of its plans, and who endorsed its commitments; by leaf. */
  readonly reviews: readonly Envelope[];
  readonly endorsements: readonly Envelope[];
  /** By sequence. */
  readonly directives: readonly { readonly envelope: Envelope; readonly completedAt: string }[];
  /** The signed note. */
  readonly checkpoint: string;
  readonly tiles: readonly TileFile[];
  /** Ascending by size. */
  readonly timestamps: readonly TimestampedCheckpoint[];
  /** By index of the sealed leaf. */
  readonly openings: ReadonlyMap<number, Uint8Array>;
  /** Keys that open all dummies before the disclosure; see `formatDummyKeys`. */
  readonly dummies: string;
}

/** What is of one revision alone. */
export interface RevisionParts {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly snapshot: StakeSnapshot;
  readonly snapshotBytes: Uint8Array;
  /** Those that count for this revision; closing shares are only published for the last one. */
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  /** What came out at T0; absent when this revision's patch was never released. */
  readonly release?: ReleaseParts;
  readonly adoption: Adoption;
}

export interface ReleaseParts {
  readonly key: string;
  readonly sums: Uint8Array;
  /** `SHA256SUMS.asc` */
  readonly sumsSignature: Uint8Array;
  /** `release.intoto.json` */
  readonly statement: Uint8Array;
  /** `SHA256SUMS.<officer>.minisig` and `.sshsig` */
  readonly byOfficer: SumsSignatures;
}

/** Lay a record out as files by path, `record.json` included. */
export function assembleRecord(parts: RecordParts): Files {
  const files = new Map<string, Uint8Array>([
    ...trustFiles(parts),
    ...planFiles(parts),
    ...parts.revisions.flatMap((revision) => revisionFiles(revision, parts)),
    ...publishedFiles(parts),
    ...statementFiles(parts),
    ...logFiles(parts),
  ]);
  return withIndex(parts.revisions[0].plan.campaign, files);
}

/** Add `record.json`, which lists all other files. */
export function withIndex(campaign: string, files: Files): Files {
  const listed = [...files]
    .filter(([path]) => path !== INDEX_PATH)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, bytes]) => ({ path, size: bytes.length, sha256: sha256Hex(bytes) }));
  return new Map([...files, [INDEX_PATH, encodeRecordIndex({ campaign, files: listed })]]);
}

type Entries = (readonly [string, Uint8Array])[];

function trustFiles({ roots, newestRoot, directives }: RecordParts): Entries {
  const index = directives.map(({ completedAt }, i) => ({ sequence: i + 1, completedAt }));
  return [
    ...roots.map((bytes, i) => [RECORD.root(i + 1), bytes] as const),
    ...keyFiles(newestRoot),
    [RECORD.directives, encodeDirectiveIndex(index)],
    ...directives.map(
      ({ envelope }, i) => [RECORD.directive(i + 1), encodeEnvelope(envelope)] as const,
    ),
  ];
}

function planFiles({ revisions, documents, timestamps }: RecordParts): Entries {
  const plans = revisions.map(({ plan }) => plan);
  const released = revisions.filter((it) => it.release !== undefined).map((it) => it.plan.revision);
  return [
    [RECORD.readme, readme(plans, new Set(released), timestamps.length > 0)],
    ...[...documentPaths(plans)].flatMap(([name, paths]) => {
      const bytes = documents.get(name);
      return bytes === undefined ? [] : paths.map((path) => [path, bytes] as const);
    }),
  ];
}

function revisionFiles(
  { plan, planBytes, snapshot, snapshotBytes, shares, release, adoption }: RevisionParts,
  { revisions }: RecordParts,
): Entries {
  const plans = revisions.map((it) => it.plan);
  const own = (path: string): string => inRevision(plan.revision, path);
  return [
    [own(RECORD.plan), planBytes],
    [own(RECORD.planJson), planJson(plan)],
    [snapshotPath(plans, plan), snapshotBytes],
    ...KEY_NAMES.flatMap((key) =>
      shares[key].map(
        ({ officer, document }) => [own(RECORD.share(key, officer)), document] as const,
      ),
    ),
    ...(release === undefined
      ? []
      : ([
          [own(RECORD.releaseKey), utf8Encode(`${release.key}\n`)],
          [own(RECORD.sums), release.sums],
          [own(RECORD.sumsSignature), release.sumsSignature],
          [own(RECORD.releaseStatement), release.statement],
          ...[...officerSignatureFiles(release.byOfficer)].map(
            ([name, bytes]) => [own(name), bytes] as const,
          ),
        ] as const)),
    [own(RECORD.tally), tallyJson(plan, adoption, snapshot)],
  ];
}

function publishedFiles({ closingKey, ciphertexts, published }: RecordParts): Entries {
  return [
    ...[...ciphertexts].map(([sha256, bytes]) => [RECORD.bundle(sha256), bytes] as const),
    [RECORD.published, encodeEnvelopeLines(published)],
    [RECORD.closingKey, utf8Encode(`${closingKey}\n`)],
  ];
}

function statementFiles({ enrolments, statements, reviews, endorsements }: RecordParts): Entries {
  const seen = new Map<string, number>();
  return [
    ...enrolments.map(({ operator, envelope }) => {
      const nth = (seen.get(operator) ?? 0) + 1;
      seen.set(operator, nth);
      return [RECORD.enrolment(operator, nth), encodeEnvelope(envelope)] as const;
    }),
    [RECORD.statements, encodeStatementLines(statements)],
    [RECORD.reviews, encodeEnvelopeLines(reviews)],
    [RECORD.endorsements, encodeEnvelopeLines(endorsements)],
  ];
}

function logFiles(parts: RecordParts): Entries {
  const { checkpoint, tiles, openings, dummies, timestamps } = parts;
  return [
    [RECORD.checkpoint, utf8Encode(checkpoint)],
    ...tiles.map(({ tile, bytes }) => [RECORD.tile(tile), bytes] as const),
    ...[...openings].map(([index, bytes]) => [RECORD.opening(index), bytes] as const),
    [RECORD.dummies, utf8Encode(dummies)],
    ...timestamps.flatMap(
      ({ size, checkpoint: stamped, token }) =>
        [
          [RECORD.timestampedCheckpoint(size), stamped],
          [RECORD.timestamp(size), token],
        ] as const,
    ),
  ];
}
