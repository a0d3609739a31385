import { ProtocolError } from '../../../protocol/errors.ts';
import type { Policy } from '../../../protocol/log/policy.ts';
import type { NoteVerifier } from '../../../protocol/signature/verifier-key.ts';

/** A witness that can be asked. */
export interface WitnessEndpoint {
  readonly verifier: NoteVerifier;
  /** Where add-checkpoint is. */
  readonly url: URL;
}

/**
 * The witnesses of a policy that have a URL.
 *
 * @param origin - Our log's: a policy that names a log must name ours and no other.
 * @throws {@link ProtocolError} `policy_invalid` for another log, or a URL that is not plain
 *   http or https: credentials, a query or a fragment are mistakes here.
 */
export function witnessEndpoints(policy: Policy, origin: string): readonly WitnessEndpoint[] {
  for (const { verifier } of policy.logs) {
    if (verifier.name !== origin)
      throw wrong(`it is about the log ${verifier.name}, not ${origin}`);
  }
  return policy.witnesses.flatMap(({ name, verifier, url }) => {
    if (url === undefined) return [];
    return [{ verifier, url: addCheckpointUrl(name, url) }];
  });
}

function addCheckpointUrl(name: string, prefix: string): URL {
  const url = URL.parse(`${prefix.replace(/\/+$/, '')}/add-checkpoint`);
  const isPlain =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    !/[?#]/.test(prefix) &&
    url.username === '' &&
    url.password === '';
  if (isPlain) return url;
  throw wrong(`the URL of ${name} is not a plain http or https URL`);
}

function wrong(cause: string): ProtocolError {
  return new ProtocolError('policy_invalid', `witness policy: ${cause}`);
}
