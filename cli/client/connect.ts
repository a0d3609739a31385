import type { KeyedSigner } from '../../platform/ed25519.ts';
import type { Home } from '../home/home.ts';
import { openSessionFile } from '../home/sessions.ts';
import { clientOver } from './api.ts';
import type { Client } from './client.ts';
import type { NetworkContext } from './http.ts';
import { openTransport } from './transport.ts';

/**
 * A client for the server this home trusts.
 *
 * @param identity - Whose key to log in with; without one only public routes answer.
 * @throws {@link CliError} before `trust add`.
 */
export async function connect(
  context: NetworkContext,
  home: Home,
  identity?: KeyedSigner,
): Promise<Client> {
  const { server } = await home.config();
  const sessions = openSessionFile(home.path('session.json'));
  return clientOver(openTransport(context, server, identity, sessions));
}

/** A client for any server, without memory: for `trust add URL` and `audit URL`. */
export function connectTo(context: NetworkContext, server: string, identity?: KeyedSigner): Client {
  return clientOver(openTransport(context, server, identity));
}
