import { ProtocolError } from '../../protocol/errors.ts';
import { checkNotExpired } from '../../protocol/trust/root-verify.ts';
import type { Officer } from '../../protocol/trust/root.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshTrust, type Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { CliError, InterruptedError, LoginError } from '../errors.ts';
import { openHome, type Home } from '../home/home.ts';
import type { OfficerKeys } from '../home/keys.ts';

/** An officer at work: own keys, the newest root that names them, and the server. */
export interface OfficerSession {
  readonly context: Context;
  readonly home: Home;
  readonly client: Client;
  readonly keys: OfficerKeys;
  readonly trust: Trust;
}

/**
 * Start work as the officer of this home.
 *
 * @throws {@link LoginError} when the newest root does not name these keys as an officer's;
 *   {@link ProtocolError} when it has expired.
 */
export async function openOfficerSession(context: Context): Promise<OfficerSession> {
  const home = openHome(context);
  const keys = await home.officerKeys();
  const client = await connect(context, home, keys.signer);
  const session = { context, home, client, keys, trust: await refreshTrust(home, client) };
  ownEntry(session);
  return session;
}

/**
 * The same, also when the server is of no help, silent or unwilling: an agent that starts again goes
 * on from what its home has kept.
 */
export async function openOfficerForRelease(context: Context): Promise<OfficerSession> {
  try {
    return await openOfficerSession(context);
  } catch (error) {
    if (!(error instanceof CliError) && !(error instanceof ProtocolError)) throw error;
    if (error instanceof InterruptedError) throw error;
    const home = openHome(context);
    const keys = await home.officerKeys();
    const client = await connect(context, home, keys.signer);
    const session = { context, home, client, keys, trust: await loadTrust(home) };
    ownEntry(session);
    context.out.warn(`going on with what is here: ${error.message}`);
    return session;
  }
}

/** The same, with whatever newer root there is by now. */
export async function refreshSession(session: OfficerSession): Promise<OfficerSession> {
  const fresh = { ...session, trust: await refreshTrust(session.home, session.client) };
  ownEntry(fresh);
  return fresh;
}

/** What the root says of the officer whose keys these are. */
function ownEntry({ context, keys, trust }: OfficerSession): Officer {
  checkNotExpired(trust.root, context.now());
  const officer = trust.root.people.get(keys.id);
  if (officer?.signing !== keys.signer.publicKey) {
    throw new LoginError(
      `root ${trust.root.version} does not know these keys as those of officer ${keys.id}`,
      'ask for a new root (sealdrop trust rotate), or use the home that has the right keys',
    );
  }
  return officer;
}
