import { verifyEd25519 } from '../platform/ed25519.ts';
import { readFileBounded } from '../platform/read-file.ts';
import { utf8Decode } from '../protocol/encoding/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { MAX_POLICY_LENGTH, parsePolicy } from '../protocol/log/policy.ts';
import type { NoteVerifier } from '../protocol/signature/verifier-key.ts';
import { ConfigError, type Config } from './config.ts';
import type { Sequencer } from './services/log/sequencer.ts';
import type { LogFiles } from './services/log/store.ts';
import type { Witnesses } from './services/log/witnesses.ts';
import type { Logger } from './services/logger.ts';
import type { Trust } from './services/trust/trust.ts';
import { confirmedSequencer } from './services/witness/confirm.ts';
import { witnessesInForce } from './services/witness/in-force.ts';
import type { WitnessesInForce } from './services/witness/in-force.ts';
import { findShortfall } from './services/witness/standing.ts';
import { witnessClient } from './services/witness/witnesses.ts';

/** Everything about witnesses that the rest of the server is given. */
export interface WitnessWiring {
  readonly witnesses: Witnesses;
  /** Let a sequencer ask them about what is published before it signs anything. */
  readonly confirm: (sequencer: Sequencer) => Sequencer;
  /** What the log lacks to be witnessed; `undefined` when it lacks nothing. */
  readonly shortfall: () => Promise<string | undefined>;
  /** What somebody should look after, a line each. */
  readonly alarms: () => Promise<readonly string[]>;
}

/** @throws {@link ConfigError} for a witness policy that cannot be used. */
export async function openWitnesses(
  config: Config,
  deps: {
    readonly trust: Trust;
    readonly log: NoteVerifier;
    readonly files: LogFiles;
    readonly logger: Logger;
    readonly now: () => number;
  },
): Promise<WitnessWiring> {
  const { trust, log, files, logger, now } = deps;
  const verify = verifyEd25519;
  const inForce = await readInForce(config, trust, logger);
  const deadlineMs = config.witnessTimeoutMs;
  const client = witnessClient({ inForce, deadlineMs, fetch, verify, logger, now });
  const shortfall = (): Promise<string | undefined> =>
    findShortfall({ files, inForce, verify, now });
  return {
    witnesses: client,
    confirm: (sequencer) => confirmedSequencer(sequencer, { log, files, witnesses: client }),
    shortfall,
    async alarms() {
      const contradiction = client.contradiction();
      const stopped = contradiction && `the log has stopped signing: ${contradiction}`;
      return [stopped, await shortfall()].filter((it) => it !== undefined);
    },
  };
}

async function readInForce(
  { witnessPolicyFile: path }: Config,
  trust: Trust,
  logger: Logger,
): Promise<WitnessesInForce> {
  try {
    const bytes = path === undefined ? undefined : await readFileBounded(path, MAX_POLICY_LENGTH);
    const file = bytes && parsePolicy(utf8Decode(bytes));
    return witnessesInForce(file, () => trust.current, logger);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(`SEALDROP_WITNESS_POLICY: ${error.message}`, { cause: error });
  }
}
