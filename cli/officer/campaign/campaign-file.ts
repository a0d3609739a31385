import { z } from 'zod';
import { parseJson } from '../../../protocol/encoding/json.ts';
import {
  campaignId,
  fileName,
  hex64,
  MAX_MIRRORS,
  mirrorUrl,
  networkId,
  personId,
  time,
} from '../../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import {
  NO_REVIEWS,
  reviewPolicyShape,
  type ReviewPolicy,
} from '../../../protocol/plan/review-policy.ts';
import { milestoneShape } from '../../../protocol/stake/milestone.ts';
import { error, type Finding } from './finding.ts';

/** A commit (40 or 64 hex digits) or a tag, never an option of git. */
const gitRevision = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}$/);

/** One client that needs its own patch or build: Agave, Jito, Firedancer, … */
const variant = z.strictObject({
  name: personId,
  base: gitRevision,
  /** Git tree hash of the sources with the patch applied. */
  tree: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  toolchain: z.string().regex(/^[!-~](?:[ -~]{0,198}[!-~])?$/),
  /** Names in artifacts/<name>/. Patches are applied in the order of their names. */
  files: z.array(fileName).min(1).max(256),
});

/** A part of the stake that shares clocks and holidays. */
const region = z.strictObject({
  /** IANA time zone, such as Europe/Berlin. */
  zone: z
    .string()
    .regex(/^[A-Z][A-Za-z]{1,30}(?:\/[A-Za-z0-9_+-]{1,30}){0,2}$/)
    .refine(isTimeZone),
  /** Of the whole stake, in per cent. */
  percent: z.int().min(1).max(100),
  /** ISO 3166: whose public holidays and weekend count. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  /** Days off that no table knows, such as 2026-11-20. */
  holidays: z.array(z.iso.date()).max(100).optional(),
});

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** campaign.json: what an officer decides about a campaign, before any of it is sealed. */
const campaignFile = z.strictObject({
  format: z.literal('sealdrop-campaign/v1'),
  id: campaignId,
  network: networkId,
  exercise: z.boolean(),
  releaseTime: time,
  latestDisclosure: time,
  /** Absent: the defaults of `protocol/stake/milestone.ts`. */
  milestones: z.array(milestoneShape).min(1).max(20).optional(),
  /** Absent: no review is required. */
  reviews: reviewPolicyShape.optional(),
  /** Nobody opens before T0, not even all officers; but with the second split, many of them. */
  timelock: z.strictObject({ breakGlassThreshold: z.int().min(3).max(255).optional() }).optional(),
  /** The server holds one of the release shares; or, in an exercise only, enough of them alone. */
  serverCustody: z.enum(['one', 'alone']).optional(),
  variants: z.array(variant).min(1).max(32),
  /** A canonical snapshot: a file in this directory, or the digest of one that `network add` kept. */
  snapshot: z.union([hex64, fileName]),
  /** Where the ciphertext and the officers' publications will be too; the plan names them. */
  mirrors: z
    .array(mirrorUrl)
    .max(MAX_MIRRORS)
    .refine((mirrors) => new Set(mirrors).size === mirrors.length)
    .optional(),
  /** Where the stake lives, so that T0 can be judged by the clocks there. */
  regions: z.array(region).max(64).optional(),
  /** What notice.md must not say, in whatever case. */
  secretTerms: z
    .array(z.string().regex(/^\S(?:[^\n]{0,98}\S)?$/u))
    .max(256)
    .optional(),
});

export type CampaignFile = z.infer<typeof campaignFile>;
export type CampaignVariant = CampaignFile['variants'][number];
export type StakeRegion = z.infer<typeof region>;

/** How many release shares a campaign gives to the server. */
export function serverSharesOf({ serverCustody }: CampaignFile, shareThreshold: number): number {
  if (serverCustody === undefined) return 0;
  return serverCustody === 'one' ? 1 : shareThreshold;
}

/** The reviews that a campaign asks for, as its plan will list them. */
export function reviewPolicyOf({ reviews }: CampaignFile): ReviewPolicy {
  return reviews ? { required: reviews.required, by: [...reviews.by].sort() } : NO_REVIEWS;
}

const MAX_BYTES = 262_144;
const README = 'README.md beside it says what each field is';

/**
 * Read campaign.json, or say everything that is wrong with its shape.
 *
 * Findings name the field, never its value: they may be pasted where the embargo does not hold.
 */
export function readCampaignFile(bytes: Uint8Array): CampaignFile | readonly Finding[] {
  let json: unknown;
  try {
    json = parseJson(bytes, MAX_BYTES);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return [error('campaign.json', cause.message, README)];
  }
  const result = campaignFile.safeParse(json);
  if (result.success) return result.data;
  return result.error.issues.map((issue) =>
    error(['campaign.json', ...issue.path].map(String).join('.'), explain(issue), README),
  );
}

function explain(issue: z.core.$ZodIssue): string {
  const field = issue.path.findLast((part) => typeof part === 'string') ?? '';
  if (issue.code === 'unrecognized_keys') return 'holds a field that is not known here';
  if (issue.code === 'invalid_type') return `must be a ${issue.expected}`;
  return EXPECTED[field] ?? `is not as it must be (${issue.code})`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  format: 'must be "sealdrop-campaign/v1"',
  id: 'must be an id such as SDX-2026-7KQ4',
  network: 'must be solana:<genesis hash>',
  releaseTime: 'must be a time such as 2026-11-20T14:00:00Z',
  latestDisclosure: 'must be a time such as 2026-12-04T14:00:00Z',
  name: 'must be lower-case letters, digits and hyphens',
  base: 'must be a commit or a tag',
  tree: 'must be a git tree hash, 40 or 64 hex digits',
  toolchain: 'must be 1 to 200 printable ASCII characters',
  required: 'must be how many reviews it takes, a whole number',
  by: 'must be ids of reviewers',
  breakGlassThreshold: 'must be a number of officers, above the share threshold',
  serverCustody: 'must be "one", or in an exercise "alone"',
  snapshot: 'must be a file name in this directory or a SHA-256 in hex',
  mirrors: 'must be an address such as https://mirror.example/sealdrop, at most 16, each once',
  zone: 'must be a time zone such as Europe/Berlin',
  percent: 'must be a whole number from 1 to 100',
  country: 'must be two capitals such as DE',
  holidays: 'must be dates such as 2026-11-20',
  secretTerms: 'must be at most 256 texts of 1 to 100 characters, one line each',
};
