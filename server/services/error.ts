/** Every failure that a route can answer with. Which status each one is lives in `http/problem.ts`. */
export type ServiceErrorCode =
  | 'request_invalid' // malformed before any rule of the protocol was looked at
  | 'login_required' // no session, or one that does not hold
  | 'login_refused' // a session is there, but this is for others
  | 'not_found' // unknown, or hidden from this caller: the two are told apart nowhere
  | 'conflict' // well-formed, but the state has moved on
  | 'not_released' // before T0
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'too_many_requests'
  | 'refused' // a rule of the protocol is broken
  | 'unavailable'; // nothing was changed; try again

/** A request that cannot be served. A bug of ours throws a plain `Error` instead. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;

  /** `message` reaches the caller and may reach the log: no secrets, no embargoed content. */
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @throws {@link ServiceError} `refused`, with `otherwise` as its message, unless the rule holds. */
export function refuseUnless(holds: boolean, otherwise: string): void {
  if (!holds) throw new ServiceError('refused', otherwise);
}
