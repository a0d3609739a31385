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
  /** All of it for the first `size` leaves, for {@link openAccounts}. */
  encode(size: number): EncodedAccounts;
}

/** Accounts as text: `300:0 1:1 12:2` are 300 sealed leaves, one of another kind and 12 opened ones. */
export interface EncodedAccounts {
  readonly runs: string;
  /** Of withheld leaves; the first is that of runs of 4. */
  readonly reasons: readonly string[];
}

/** For people: `12 opened, 30 dummies, 4 withheld (other)`. */
export function formatEnds({ opened, dummies, withheld }: EndCounts): string {
  const reasons = [...withheld].map(([reason, number]) => `, ${number} withheld (${reason})`);
  return `${opened} opened, ${dummies} dummies${reasons.join('')}`;
}

// What a byte says. Reasons of withheld leaves are numbered from WITHHELD on.
const SEALED = 0;
const NOT_SEALED = 1;
const OPENED = 2;
const DUMMY = 3;
const WITHHELD = 4;
const MAX_REASONS = 256 - WITHHELD;
/** More than a gigabyte of states is not a log that anybody follows. */
const MAX_LEAVES = 2 ** 30;

/** @param known - What was encoded before; by default of a log without leaves. */
export function openAccounts(known: EncodedAccounts = { runs: '', reasons: [] }): Accounts {
  let states = decodeRuns(known);
  const reasons = [...known.reasons];

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
    encode: (size) => ({ runs: encodeRuns(states, size), reasons: [...reasons] }),
  };
}

function encodeRuns(states: Uint8Array, size: number): string {
  const runs: string[] = [];
  for (let start = 0, end = 0; start < size; start = end) {
    const state = states[start] ?? SEALED;
    while (end < size && (states[end] ?? SEALED) === state) end++;
    runs.push(`${end - start}:${state}`);
  }
  return runs.join(' ');
}

/** @throws {@link ProtocolError} `encoding_invalid` */
function decodeRuns({ runs, reasons }: EncodedAccounts): Uint8Array<ArrayBuffer> {
  const parsed = runs.split(' ').map((run) => {
    const [, length, state] = /^([1-9]\d{0,9}):(0|[1-9]\d{0,2})$/.exec(run) ?? [];
    if (runs !== '' && !(Number(state) < WITHHELD + reasons.length)) throw malformed();
    return { length: Number(length ?? 0), state: Number(state ?? SEALED) };
  });
  const size = parsed.reduce((sum, { length }) => sum + length, 0);
  if (size > MAX_LEAVES) throw malformed();
  const states = new Uint8Array(size);
  let at = 0;
  for (const { length, state } of parsed) states.fill(state, at, (at += length));
  return states;
}

function malformed(): ProtocolError {
  return new ProtocolError('encoding_invalid', 'malformed accounts of a log');
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('leaf_invalid', message);
}
