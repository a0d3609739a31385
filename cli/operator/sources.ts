import { ProtocolError } from '../../protocol/errors.ts';
import { parseEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { samePatch, type Chain } from '../client/chain.ts';
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
 * Shares of the release key from the server and every mirror, asked at once.
 *
 * As long as one source answers, whatever is wrong with the others is told and no obstacle.
 *
 * @throws What the server answered, when nothing came from anywhere.
 */
export async function findShares(
  client: Client,
  mirrors: readonly Mirror[],
  chain: Pick<Chain, 'plan' | 'revisions'>,
  warn: (text: string) => void,
): Promise<readonly Found[]> {
  const [server, ...others] = await Promise.allSettled([
    sharesOfServer(client, chain.plan.campaign),
    ...mirrors.map((mirror) => sharesOfMirror(mirror, chain)),
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

/** Under each revision that has this patch: an agent may not have heard of the last one. */
async function sharesOfMirror(
  mirror: Mirror,
  chain: Pick<Chain, 'plan' | 'revisions'>,
): Promise<readonly Found[]> {
  const shares = chain.plan.shares.filter(({ key }) => key !== 'closing');
  const paths = samePatch(chain).flatMap(({ digest }) =>
    shares.map(({ officer, key }) => publicationPath(digest, officer, key)),
  );
  const files = await Promise.all(paths.map((path) => mirror.find(path)));
  return files.flatMap((bytes) =>
    bytes === undefined
      ? []
      : [{ source: `mirror ${mirror.name}`, read: () => parseEnvelope(bytes) }],
  );
}

/** @throws What is a bug of ours, or an interruption. */
function reasonOf(reason: unknown): string {
  const isTrouble = reason instanceof CliError || reason instanceof ProtocolError;
  if (!isTrouble || reason instanceof InterruptedError) throw reason;
  return reason.message;
}
