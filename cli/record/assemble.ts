import { commitmentName } from '../../protocol/campaign/commitment.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { KEY_NAMES, type KeyName } from '../../protocol/embargo/key-name.ts';
import type { OfficerShare } from '../../protocol/embargo/share.ts';
import {
  officerSignatureFiles,
  type SumsSignatures,
} from '../../protocol/embargo/sums-signatures.ts';
import type { Files } from '../../protocol/embargo/tar.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { TileFile } from '../../protocol/log/tiles.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { StakeSnapshot } from '../../protocol/stake/snapshot.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { tallyJson, type Adoption } from './adoption.ts';
import { keyFiles, planJson } from './derived.ts';
import { RECORD } from './layout.ts';
import {
  encodeDirectiveIndex,
  encodeEnvelopeLines,
  encodeStatementLines,
  type StatementLine,
} from './lines.ts';
import { readme } from './readme.ts';
import { encodeRecordIndex, INDEX_PATH } from './record-index.ts';
import type { TimestampedCheckpoint } from './timestamps.ts';

/** Everything a record is made of; see `assembleRecord`. */
export interface RecordParts {
  /** `1.root.json` and so on, and the newest of them parsed. */
  readonly roots: readonly Uint8Array[];
  readonly newestRoot: TrustRoot;
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  /** COMMITMENT and the documents it lists, by name. */
  readonly documents: Files;
  /** Ciphertexts by their SHA-256, the closing bundle among them. */
  readonly ciphertexts: ReadonlyMap<string, Uint8Array>;
  readonly closingKey: string;
  /** What came out at T0; absent when the patch was never released. */
  readonly release?: ReleaseParts;
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  /** Shares and keys as published, by leaf. */
  readonly published: readonly Envelope[];
  /** By leaf. */
  readonly enrolments: readonly { readonly operator: string; readonly envelope: Envelope }[];
  readonly snapshot: StakeSnapshot;
  readonly snapshotBytes: Uint8Array;
  /** By leaf. */
  readonly statements: readonly StatementLine[];
  /** What firms said of its plans, and who endorsed its commitments; by leaf. */
  readonly reviews: readonly Envelope[];
  readonly endorsements: readonly Envelope[];
  /** By sequence. */
  readonly directives: readonly { readonly envelope: Envelope; readonly completedAt: string }[];
  readonly adoption: Adoption;
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
    ...releaseFiles(parts),
    ...statementFiles(parts),
    ...logFiles(parts),
  ]);
  return withIndex(parts.plan.campaign, files);
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

function planFiles(parts: RecordParts): Entries {
  const { plan, planBytes, documents, snapshotBytes, timestamps } = parts;
  const list = commitmentName(plan.revision);
  return [
    [RECORD.readme, readme(plan, timestamps.length > 0)],
    [RECORD.plan, planBytes],
    [RECORD.planJson, planJson(plan)],
    [RECORD.snapshot(plan.snapshot.point), snapshotBytes],
    ...[...documents].map(([name, bytes]) => {
      const path = name === list ? RECORD.commitment(name) : RECORD.document(plan.revision, name);
      return [path, bytes] as const;
    }),
  ];
}

function releaseFiles(parts: RecordParts): Entries {
  const { release, closingKey, ciphertexts, shares, published } = parts;
  return [
    ...[...ciphertexts].map(([sha256, bytes]) => [RECORD.bundle(sha256), bytes] as const),
    ...KEY_NAMES.flatMap((key) =>
      shares[key].map(({ officer, document }) => [RECORD.share(key, officer), document] as const),
    ),
    [RECORD.published, encodeEnvelopeLines(published)],
    [RECORD.closingKey, utf8Encode(`${closingKey}\n`)],
    ...(release === undefined
      ? []
      : ([
          [RECORD.releaseKey, utf8Encode(`${release.key}\n`)],
          [RECORD.sums, release.sums],
          [RECORD.sumsSignature, release.sumsSignature],
          [RECORD.releaseStatement, release.statement],
          ...officerSignatureFiles(release.byOfficer),
        ] as const)),
  ];
}

function statementFiles(parts: RecordParts): Entries {
  const { plan, enrolments, statements, reviews, endorsements, adoption, snapshot } = parts;
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
    [RECORD.tally, tallyJson(plan, adoption, snapshot)],
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
