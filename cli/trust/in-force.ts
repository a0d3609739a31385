import { ProtocolError } from '../../protocol/errors.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshTrust, type Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { CliError, InterruptedError } from '../errors.ts';
import type { Home } from '../home/home.ts';

/**
 * The roots up to the one in force, whether it has expired or not: rotating is the cure for that.
 *
 * Without the server those that are here must do; a root that does not follow from the newest is
 * refused when it is published.
 */
export async function loadForRotation(context: Context, home: Home): Promise<Trust> {
  try {
    return await refreshTrust(home, await connect(context, home));
  } catch (error) {
    if (!(error instanceof CliError) || error instanceof InterruptedError) throw error;
    const trust = await loadTrust(home).catch((cause: unknown) => {
      throw cause instanceof ProtocolError ? cause : error;
    });
    context.out.warn(`going on with root ${trust.root.version} that is here: ${error.message}`);
    return trust;
  }
}
