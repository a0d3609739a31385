import { checkNotExpired } from '../../protocol/trust/root.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshTrust, type Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { openHome, type Home } from '../home/home.ts';
import type { OperatorKeys } from '../home/keys.ts';

/** An operator at work: own keys, what is trusted, and the server. */
export interface OperatorSession {
  readonly context: Context;
  readonly home: Home;
  readonly keys: OperatorKeys;
  readonly client: Client;
  readonly trust: Trust;
}

/**
 * Start work with whatever newer root the server has.
 *
 * @throws {@link ProtocolError} when the newest root has expired; `LoginError` without keys.
 */
export async function openOperatorSession(context: Context): Promise<OperatorSession> {
  const session = await openOffline(context);
  const trust = await refreshTrust(session.home, session.client);
  checkNotExpired(trust.root, context.now());
  return { ...session, trust };
}

/** Start work with what is here already: for T0, which needs nothing fresh. */
export async function openOffline(context: Context): Promise<OperatorSession> {
  const home = openHome(context);
  const keys = await home.operatorKeys();
  const client = await connect(context, home, keys.signer);
  return { context, home, keys, client, trust: await loadTrust(home) };
}
