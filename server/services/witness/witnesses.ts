import { addCosignatures } from '../../../protocol/log/cosignature.ts';
import type { Cosignature } from '../../../protocol/log/cosignature.ts';
import { countWitnesses, describeShortfall } from '../../../protocol/log/witness-quorum.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { describeFailure } from '../failure.ts';
import { LogAheadError } from '../log/witnesses.ts';
import type { Witnesses } from '../log/witnesses.ts';
import type { Logger } from '../logger.ts';
import { consultation } from './consult.ts';
import type { Consultation, Submission } from './consult.ts';
import type { WitnessEndpoint } from './endpoint.ts';
import type { WitnessesInForce } from './in-force.ts';
import { WitnessFailure } from './submit.ts';

export interface WitnessDeps {
  readonly inForce: WitnessesInForce;
  /** How long a checkpoint may wait for its slowest witness. */
  readonly deadlineMs: number;
  readonly fetch: typeof fetch;
  readonly verify: VerifyEd25519;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
}

/** Witnesses over HTTP. */
export interface WitnessClient extends Witnesses {
  /** Why the log has stopped signing, if a witness made it. */
  contradiction(): string | undefined;
}

/**
 * Cosignatures from independent witnesses, all asked at once.
 *
 * Below the quorum the log goes on, so that a witness who is down stops nothing but `arm` and
 * `prefetch`; there is an alarm instead.
 */
export function witnessClient(deps: WitnessDeps): WitnessClient {
  const { inForce, deadlineMs, verify, logger, now } = deps;
  const consultations = new Map<string, Consultation>();
  let isBelow = false;
  let ahead: string | undefined;
  /** Failures by witness: told when they change, not with every checkpoint. */
  const told = new Map<string, string>();

  const consult = (endpoint: WitnessEndpoint): Consultation => {
    const id = `${endpoint.verifier.publicKey} ${endpoint.url.href}`;
    const found = consultations.get(id) ?? consultation(endpoint, deps);
    consultations.set(id, found);
    return found;
  };

  const tell = (name: string, failure: WitnessFailure | undefined): void => {
    const code = failure?.code ?? 'ok';
    if ((told.get(name) ?? 'ok') === code) return;
    told.set(name, code);
    const fields = { witness: name, reason: code };
    if (failure === undefined) logger.info(fields, 'a witness cosigns again');
    else logger.warn({ ...fields, ...describeFailure(failure) }, 'a witness does not cosign');
  };

  const ask = async (
    endpoint: WitnessEndpoint,
    submission: Submission,
    signal: AbortSignal,
  ): Promise<Cosignature | LogAheadError | undefined> => {
    const { name } = endpoint.verifier;
    try {
      const cosignature = await consult(endpoint).cosign(submission, signal);
      tell(name, undefined);
      return cosignature;
    } catch (error) {
      if (error instanceof LogAheadError) return error;
      // Our own proof failed: the log cannot be read, which is no witness's fault.
      if (!(error instanceof WitnessFailure)) throw error;
      tell(name, error);
      return undefined;
    }
  };

  const judge = (note: string, size: number): void => {
    const policy = inForce.policy();
    if (policy === undefined) return;
    const witnessing = countWitnesses(policy, note, now(), verify);
    if (witnessing.isMet === !isBelow) return;
    isBelow = !witnessing.isMet;
    const fields = { code: 'witness_quorum', size };
    if (!isBelow) logger.info(fields, 'the witness quorum is met again');
    else {
      const shortfall = describeShortfall(witnessing);
      logger.error({ ...fields, shortfall }, 'the log is below its witness quorum');
    }
  };

  return {
    async cosign(note, size, prove) {
      // Every tree extends the empty one: there is nothing to witness, and some witnesses choke on it.
      if (size === 0) return note;
      const signal = AbortSignal.timeout(deadlineMs);
      const submission = { note, size, prove };
      const answers = await Promise.all(
        inForce.endpoints().map((endpoint) => ask(endpoint, submission, signal)),
      );
      const contradiction = answers.find((it) => it instanceof LogAheadError);
      if (contradiction !== undefined) {
        ahead = contradiction.message;
        logger.error({ code: 'log_ahead', size, reason: ahead }, 'the log stops signing');
        throw contradiction;
      }
      const cosignatures = answers.flatMap((it) =>
        it === undefined || it instanceof LogAheadError ? [] : [it],
      );
      const cosigned = addCosignatures(note, cosignatures);
      judge(cosigned, size);
      return cosigned;
    },
    contradiction: () => ahead,
  };
}
