import type { Client } from '../client/client.ts';
import type { Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import type { Home } from '../home/home.ts';

/** What downloading a record needs. The client shows nobody's identity: all of it is public. */
export interface Archivist {
  readonly context: Context;
  readonly home: Home;
  readonly client: Client;
  readonly trust: Trust;
}
