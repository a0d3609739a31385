import { ProtocolError } from '../../../protocol/errors.ts';
import type { Policy } from '../../../protocol/log/policy.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { Logger } from '../logger.ts';
import { witnessEndpoints } from './endpoint.ts';
import type { WitnessEndpoint } from './endpoint.ts';

/** Whom the log asks, and what makes a quorum of them, at this moment. */
export interface WitnessesInForce {
  /** What clients go by: that of the root; where it has none, that of the file. */
  policy(): Policy | undefined;
  /** Those of the file, and further ones of the root. */
  endpoints(): readonly WitnessEndpoint[];
}

/**
 * @param file - The policy that the server was configured with.
 * @param root - The root in force; it may change while the server runs.
 * @throws {@link ProtocolError} `policy_invalid` for the file. A root that is not usable as a list of
 *   addresses is only logged: officers signed it, and the log goes on.
 */
export function witnessesInForce(
  file: Policy | undefined,
  root: () => TrustRoot,
  logger: Logger,
): WitnessesInForce {
  const { origin } = root();
  const own = file === undefined ? [] : witnessEndpoints(file, origin);
  let seen: { readonly policy: Policy; readonly endpoints: readonly WitnessEndpoint[] } | undefined;

  const ofRoot = (policy: Policy): readonly WitnessEndpoint[] => {
    if (seen?.policy !== policy) seen = { policy, endpoints: tolerant(policy, origin, logger) };
    return seen.endpoints;
  };
  return {
    policy: () => root().witnessPolicy ?? file,
    endpoints() {
      const { witnessPolicy } = root();
      if (witnessPolicy === undefined) return own;
      const known = new Set(own.map(({ verifier }) => verifier.publicKey));
      const further = ofRoot(witnessPolicy).filter(
        ({ verifier }) => !known.has(verifier.publicKey),
      );
      return [...own, ...further];
    },
  };
}

function tolerant(policy: Policy, origin: string, logger: Logger): readonly WitnessEndpoint[] {
  try {
    return witnessEndpoints(policy, origin);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    logger.error({ code: error.code }, 'the witnesses of the root have URLs that cannot be used');
    return [];
  }
}
