import type { Cosignature } from '../../../protocol/log/cosignature.ts';
import { LogAheadError } from '../log/witnesses.ts';
import type { WitnessEndpoint } from './endpoint.ts';
import { submitCheckpoint, WitnessFailure } from './submit.ts';
import type { SubmitDeps } from './submit.ts';

/** A checkpoint of ours, and how to prove that it extends an older one. */
export interface Submission {
  readonly note: string;
  /** At least 1. */
  readonly size: number;
  readonly prove: (oldSize: number) => Promise<Uint8Array[]>;
}

/** One witness, with the size that it cosigned last as far as we know. */
export interface Consultation {
  readonly endpoint: WitnessEndpoint;
  /** @throws {@link WitnessFailure} for no cosignature, {@link LogAheadError} for a fork. */
  cosign(submission: Submission, signal: AbortSignal): Promise<Cosignature>;
}

/** The size that we remember, the one it corrects us to, and one more if it moved meanwhile. */
const MAX_EXCHANGES = 3;

/**
 * Ask a witness for a cosignature, proving consistency from whatever size it is at.
 *
 * The size is remembered in memory only: after a start the witness is asked from 0 and corrects us.
 */
export function consultation(endpoint: WitnessEndpoint, deps: SubmitDeps): Consultation {
  let known = 0;
  return {
    endpoint,
    async cosign({ note, size, prove }, signal) {
      let oldSize = Math.min(known, size);
      for (let exchange = 0; exchange < MAX_EXCHANGES; exchange += 1) {
        const proof = oldSize === 0 || oldSize === size ? [] : await prove(oldSize);
        const answer = await submitCheckpoint(endpoint, { oldSize, proof, note }, deps, signal);
        if (answer.kind === 'cosigned') {
          known = size;
          return answer.cosignature;
        }
        if (answer.kind === 'inconsistent') {
          refuseFork(endpoint, oldSize);
          break;
        }
        if (answer.size > size) throw ahead(endpoint, `has seen ${answer.size} entries`);
        // Some witnesses answer a second root for one size with a conflict that names that size.
        if (answer.size === oldSize) {
          if (oldSize === size) refuseFork(endpoint, size);
          break;
        }
        known = answer.size;
        oldSize = answer.size;
      }
      throw new WitnessFailure('contradictory');
    },
  };
}

/** From size 0 there is nothing that a proof could contradict. */
function refuseFork(endpoint: WitnessEndpoint, oldSize: number): void {
  if (oldSize > 0)
    throw ahead(endpoint, `has seen another history of the first ${oldSize} entries`);
}

function ahead({ verifier }: WitnessEndpoint, what: string): LogAheadError {
  return new LogAheadError(`witness ${verifier.name} ${what}`);
}
