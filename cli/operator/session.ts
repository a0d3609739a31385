import { ProtocolError } from '../../protocol/errors.ts';
import { checkNotExpired } from '../../protocol/trust/root-verify.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshTrust, type Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { CliError, InterruptedError } from '../errors.ts';
import { openHome, type Home } from '../home/home.ts';
import type { OperatorKeys } from '../home/keys.ts';
import { findRecentCheckpoint, refreshCheckpoint, type SeenCheckpoint } from '../log/checkpoint.ts';

/** Anybody who reads what officers have made public: what is trusted, and the server. */
export interface ReaderSession {
  readonly context: Context;
  readonly home: Home;
  readonly client: Client;
  readonly trust: Trust;
}

/** An operator at work, with own keys. */
export interface OperatorSession extends ReaderSession {
  readonly keys: OperatorKeys;
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

/** An operator who has something to say, and the checkpoint to name in it. */
export interface SpeakerSession extends OperatorSession {
  readonly seen: SeenCheckpoint;
}

/**
 * Start work on a statement. Within a minute of a command that verified a checkpoint nothing is asked
 * again: neither for a newer root nor for a newer checkpoint.
 *
 * @throws as {@link openOperatorSession} and {@link refreshCheckpoint}.
 */
export async function openToSpeak(context: Context): Promise<SpeakerSession> {
  const offline = await openOffline(context);
  const { home, client, trust } = offline;
  const recent = await findRecentCheckpoint(home, trust.root, context.now());
  if (recent !== undefined) {
    checkNotExpired(trust.root, context.now());
    return { ...offline, seen: recent };
  }
  const session = await openOperatorSession(context);
  return { ...session, seen: await refreshCheckpoint(home, client, session.trust.root) };
}

/**
 * Start work at T0, which needs nothing fresh: newer roots are taken if there are any, and whatever
 * goes wrong with that is no obstacle.
 */
export async function openForRelease(context: Context): Promise<OperatorSession> {
  return withNewerRoots(await openOffline(context));
}

/** The same for anybody; whoever has keys shows them, as not every server answers strangers. */
export async function openToRead(context: Context): Promise<ReaderSession> {
  const home = openHome(context);
  const client = await connectToRead(context, home);
  return withNewerRoots({ context, home, client, trust: await loadTrust(home) });
}

/** Its client. */
export async function connectToRead(context: Context, home: Home): Promise<Client> {
  const keys = (await home.findOperatorKeys()) ?? (await home.findOfficerKeys());
  return connect(context, home, keys?.signer);
}

async function withNewerRoots<T extends ReaderSession>(session: T): Promise<T> {
  const { context, home, client } = session;
  try {
    return { ...session, trust: await refreshTrust(home, client) };
  } catch (error) {
    if (!(error instanceof ProtocolError) && !(error instanceof CliError)) throw error;
    if (error instanceof InterruptedError) throw error;
    context.out.warn(`going on with the root of trust that is here: ${error.message}`);
    return session;
  }
}

async function openOffline(context: Context): Promise<OperatorSession> {
  const home = openHome(context);
  const keys = await home.operatorKeys();
  const client = await connect(context, home, keys.signer);
  return { context, home, keys, client, trust: await loadTrust(home) };
}
