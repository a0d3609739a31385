import { ProtocolError } from '../../../protocol/errors.ts';
import { accountedSpan, type Leaf } from '../../../protocol/log/leaf.ts';
import type { LoggedLeaf } from './leaf-tile.ts';

/** How a sealed leaf has ended; `sealed` as long as nothing accounts for it. */
export type LeafEnd =
  | { readonly type: 'sealed' | 'opened' | 'dummy' }
  | { readonly type: 'withheld'; readonly reason: string };

/** How many sealed leaves have ended in each way. */
export interface EndCounts {
  readonly sealed: number;
  readonly opened: number;
  readonly dummies: number;
  /** By reason. */
  readonly withheld: ReadonlyMap<string, number>;
}

/**
 * What became of every sealed leaf of a log, in one byte a leaf.
 *
 * A leaf is accounted for once. What a campaign still hidden had sealed when another one was
 * disclosed is withheld, with the dummies around it, and opened when its own time comes: the one way
 * in which a leaf is accounted for twice.
 */
export interface Accounts {
  /**
   * Take the next leaf that is not a sealed one; all between it and the one before are.
   *
   * @throws {@link ProtocolError} `leaf_invalid` when it accounts for a leaf that was not sealed
   *   before it, or that is accounted for.
   */
  add(entry: LoggedLeaf): void;
  /** How the leaf at `index` has ended; undefined when it is not a sealed one. */
  endOf(index: number): LeafEnd | undefined;
  /** Count the sealed leaves among the first `end` ones. */
  countBelow(end: number): EndCounts;
}

// What a byte says. Reasons of withheld leaves are numbered from WITHHELD on.
const SEALED = 0;
const NOT_SEALED = 1;
const OPENED = 2;
const DUMMY = 3;
const WITHHELD = 4;
const MAX_REASONS = 256 - WITHHELD;

export function openAccounts(): Accounts {
  let states = new Uint8Array(4096);
  const reasons: string[] = [];

  const stateAfter = (leaf: Leaf): number => {
    if (leaf.type === 'opened') return OPENED;
    if (leaf.type !== 'withheld') return DUMMY;
    const known = reasons.indexOf(leaf.reason);
    if (known >= 0) return WITHHELD + known;
    if (reasons.length === MAX_REASONS) throw invalid('leaves are withheld for too many reasons');
    return WITHHELD + reasons.push(leaf.reason) - 1;
  };

  return {
    add({ index, leaf }) {
      if (index >= states.length) {
        const larger = new Uint8Array(2 * (index + 1));
        larger.set(states);
        states = larger;
      }
      states[index] = NOT_SEALED;
      const span = accountedSpan(leaf);
      if (span === undefined) return;
      const state = stateAfter(leaf);
      // The first leaf that is wrong ends this, so a span as long as the log costs nothing twice.
      for (let at = span.first; at <= span.last; at++) {
        const before = at < index ? (states[at] ?? SEALED) : NOT_SEALED;
        if (before === NOT_SEALED) {
          throw invalid(`leaf ${index} accounts for no leaf sealed before it`);
        }
        const isOpening = before >= WITHHELD && state < WITHHELD;
        if (before !== SEALED && !isOpening) throw invalid(`leaf ${at} is accounted for twice`);
        states[at] = state;
      }
    },
    endOf(index) {
      const state = states[index] ?? SEALED;
      if (state === NOT_SEALED) return undefined;
      if (state >= WITHHELD) return { type: 'withheld', reason: reasons[state - WITHHELD] ?? '' };
      return { type: state === SEALED ? 'sealed' : state === OPENED ? 'opened' : 'dummy' };
    },
    countBelow(end) {
      const counts = new Float64Array(256);
      const known = states.subarray(0, end);
      for (const state of known) counts[state] = (counts[state] ?? 0) + 1;
      const numberOf = (state: number): number => counts[state] ?? 0;
      const withheld = reasons.map((reason, i) => [reason, numberOf(WITHHELD + i)] as const);
      return {
        sealed: numberOf(SEALED) + end - known.length,
        opened: numberOf(OPENED),
        dummies: numberOf(DUMMY),
        withheld: new Map(withheld.filter(([, number]) => number > 0)),
      };
    },
  };
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('leaf_invalid', message);
}
