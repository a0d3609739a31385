import type { Revision } from '../../protocol/campaign/chain.ts';
import type { KeyName } from '../../protocol/embargo/key-name.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { Client } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import { publicationPath, type Mirror } from '../client/mirror.ts';
import { CliError, InterruptedError } from '../errors.ts';

/** A publication that somebody hands out; nothing of it is believed. */
export interface Found {
  readonly source: string;
  /** @throws {@link ProtocolError} when it is no envelope. */
  readonly read: () => Envelope;
}

/**
 * Shares from the server and every mirror, asked at once.
 *
 * As long as one source answers, whatever is wrong with the others is told and no obstacle.
 *
 * @param revisions - Under each of them mirrors are asked: an agent may not have heard of the last.
 * @param keys - Those that mirrors are asked for. The server hands out whatever is out.
 * @throws What the server answered, when nothing came from anywhere.
 */
export async function findShares(
  client: Client,
  mirrors: readonly Mirror[],
  revisions: readonly Revision[],
  keys: readonly KeyName[],
  warn: (text: string) => void,
): Promise<readonly Found[]> {
  const plan = revisions.at(-1)?.plan;
  if (plan === undefined) throw new Error('the plan in force is one of these revisions');
  const [server, ...others] = await Promise.allSettled([
    sharesOfServer(client, plan.campaign),
    ...mirrors.map((mirror) => sharesOfMirror(mirror, revisions, keys)),
  ]);
  const found: Found[] = [];
  for (const [i, answer] of others.entries()) {
    if (answer.status === 'fulfilled') found.push(...answer.value);
    else warn(`mirror ${mirrors[i]?.name ?? ''}: ${reasonOf(answer.reason)}`);
  }
  if (server.status === 'fulfilled') return [...server.value, ...found];
  const reason = reasonOf(server.reason);
  if (found.length === 0) throw server.reason;
  warn(`going on without the server: ${reason}`);
  return found;
}

async function sharesOfServer(client: Client, campaign: string): Promise<readonly Found[]> {
  const shares = await client.shares(campaign);
  return shares.map((json) => ({ source: 'the server', read: () => readEnvelope(json) }));
}

async function sharesOfMirror(
  mirror: Mirror,
  revisions: readonly Revision[],
  keys: readonly KeyName[],
): Promise<readonly Found[]> {
  const paths = revisions.flatMap(({ digest, plan }) =>
    plan.shares
      .filter(({ key }) => keys.includes(key))
      .map(({ officer, key }) => publicationPath(digest, officer, key)),
  );
  const files = await Promise.all(paths.map((path) => mirror.find(path)));
  return files.flatMap((bytes) =>
    bytes === undefined
      ? []
      : [{ source: `mirror ${mirror.name}`, read: () => parseEnvelope(bytes) }],
  );
}

/** @throws What is a bug of ours, or an interruption. */
export function reasonOf(reason: unknown): string {
  const isTrouble = reason instanceof CliError || reason instanceof ProtocolError;
  if (!isTrouble || reason instanceof InterruptedError) throw reason;
  return reason.message;
}
