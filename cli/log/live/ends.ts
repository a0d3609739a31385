import { fromBase64, sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { dummyLeaf, dummyNonces, parseDummyKeys } from '../../../protocol/log/dummy.ts';
import { parseEntries } from '../../../protocol/log/entries.ts';
import { parseLeaf } from '../../../protocol/log/leaf.ts';
import { MERGE_DELAY_MS } from '../../../protocol/log/receipt.ts';
import { parseTilePath, TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import { ProblemError } from '../../errors.ts';
import type { EndCounts } from '../tree/accounts.ts';
import { checkTree } from '../tree/check-tree.ts';
import type { LogSource } from '../source.ts';
import type { Progress } from './progress.ts';

/** What the log says of its sealed leaves, to be held against what the server opens. */
type ToldEnds = Pick<Progress, 'accounts' | 'disclosures'>;

/**
 * Verify that leaves which the log calls opened or dummies are that: read once more from `first` on,
 * every one of them must be the SHA-256 of an opening that the server gives out.
 *
 * @param first - The first leaf that was accounted for since the last look.
 * @returns What was opened, by leaf: the bytes that the log has sealed.
 * @throws {@link ProtocolError} `leaf_invalid` when one is not, or is not given out; `proof_invalid`
 *   when what is read now is not what is signed.
 */
export async function verifyEnds(
  source: LogSource,
  checkpoint: Checkpoint,
  { accounts, disclosures }: ToldEnds,
  first: number,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const start = Math.floor(first / TILE_WIDTH) * TILE_WIDTH;
  const { disclosed } = source;
  if (disclosed === undefined) throw invalid('what is opened can be asked of a server only');
  const wanted = new Set<number>();
  for (let index = start; index < checkpoint.size; index++) {
    if (accounts.endOf(index)?.type === 'opened') wanted.add(index);
  }
  const opened = await readOpenings(
    disclosed,
    new Set(disclosures.map((it) => it.campaign)),
    wanted,
  );
  const keys = await orRefused(disclosed.dummies(), 'the server gives out no keys of dummies');
  const nonces = dummyNonces(parseDummyKeys(keys));

  const digestOf = (index: number): string | undefined => {
    const end = accounts.endOf(index);
    const opening = opened.get(index);
    if (end?.type === 'opened') return opening && sha256Hex(opening);
    const nonce = nonces(index);
    const leaf = nonce && dummyLeaf(nonce);
    return leaf?.type === 'sealed' ? leaf.sha256 : undefined;
  };
  // The bundles are held against the openings while they are read, and proven to be the signed ones.
  await checkTree(
    {
      async tile(path) {
        const bytes = await source.tile(path);
        const { level, index, width } = parseTilePath(path);
        if (level !== 'entries') return bytes;
        for (const [i, entry] of parseEntries(bytes, width).entries()) {
          const at = index * TILE_WIDTH + i;
          const end = accounts.endOf(at);
          if (end?.type !== 'opened' && end?.type !== 'dummy') continue;
          const leaf = parseLeaf(utf8Decode(entry));
          if (leaf.type === 'sealed' && leaf.sha256 === digestOf(at)) continue;
          throw invalid(`leaf ${at} is ${end.type === 'dummy' ? 'no dummy' : 'another opening'}`);
        }
        return bytes;
      },
    },
    checkpoint,
    { start },
  );
  return opened;
}

/**
 * What became of everything sealed before the last disclosure.
 *
 * The log accounts for it with its next checkpoints. Leaves of which it still says nothing a day after
 * this home has seen the disclosure are hidden for good.
 *
 * @param now - Unix milliseconds.
 * @returns `undefined` as long as nothing is disclosed.
 * @throws {@link ProtocolError} `leaf_invalid` when that day is over for a disclosure.
 */
export function endsOf({ accounts, disclosures }: ToldEnds, now: number): EndCounts | undefined {
  for (const { campaign, index, seenAt } of disclosures) {
    const { sealed } = accounts.countBelow(index);
    if (sealed === 0 || now < seenAt + MERGE_DELAY_MS) continue;
    throw invalid(
      `${sealed} leaves sealed before the disclosure of ${campaign} are so to this day`,
    );
  }
  const last = disclosures.at(-1);
  return last && accounts.countBelow(last.index);
}

/** The openings that the server gives out, by leaf. */
async function readOpenings(
  disclosed: NonNullable<LogSource['disclosed']>,
  campaigns: ReadonlySet<string>,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const openings = new Map<number, Uint8Array>();
  for (const id of campaigns) {
    if (openings.size === wanted.size) break;
    const asked = disclosed.openings(id);
    for (const { index, opening } of await orRefused(asked, `the server opens nothing of ${id}`)) {
      if (wanted.has(index)) openings.set(index, fromBase64(opening));
    }
  }
  const missing = [...wanted].find((index) => !openings.has(index));
  if (missing !== undefined) throw invalid(`the server does not open leaf ${missing}`);
  return openings;
}

/** A server that has not what its own log says it gives out breaks its word. */
async function orRefused<T>(answer: Promise<T>, otherwise: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof ProblemError && error.status === 404 ? invalid(otherwise) : error;
  }
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('leaf_invalid', message);
}
