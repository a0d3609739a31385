import { z } from 'zod';
import { encodeDocument, parseDocument } from '../commitment/document.ts';
import { equalBytes, utf8Encode } from '../encoding/bytes.ts';
import { parseJson } from '../encoding/json.ts';
import { fileName, hex64, parseShape, personId, safeCount, time } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import type { FileSum } from './sums.ts';

/** One file of a patch: its name, size in bytes and lower-case hex SHA-256. */
export interface Artifact extends FileSum {
  readonly size: number;
}

/** The patch for one client software. */
export interface Variant {
  /** Such as `agave` or `firedancer`. */
  readonly name: string;
  /** The commit or tag that the patch applies to. */
  readonly base: string;
  /** The git tree hash after applying it, 40 or 64 hex digits. */
  readonly tree: string;
  /** What to build with, in one line of printable ASCII. */
  readonly toolchain: string;
  /** Sorted bytewise by name; at least one. */
  readonly artifacts: readonly Artifact[];
}

/** What `release.txt` says: every byte that operators will be asked to run. */
export interface Release {
  /** Sorted bytewise by name; at least one. */
  readonly variants: readonly Variant[];
  /** Size and SHA-256 of `INSTRUCTIONS.md`. */
  readonly instructions: Omit<Artifact, 'name'>;
  /** The first T0. A directive may have moved it since. */
  readonly releaseTime: string;
}

/** Names in a bundle or its signatures, lower-case, that no artifact may take. */
const RESERVED_NAMES: readonly string[] = ['release.txt', 'instructions.md', 'release.intoto.json'];
/** How the list of sums, and all that officers sign of it, begins. */
const RESERVED_PREFIX = 'sha256sums';

/** Leaves room for the prefix that artifacts carry in a draft. */
const MAX_ARTIFACT_NAME = 90;

const MAX_BODY_BYTES = 1024 * 1024;

const content = { size: safeCount, sha256: hex64 };

const releaseBody = z.strictObject({
  variants: z
    .array(
      z.strictObject({
        name: personId,
        base: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}$/),
        tree: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
        toolchain: z.string().regex(/^[!-~](?:[ -~]{0,198}[!-~])?$/),
        artifacts: z
          .array(z.strictObject({ name: fileName.max(MAX_ARTIFACT_NAME), ...content }))
          .min(1)
          .max(256),
      }),
    )
    .min(1)
    .max(32),
  instructions: z.strictObject(content),
  releaseTime: time,
});

/**
 * Write `release.txt`, a sealed document whose body is JSON indented by two, for people to read.
 *
 * @param header - The campaign, and 32 fresh random bytes in hex.
 * @throws {@link ProtocolError} when {@link parseRelease} would refuse it.
 */
export function encodeRelease(
  release: Release,
  header: { readonly campaign: string; readonly nonce: string },
): Uint8Array {
  const body = parseShape(releaseBody, release, 'document_invalid', 'release');
  checkNames(release);
  const text = `${JSON.stringify(body, null, 2)}\n`;
  return encodeDocument({ type: 'release', ...header, body: utf8Encode(text) });
}

/**
 * Read `release.txt`. Each release has exactly one encoding.
 *
 * Artifact names are unique over all variants, also when upper and lower case are not told apart,
 * and never those of the bundle's own files.
 *
 * @throws {@link ProtocolError} `document_invalid`, `encoding_invalid`, `too_large`.
 */
export function parseRelease(document: Uint8Array): Release & { readonly campaign: string } {
  const { type, campaign, nonce, body } = parseDocument(document);
  if (type !== 'release') throw new ProtocolError('document_invalid', 'document is not a release');
  const json = parseJson(body, MAX_BODY_BYTES);
  const release = parseShape(releaseBody, json, 'document_invalid', 'release');
  if (!equalBytes(encodeRelease(release, { campaign, nonce }), document)) {
    throw new ProtocolError('document_invalid', 'release is not in its one encoding');
  }
  return { campaign, ...release };
}

/** Every file that `SHA256SUMS` lists for this release. */
export function releaseSums(release: Release, releaseDigest: string): FileSum[] {
  const artifacts = release.variants.flatMap((variant) => variant.artifacts);
  return [
    { name: 'release.txt', sha256: releaseDigest },
    { name: 'INSTRUCTIONS.md', sha256: release.instructions.sha256 },
    ...artifacts.map(({ name, sha256 }) => ({ name, sha256 })),
  ];
}

/** Whether a file of this name would be taken for one of the bundle's own, on any file system. */
export function isReservedName(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED_NAMES.includes(lower) || lower.startsWith(RESERVED_PREFIX);
}

function checkNames({ variants }: Release): void {
  if (!isStrictlySorted(variants.map(({ name }) => name))) {
    throw new ProtocolError('document_invalid', 'variants are sorted and named once');
  }
  const taken = new Set<string>();
  for (const { artifacts } of variants) {
    if (!isStrictlySorted(artifacts.map(({ name }) => name))) {
      throw new ProtocolError('document_invalid', 'artifacts are sorted and named once');
    }
    for (const { name } of artifacts) {
      if (isReservedName(name) || taken.has(name.toLowerCase())) {
        throw new ProtocolError('document_invalid', 'release names a file twice');
      }
      taken.add(name.toLowerCase());
    }
  }
}
