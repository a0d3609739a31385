import { equalBytes, sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { addCosignatures, takeCosignature } from '../../protocol/log/cosignature.ts';
import { parseAddCheckpoint } from '../../protocol/log/witness-request.ts';
import type { AddCheckpoint } from '../../protocol/log/witness-request.ts';
import { admitCheckpoint, judgeCheckpoint } from '../../protocol/log/witness-verdict.ts';
import type {
  Refusal,
  SignedCheckpoint,
  WitnessedLog,
} from '../../protocol/log/witness-verdict.ts';
import type { Cosigner } from '../../protocol/signature/cosigner.ts';
import type { VerifyEd25519 } from '../../protocol/signature/ed25519.ts';
import { parseNote } from '../../protocol/signature/note.ts';
import type { NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import type { Remembered, WitnessMemory } from './memory.ts';

export interface WitnessDeps {
  readonly logs: ReadonlyMap<string, WitnessedLog>;
  readonly key: Cosigner;
  readonly memory: WitnessMemory;
  readonly verify: VerifyEd25519;
  /** Unix ms. */
  readonly now: () => number;
}

/** What came of a request. */
export type WitnessOutcome =
  | {
      readonly kind: 'cosigned';
      readonly origin: string;
      readonly size: number;
      /** The cosignature line, newline included. */
      readonly line: string;
    }
  | (Refusal & { readonly origin?: string; readonly fork?: ForkEvidence });

/** Two checkpoints of one log and size with different roots, both signed by the log. */
export interface ForkEvidence {
  readonly seen: string;
  readonly shown: string;
}

export interface WitnessService {
  /** Answer add-checkpoint; a cosignature that comes out of here is on disk. */
  addCheckpoint(body: string): WitnessOutcome;
  /** The checkpoint cosigned last, by SHA-256 of the origin, for monitors. */
  findLatest(originHash: string): string | undefined;
}

/** A repeated checkpoint gets a new cosignature, but only this often a new place on disk. */
const REFRESH_SECONDS = 60;

/**
 * A witness: it cosigns a checkpoint that its log signed and that extends the one it cosigned last.
 *
 * @see C2SP tlog-witness; docs/spec/witness.md, "Our own witness"
 */
export function witnessService({ logs, key, memory, verify, now }: WitnessDeps): WitnessService {
  const cosign = (
    request: AddCheckpoint,
    signed: SignedCheckpoint,
    log: WitnessedLog,
  ): WitnessOutcome => {
    const { checkpoint, text } = signed;
    const { origin } = checkpoint;
    let outcome: WitnessOutcome | undefined;
    memory.update(origin, originHashOf(origin), (latest) => {
      const verdict = judgeCheckpoint(request, signed, latest?.checkpoint);
      if (verdict.kind !== 'cosign') {
        outcome = { ...verdict, origin, ...forkOf(request.note, signed, latest) };
        return undefined;
      }
      // A clock that was set back must not make this look older than what was cosigned before.
      const time = Math.max(Math.floor(now() / 1000), latest?.time ?? 0);
      const line = key.cosign(text, time);
      outcome = { kind: 'cosigned', origin, size: checkpoint.size, line };
      const isRepeated = latest?.checkpoint.size === checkpoint.size;
      if (isRepeated && time < latest.time + REFRESH_SECONDS) return undefined;
      const cosignature = takeCosignature(text, line, key, verify);
      const note = addCosignatures(withoutStrangers(request.note, log.keys), [cosignature]);
      return { checkpoint, time, note };
    });
    // Only now, when it is stored, may the signature be seen.
    if (outcome === undefined) throw new Error('every request has an outcome');
    return outcome;
  };

  return {
    addCheckpoint(body) {
      try {
        const request = parseAddCheckpoint(body);
        const admitted = admitCheckpoint(request, (origin) => logs.get(origin), verify);
        if (admitted.kind !== 'signed') return admitted;
        const log = logs.get(admitted.checkpoint.origin);
        if (log === undefined) throw new Error('an admitted log is known');
        return cosign(request, admitted, log);
      } catch (error) {
        if (error instanceof ProtocolError) return { kind: 'malformed' };
        throw error;
      }
    },
    findLatest: (originHash) => memory.findByHash(originHash)?.note,
  };
}

export function originHashOf(origin: string): string {
  return sha256Hex(utf8Encode(origin));
}

/** The same size and another root, signed by the log: proof that it forked. */
function forkOf(
  note: string,
  { checkpoint }: SignedCheckpoint,
  latest: Remembered | undefined,
): { fork?: ForkEvidence } {
  const isFork =
    latest?.checkpoint.size === checkpoint.size &&
    !equalBytes(latest.checkpoint.root, checkpoint.root);
  return isFork ? { fork: { seen: latest.note, shown: note } } : {};
}

/** The note with the log's own lines only: what others may have added was not verified. */
function withoutStrangers(note: string, keys: readonly NoteVerifier[]): string {
  const { text, lines } = parseNote(note);
  const own = lines.filter(({ name, keyId }) =>
    keys.some((key) => key.name === name && key.keyId === keyId),
  );
  return `${text}\n${own.map(({ line }) => `${line}\n`).join('')}`;
}
