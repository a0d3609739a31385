import { fromBase64, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { accountedSpan, type Leaf } from '../../protocol/log/leaf.ts';
import { NO_CAMPAIGN, parseOpening, type OpeningKind } from '../../protocol/log/opening.ts';
import { parseEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { Client } from '../client/client.ts';

/** An envelope out of an opening, with its place in the log. */
export interface LoggedEnvelope {
  readonly index: number;
  readonly kind: Exclude<OpeningKind, 'event'>;
  readonly envelope: Envelope;
}

/** What was sealed before a disclosure and is open now. */
export interface Openings {
  /** By index of the sealed leaf. */
  readonly files: ReadonlyMap<number, Uint8Array>;
  /** Of the campaign and of enrolments, by leaf. */
  readonly envelopes: readonly LoggedEnvelope[];
}

/** Where the log discloses a campaign; `undefined` as long as it does not. */
export function findDisclosure(leaves: readonly Leaf[], campaign: string): number | undefined {
  const index = leaves.findIndex((it) => it.type === 'disclosure' && it.campaign === campaign);
  return index < 0 ? undefined : index;
}

/** Whether every leaf sealed before `end` is accounted for. */
export function isSettled(leaves: readonly Leaf[], end: number): boolean {
  // Where spans begin and end: however they overlap, every leaf is looked at once.
  const begun = new Float64Array(end + 1);
  for (const span of leaves.map(accountedSpan)) {
    if (span === undefined || span.first >= end) continue;
    begun[span.first] = (begun[span.first] ?? 0) + 1;
    const behind = Math.min(span.last + 1, end);
    begun[behind] = (begun[behind] ?? 0) - 1;
  }
  let accounts = 0;
  return leaves.slice(0, end).every((leaf, i) => {
    accounts += begun[i] ?? 0;
    return leaf.type !== 'sealed' || accounts > 0;
  });
}

/**
 * Collect what opens the leaves before `end` that the log says are opened: from the campaign itself,
 * and from others that were disclosed before or since.
 *
 * @throws {@link ProtocolError} `leaf_invalid` when one does not hash to its leaf, or is missing.
 */
export async function readOpenings(
  client: Pick<Client, 'openings'>,
  leaves: readonly Leaf[],
  campaign: string,
  end: number,
): Promise<Openings> {
  const wanted = new Set(
    leaves.flatMap((leaf) => (leaf.type === 'opened' && leaf.index < end ? [leaf.index] : [])),
  );
  const others = leaves.flatMap((leaf) => (leaf.type === 'disclosure' ? [leaf.campaign] : []));
  const files = new Map<number, Uint8Array>();
  for (const id of new Set([campaign, ...others])) {
    if (files.size === wanted.size) break;
    for (const { index, opening } of await client.openings(id)) {
      if (!wanted.has(index) || files.has(index)) continue;
      const bytes = fromBase64(opening);
      const leaf = leaves[index];
      if (leaf?.type !== 'sealed' || leaf.sha256 !== sha256Hex(bytes)) {
        throw new ProtocolError('leaf_invalid', `the opening of leaf ${index} is another one`);
      }
      files.set(index, bytes);
    }
  }
  const missing = [...wanted].find((index) => !files.has(index));
  if (missing !== undefined) {
    throw new ProtocolError('leaf_invalid', `the server does not open leaf ${missing}`);
  }
  const sorted = new Map([...files].sort(([a], [b]) => a - b));
  return { files: sorted, envelopes: envelopesOf(sorted, campaign) };
}

function envelopesOf(
  files: ReadonlyMap<number, Uint8Array>,
  campaign: string,
): readonly LoggedEnvelope[] {
  return [...files].flatMap(([index, bytes]) => {
    const { campaign: id, kind, content } = parseOpening(bytes);
    if (kind === 'event' || (id !== campaign && id !== NO_CAMPAIGN)) return [];
    return [{ index, kind, envelope: parseEnvelope(content) }];
  });
}
