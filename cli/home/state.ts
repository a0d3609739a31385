import { z } from 'zod';
import { parseJson } from '../../protocol/encoding/json.ts';
import { campaignId, hex64, parseShape, safeCount, time } from '../../protocol/encoding/shape.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';
import type { Context } from '../command.ts';
import { findFile, withLock, writeAtomically } from './files.ts';

/** The furthest point at which this home has seen a campaign. */
export interface CampaignMemory {
  /** Sequence of the last completed directive; 0 before the first. */
  readonly sequence: number;
  /** SHA-256 of that directive's payload; null with sequence 0. */
  readonly directive: string | null;
  /** SHA-256 of plan.txt. */
  readonly plan: string;
  readonly revision: number;
}

/** A checkpoint's signed note, with its size and when this home saw it first. */
interface KeptCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly seenAt: string;
}

/** What this home has seen, none of which may ever go backwards. */
interface State {
  /** Newest checkpoint verified. */
  readonly checkpoint: KeptCheckpoint | null;
  readonly rootVersion: number;
  /** Versions of the TUF metadata; 0 before the first refresh. */
  readonly tuf: { readonly timestamp: number; readonly snapshot: number; readonly targets: number };
  readonly campaigns: Readonly<Record<string, CampaignMemory>>;
  /** Highest statement counter used, by `<campaign> <operator key>`. */
  readonly counters: Readonly<Record<string, number>>;
}

const stateJson = z.strictObject({
  format: z.literal('sealdrop-state/v1'),
  checkpoint: z
    .strictObject({ size: safeCount, note: z.string().max(65_536), seenAt: time })
    .nullable(),
  rootVersion: safeCount,
  tuf: z.strictObject({ timestamp: safeCount, snapshot: safeCount, targets: safeCount }),
  campaigns: z.record(
    campaignId,
    z.strictObject({
      sequence: safeCount,
      directive: hex64.nullable(),
      plan: hex64,
      revision: safeCount,
    }),
  ),
  counters: z.record(z.string().max(128), safeCount),
});

const EMPTY: State = {
  checkpoint: null,
  rootVersion: 0,
  tuf: { timestamp: 0, snapshot: 0, targets: 0 },
  campaigns: {},
  counters: {},
};

/** `state.json` of one home. Every change goes through `advance…`, which refuses going back. */
export interface StateFile {
  read(): Promise<State>;
  /**
   * Remember how far a campaign has come, as verified by the caller.
   *
   * @param store - Keeps what `seen` stands for. Runs once it is known to go forward and before it is
   *   remembered, so that a crash leaves nothing remembered that is not there.
   * @throws {@link ProtocolError} `transition_refused` when it was further already;
   *   `directives_forked` when the same sequence number now has another directive or plan.
   */
  advanceCampaign(
    campaign: string,
    seen: CampaignMemory,
    store?: () => Promise<void>,
  ): Promise<void>;
  /** Reserve the next statement counter, above `atLeast` and every one used before. */
  nextCounter(campaign: string, operator: string, atLeast: number): Promise<number>;
  /**
   * Replace the remembered checkpoint, provided that it still is `from` (compare-and-swap: another
   * process may have moved it meanwhile).
   *
   * @returns Whether it was.
   * @throws {@link ProtocolError} `checkpoint_invalid` for a smaller one.
   */
  advanceCheckpoint(
    from: State['checkpoint'],
    to: Omit<KeptCheckpoint, 'seenAt'>,
  ): Promise<boolean>;
  /**
   * @param options.forgetTuf - The root has new online keys, whose versions start anew.
   * @throws {@link ProtocolError} `trust_invalid` for a version below the one seen.
   */
  advanceRoot(version: number, options?: { forgetTuf?: boolean }): Promise<void>;
  /** @throws {@link ProtocolError} `trust_invalid` when any of the versions was higher before. */
  advanceTuf(seen: State['tuf']): Promise<void>;
}

export function openState(path: string, { now, sleep }: Pick<Context, 'now' | 'sleep'>): StateFile {
  const read = async (): Promise<State> => {
    const bytes = await findFile(path);
    if (bytes === undefined) return EMPTY;
    return parseShape(stateJson, parseJson(bytes, 16_777_216), 'encoding_invalid', 'state.json');
  };
  /** Asks without the lock first: most of what is seen was seen before. */
  const update = async (
    change: (state: State) => State,
    store?: () => Promise<void>,
  ): Promise<State> => {
    const seen = await read();
    if (encodeState(change(seen)) === encodeState(seen)) {
      await store?.();
      return seen;
    }
    return withLock(
      `${path}.lock`,
      (ms) => sleep(ms),
      async () => {
        const after = change(await read());
        await store?.();
        await writeAtomically(path, encodeState(after), 0o600);
        return after;
      },
    );
  };

  return {
    read,
    async advanceCampaign(campaign, seen, store) {
      await update((state) => {
        const memory = furthest(campaign, state.campaigns[campaign], seen);
        return { ...state, campaigns: { ...state.campaigns, [campaign]: memory } };
      }, store);
    },
    async nextCounter(campaign, operator, atLeast) {
      const key = `${campaign} ${operator}`;
      const after = await update((state) => {
        const next = Math.max(state.counters[key] ?? 0, atLeast) + 1;
        return { ...state, counters: { ...state.counters, [key]: next } };
      });
      return after.counters[key] ?? 0;
    },
    async advanceCheckpoint(from, to) {
      const after = await update((state) => {
        if (state.checkpoint?.note !== from?.note || from?.note === to.note) return state;
        const size = notBelow('log size', from?.size ?? 0, to.size, 'checkpoint_invalid');
        return { ...state, checkpoint: { size, note: to.note, seenAt: formatTime(now()) } };
      });
      return after.checkpoint?.note === to.note;
    },
    async advanceRoot(version, { forgetTuf = false } = {}) {
      await update((state) => ({
        ...state,
        rootVersion: notBelow('root version', state.rootVersion, version, 'trust_invalid'),
        tuf: forgetTuf ? EMPTY.tuf : state.tuf,
      }));
    },
    async advanceTuf(seen) {
      await update((state) => ({ ...state, tuf: notBelowTuf(state.tuf, seen) }));
    },
  };
}

function encodeState(state: State): string {
  return `${JSON.stringify({ ...state, format: 'sealdrop-state/v1' }, null, 2)}\n`;
}

function furthest(
  campaign: string,
  before: CampaignMemory | undefined,
  seen: CampaignMemory,
): CampaignMemory {
  if (before === undefined || seen.sequence > before.sequence) {
    if (before !== undefined && seen.revision < before.revision) {
      throw new ProtocolError('transition_refused', `${campaign}: the revision went backwards`);
    }
    return seen;
  }
  if (seen.sequence < before.sequence) {
    throw new ProtocolError(
      'transition_refused',
      `${campaign}: directive ${before.sequence} was seen before, now the last is ${seen.sequence}`,
    );
  }
  // Before the first directive a plan is a draft and may still change.
  const isSame = seen.directive === before.directive && seen.plan === before.plan;
  if (!isSame && seen.sequence > 0) {
    throw new ProtocolError(
      'directives_forked',
      `${campaign}: two different directives have number ${seen.sequence}; tell the officers`,
    );
  }
  return seen;
}

function notBelowTuf(before: State['tuf'], seen: State['tuf']): State['tuf'] {
  const check = (role: keyof State['tuf']): number =>
    notBelow(`${role} version`, before[role], seen[role], 'trust_invalid');
  return { timestamp: check('timestamp'), snapshot: check('snapshot'), targets: check('targets') };
}

function notBelow(what: string, before: number, seen: number, code: ProtocolErrorCode): number {
  if (seen < before) {
    throw new ProtocolError(code, `${what} ${before} was seen before, now it is ${seen}`);
  }
  return seen;
}
