import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyHome, digestHome } from '../../conformance/support/home.ts';
import { runCli } from '../../conformance/support/run.ts';
import { expectStatus } from '../../support/story.ts';
import type { Court } from './court.ts';

/** An envelope as JSON text, and when the last signature is said to have come. */
export interface Approval {
  readonly envelope: string;
  /** RFC 3339 with milliseconds. */
  readonly completedAt: string;
}

export interface Judgement {
  readonly verdict: 'accepted' | 'refused';
  /** What was said about it. */
  readonly said: string;
}

/** Completed directives as the server lists them. */
export async function listCompleted({ outpost, story }: Court): Promise<readonly unknown[]> {
  const { server } = outpost;
  const answer = await server.client(server.officers[0]?.signing).get(`${story.path}/directives`);
  return expectStatus(answer, 200).json<{ completed: unknown[] }>().completed;
}

/**
 * The server's verdict: whether an approval, sent in by an officer who signed it, makes the move.
 *
 * One that does not must leave the campaign as it was.
 */
export async function askServer(court: Court, { envelope }: Approval): Promise<Judgement> {
  const { outpost, story, officers } = court;
  const before = await listCompleted(court);
  const client = outpost.server.client(officers.alice.signing);
  const answer = await client.request('POST', `${story.path}/directives`, {
    bytes: new TextEncoder().encode(`{"envelope":${envelope}}`),
    type: 'application/json',
  });
  const after = await listCompleted(court);
  assert.ok(answer.status < 500, answer.text());
  if (after.length === before.length) {
    assert.deepEqual(after, before);
    return { verdict: 'refused', said: answer.text() };
  }
  assert.equal(answer.json<{ completed: boolean }>().completed, true);
  return { verdict: 'accepted', said: answer.text() };
}

/**
 * The CLI's verdict, from files alone: `verify` in a home whose list of directives ends in the
 * approval. No server is asked.
 *
 * One that is refused must leave the home as it was.
 *
 * @param home - Is not changed.
 * @param completed - The directives before.
 */
export async function askCli(
  court: Court,
  home: string,
  completed: readonly unknown[],
  { envelope, completedAt }: Approval,
): Promise<Judgement> {
  const copy = await copyHome(home, court.folder);
  const list = [
    ...completed.map((it) => JSON.stringify(it)),
    `{"envelope":${envelope},"completedAt":"${completedAt}"}`,
  ];
  const path = directivesIn(court, copy);
  await writeFile(path, `[${list.join(',')}]`);
  const before = digestHome(copy);
  const words = ['verify', court.patch];
  const { code, said } = await runCli(words, { home: copy, now: court.outpost.clock.now() });
  if (code !== 0) assert.deepEqual(digestHome(copy), before);
  await rm(copy, { recursive: true });
  assert.ok(code === 0 || code === 6, `exit ${code}: ${said}`);
  return { verdict: code === 0 ? 'accepted' : 'refused', said };
}

/** Let the home see a campaign's directives as they are now, as `prefetch` would. */
export async function bringUpToDate(court: Court, completed: readonly unknown[]): Promise<void> {
  const path = directivesIn(court, court.home);
  const before = await readFile(path);
  await writeFile(path, JSON.stringify(completed));
  const words = ['verify', court.patch];
  const { code, said } = await runCli(words, { home: court.home, now: court.outpost.clock.now() });
  assert.equal(code, 0, said);
  assert.notDeepEqual(await readFile(path), before);
}

const directivesIn = ({ story }: Court, home: string): string =>
  join(home, 'campaigns', story.sealed.id, 'directives.json');
