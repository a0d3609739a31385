import { encodeDocument, parseDocument } from '../commitment/document.ts';
import { concatBytes, sha256Hex, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Leaf } from './leaf.ts';

/** What a sealed leaf can stand for. `event` is JSON by the server, all others are signed envelopes. */
export const OPENING_KINDS = [
  'enrolment',
  'directive',
  'statement',
  'share',
  'release-key',
  'review',
  'endorsement',
  'event',
] as const;

export type OpeningKind = (typeof OPENING_KINDS)[number];

/** The campaign in the opening of an enrolment or endorsement, which tell of no campaign. */
export const NO_CAMPAIGN = 'SDX-0000-0000';

/** What opens one sealed leaf. */
export interface Opening {
  /** {@link NO_CAMPAIGN} exactly for enrolments and endorsements. */
  readonly campaign: string;
  /** 32 random bytes in lower-case hex, used once: without them the leaf could be guessed. */
  readonly nonce: string;
  readonly kind: OpeningKind;
  /** The recorded bytes: a DSSE envelope or an event, both JSON. */
  readonly content: Uint8Array;
}

const LINE_FEED = 0x0a;
/** Longest kind and a line feed. */
const MAX_KIND_BYTES = 16;

/**
 * Write an opening: a sealed document of type `opening`, its body the kind on a line of its own, then
 * the content.
 *
 * @throws {@link ProtocolError} `leaf_invalid` for a campaign that does not fit the kind, and as
 *   `encodeDocument`.
 */
export function encodeOpening({ campaign, nonce, kind, content }: Opening): Uint8Array {
  requireCampaign(kind, campaign);
  const body = concatBytes(utf8Encode(`${kind}\n`), content);
  return encodeDocument({ type: 'opening', campaign, nonce, body });
}

/**
 * Parse an opening; the exact inverse of {@link encodeOpening}. The content is not looked at.
 *
 * @throws {@link ProtocolError} `leaf_invalid`, and as `parseDocument`.
 */
export function parseOpening(bytes: Uint8Array): Opening {
  const { type, campaign, nonce, body } = parseDocument(bytes);
  if (type !== 'opening') throw new ProtocolError('leaf_invalid', 'not an opening');
  const end = body.subarray(0, MAX_KIND_BYTES).indexOf(LINE_FEED);
  const kind = parseKind(body.subarray(0, Math.max(0, end)));
  requireCampaign(kind, campaign);
  return { campaign, nonce, kind, content: body.subarray(end + 1) };
}

/** The leaf that an opening opens: its SHA-256, as `sha256sum` prints it. */
export function sealedLeaf(opening: Uint8Array): Leaf {
  return { type: 'sealed', sha256: sha256Hex(opening) };
}

function parseKind(bytes: Uint8Array): OpeningKind {
  const text = String.fromCharCode(...bytes);
  const kind = OPENING_KINDS.find((known) => known === text);
  if (kind === undefined) throw new ProtocolError('leaf_invalid', 'opening of an unknown kind');
  return kind;
}

/** What is said without knowing of a campaign: an opening must not tell of one either. */
function isOfNoCampaign(kind: OpeningKind): boolean {
  return kind === 'enrolment' || kind === 'endorsement';
}

function requireCampaign(kind: OpeningKind, campaign: string): void {
  if (isOfNoCampaign(kind) !== (campaign === NO_CAMPAIGN)) {
    throw new ProtocolError('leaf_invalid', 'opening whose campaign does not fit its kind');
  }
}
