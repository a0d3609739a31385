import type { Revision } from '../../protocol/campaign/chain.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import { parseEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { Client } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import { publicationPath, type Mirror } from '../client/mirror.ts';
import { reasonOf } from '../client/trouble.ts';

/** A publication that somebody hands out; nothing of it is believed. */
export interface Found {
  readonly source: string;
  /** @throws {@link ProtocolError} when it is no envelope. */
  readonly read: () => Envelope;
}

/** What mirrors are asked for of every officer. */
type Wanted = KeyName | 'release-key';

/**
 * Publications from every mirror and shares from the server, all asked at once.
 *
 * As long as one source answers, whatever is wrong with the others is told and no obstacle.
 *
 * @param revisions - Under each of them mirrors are asked: an agent may not have heard of the last.
 * @param wanted - What mirrors are asked for. The server hands out whatever shares are out.
 * @throws What the server answered, when nothing came from anywhere.
 */
export async function findPublications(
  client: Client,
  mirrors: readonly Mirror[],
  revisions: readonly Revision[],
  wanted: readonly Wanted[],
  warn: (text: string) => void,
): Promise<readonly Found[]> {
  const plan = revisions.at(-1)?.plan;
  if (plan === undefined) throw new Error('the plan in force is one of these revisions');
  const [server, ...others] = await Promise.allSettled([
    sharesOfServer(client, plan.campaign),
    ...mirrors.map((mirror) => publicationsOfMirror(mirror, revisions, wanted)),
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

async function publicationsOfMirror(
  mirror: Mirror,
  revisions: readonly Revision[],
  wanted: readonly Wanted[],
): Promise<readonly Found[]> {
  const paths = revisions.flatMap(({ digest, plan: { shares } }) =>
    wanted.flatMap((of) =>
      // Whoever was given a share of the release key may put the key together.
      shares
        .filter(({ key }) => key === (of === 'release-key' ? 'release' : of))
        .map(({ officer }) => publicationPath(digest, officer, of)),
    ),
  );
  const files = await Promise.all(paths.map((path) => mirror.find(path)));
  return files.flatMap((bytes) =>
    bytes === undefined
      ? []
      : [{ source: `mirror ${mirror.name}`, read: () => parseEnvelope(bytes) }],
  );
}
