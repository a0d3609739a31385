import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { z } from 'zod';

import type { serverCard } from '../protocol/api/card.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../protocol/signature/verifier-key.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config.ts';
import { createCustodyKey, openCustodyKey } from './custody-key.ts';
import { openKeys, renewKeys } from './store/keys.ts';

export type ServerCard = z.infer<typeof serverCard>;

export interface CardOptions {
  /**
   * Make new snapshot and timestamp keys first, for the next root to name. A server that runs goes on
   * with the old ones until that root is published.
   */
  readonly renew?: boolean;
  /** Make a custody key first, so that campaigns can give shares to this server. */
  readonly custody?: boolean;
}

/**
 * Make the server's keys, if they are not there, and describe their public halves.
 *
 * @throws {@link ConfigError} when a custody key is to be made and there is one, or nowhere to put it.
 */
export async function makeCard(
  config: Config,
  { renew = false, custody = false }: CardOptions = {},
): Promise<ServerCard> {
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const directory = join(config.dataDirectory, 'keys');
  const keys = await (renew ? renewKeys(directory) : openKeys(directory));
  const origin = originOf(config);
  if (custody) await createCustodyKey(config);
  const custodian = await custodianCard(config);
  return {
    format: 'sealdrop-server-card/v1',
    origin,
    logKey: formatVerifierKey(origin, NOTE_ED25519, keys.log.publicKey),
    tokenKey: keys.token.publicKey,
    snapshotKey: keys.snapshot.publicKey,
    timestampKey: keys.timestamp.publicKey,
    ...(custodian && { custodian }),
  };
}

/** Named on the card whenever the configuration names the key; making one takes an option of its own. */
async function custodianCard(config: Config): Promise<ServerCard['custodian']> {
  const custody = await openCustodyKey(config);
  return custody && { key: custody.signer.publicKey, age: custody.recipient };
}

/**
 * The name of service and log. It outlives every start, so it cannot depend on a port that the
 * system chooses.
 */
export function originOf({ origin, publicUrl, host, port }: Config): string {
  if (origin !== undefined) return origin;
  if (publicUrl !== undefined) return `${publicUrl.replace(/^https?:\/\//, '')}/log`;
  if (port === 0) {
    throw new ConfigError('SEALDROP_ORIGIN or SEALDROP_PUBLIC_URL is required with port 0');
  }
  return `${hostInUrl(host)}:${port}/log`;
}

/** The URL under which clients reach this server. */
export function publicUrlOf({ publicUrl, host }: Config, port: number): string {
  return publicUrl ?? `http://${hostInUrl(host)}:${port}`;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
