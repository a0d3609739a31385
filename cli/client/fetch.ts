import type { Agent } from 'undici';

/** Connections of this process, kept for a few seconds. Made with the first request. */
let agent: Agent | undefined;

/**
 * `fetch` of the undici package. Node 24 carries an older undici, which ends the whole process when a
 * server closes the connection while we still read: an assertion fails where nobody can catch it, so
 * that a server could stop a CLI that waits for T0.
 *
 * The agent has to be our own: the default one is shared with Node's `fetch`, whoever came first.
 *
 * @see https://github.com/nodejs/undici/issues/5360
 */
export const sturdyFetch: typeof fetch = async (input, init) => {
  const undici = await import('undici');
  agent ??= new undici.Agent();
  // The same standard; the two packages of types name it apart.
  const send = undici.fetch as unknown as typeof fetch;
  return send(input, { ...init, dispatcher: agent } as RequestInit);
};
