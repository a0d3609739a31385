import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { fromBase64, sha256Hex } from '../../protocol/encoding/bytes.ts';
import type { Leaf } from '../../protocol/log/leaf.ts';
import { parseLeaf } from '../../protocol/log/leaf.ts';
import { parseOpening } from '../../protocol/log/opening.ts';
import { checkLog } from '../support/check-log.ts';
import { HOUR_MS } from '../support/clock.ts';
import type { Story } from '../support/story.ts';
import { expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('disclosure', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const leaves = async (): Promise<Leaf[]> => {
    const { server } = world;
    await server.sequence();
    await server.sequence();
    const log = await checkLog(
      join(server.dataDirectory, 'log'),
      server.root.logKey,
      verifyEd25519,
    );
    return log.leaves.map(parseLeaf);
  };
  const released = async (story: Story): Promise<void> => {
    await story.arm();
    world.clock.advance(HOUR_MS);
    await story.release();
  };
  const disclose = async (story: Story): Promise<void> => {
    await story.decide('disclose', { override: true, reason: 'it is time' });
    for (const index of [0, 1, 2]) {
      expectStatus(await story.publishShare(world.officer(index), 'closing'), 200);
    }
  };
  interface Page {
    openings: { index: number; opening: string }[];
  }
  const openings = async (story: Story): Promise<Page['openings']> => {
    const all: Page['openings'] = [];
    for (;;) {
      const after = all.at(-1)?.index;
      const query = after === undefined ? '' : `?after=${after}`;
      const page = expectStatus(
        await world.server.client().get(`${story.path}/openings${query}`),
        200,
      );
      const { openings: found } = page.json<Page>();
      if (found.length === 0) return all;
      all.push(...found);
    }
  };
  /** How each sealed leaf is accounted for, in the order in which that happened. */
  const accountsOf = (all: readonly Leaf[]): Map<number, string[]> => {
    const accounts = new Map<number, string[]>();
    for (const [index, { type }] of all.entries()) if (type === 'sealed') accounts.set(index, []);
    for (const leaf of all) {
      if (leaf.type === 'opened') accounts.get(leaf.index)?.push('opened');
      if (leaf.type === 'withheld') accounts.get(leaf.index)?.push(`withheld ${leaf.reason}`);
    }
    return accounts;
  };

  it('withholds what belongs to a campaign that is still hidden, and opens that in its own time', async () => {
    const first = await world.another();
    await released(first);
    const second = await world.another();
    await second.arm();
    expectStatus(await second.say(world.operator(0), 'ack'), 200);
    await disclose(first);

    const then = await leaves();
    const end = then.findIndex(({ type }) => type === 'disclosure');
    const accounts = accountsOf(then);
    const opened = new Map((await openings(first)).map((it) => [it.index, it.opening]));
    for (const [index, ends] of accounts) {
      if (index >= end) continue;
      assert.equal(ends.length, 1, `leaf ${index}`);
      const opening = opened.get(index);
      assert.equal(ends[0], opening === undefined ? 'withheld other' : 'opened');
      if (opening === undefined) continue;
      const bytes = fromBase64(opening);
      const leaf = then[index];
      assert.equal(leaf?.type === 'sealed' && leaf.sha256, sha256Hex(bytes));
      assert.ok(['SDX-0000-0000', first.sealed.id].includes(parseOpening(bytes).campaign));
    }
    assert.ok([...accounts.values()].flat().includes('withheld other'));

    await world.server.restart();
    assert.deepEqual(
      accountsOf(await leaves()),
      accountsOf(then),
      'a restart accounts for nothing twice',
    );

    world.clock.advance(HOUR_MS);
    await second.release();
    await disclose(second);
    const now = await leaves();
    const ends = accountsOf(now);
    const last = now.findLastIndex(({ type }) => type === 'disclosure');
    const own = new Set((await openings(second)).map(({ index }) => index));
    for (const [index, how] of ends) {
      if (index >= last) continue;
      assert.notEqual(how.length, 0, `leaf ${index} is sealed to this day`);
      assert.equal(new Set(how).size, how.length);
      if (how.includes('withheld other') && own.has(index)) assert.equal(how[1], 'opened');
    }
    assert.equal(now.filter(({ type }) => type === 'disclosure').length, 2);
  });

  it('that could not be opened at once is opened when it can be', async () => {
    const story = await world.another();
    await released(story);
    const { sha256 } = story.sealed.closing;
    const path = join(world.server.dataDirectory, 'blobs', sha256.slice(0, 2), sha256);
    await rename(path, `${path}.away`);
    await disclose(story);
    const anyone = world.server.client();
    assert.deepEqual(problemOf(await anyone.get(`${story.path}/closing-key`)), {
      status: 425,
      type: 'not_released',
    });
    assert.ok(
      world.server.logged.some(
        ({ message }) => message === 'the closing bundle could not be opened now',
      ),
    );
    await rename(`${path}.away`, path);
    await world.server.restart();
    const { key } = expectStatus(await anyone.get(`${story.path}/closing-key`), 200).json<{
      key: string;
    }>();
    assert.equal(key, story.sealed.keys.closing.identity);
  });

  it('publishes the committed documents by their names, and nothing by any other', async () => {
    const story = await world.another();
    await released(story);
    await disclose(story);
    const anyone = world.server.client();
    for (const [name, bytes] of story.sealed.documents) {
      const answer = expectStatus(await anyone.get(`${story.path}/documents/${name}`), 200);
      assert.deepEqual(answer.bytes, bytes);
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    }
    for (const name of ['plan.txt', '..%2fplan', 'disclosure', '%00']) {
      assert.equal((await anyone.get(`${story.path}/documents/${name}`)).status, 404, name);
    }
  });
});
