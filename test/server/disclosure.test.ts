import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { fromBase64, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { dummyLeaf, dummyNonces, parseDummyKeys } from '../../protocol/log/dummy.ts';
import type { DummyKey } from '../../protocol/log/dummy.ts';
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
      if (leaf.type === 'dummy' || leaf.type === 'withheld') {
        const how = leaf.type === 'dummy' ? 'dummy' : `withheld ${leaf.reason}`;
        for (let at = leaf.first; at <= leaf.last; at++) accounts.get(at)?.push(how);
      }
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

  it('opens dummies once no campaign is hidden, and until then tells none from hidden leaves', async () => {
    await using own = await openWorld();
    const whole = async (): Promise<Leaf[]> => {
      await own.server.sequence();
      await own.server.sequence();
      const folder = join(own.server.dataDirectory, 'log');
      return (await checkLog(folder, own.server.root.logKey, verifyEd25519)).leaves.map(parseLeaf);
    };
    const keys = async (): Promise<DummyKey[]> => {
      const answer = expectStatus(await own.server.client().get('/v1/dummies'), 200);
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
      return parseDummyKeys(answer.text());
    };
    const closeWith = async (story: Story): Promise<void> => {
      await story.decide('disclose', { override: true, reason: 'it is time' });
      for (const index of [0, 1, 2]) {
        expectStatus(await story.publishShare(own.officer(index), 'closing'), 200);
      }
    };
    const second = await own.another();
    await own.story.arm();
    await own.server.sequence();
    await second.arm();
    expectStatus(await second.say(own.operator(0), 'ack'), 200);
    own.clock.advance(HOUR_MS);
    await own.story.release();
    await closeWith(own.story);

    const then = await whole();
    const end = then.findIndex(({ type }) => type === 'disclosure');
    assert.ok(!then.some(({ type }) => type === 'dummy'));
    assert.deepEqual(await keys(), []);
    const ends = accountsOf(then);
    for (let index = 0; index < end; index++) {
      if (then[index]?.type === 'sealed') assert.equal(ends.get(index)?.length, 1);
    }
    // A span ends where something public or opened stands, and nowhere else.
    for (const span of then) {
      if (span.type !== 'withheld') continue;
      for (const beside of [span.first - 1, span.last + 1]) {
        if (beside < 0 || beside >= end) continue;
        const isPublic = then[beside]?.type !== 'sealed';
        assert.ok(isPublic || ends.get(beside)?.[0] === 'opened', `leaf ${beside}`);
      }
    }

    await second.release();
    await closeWith(second);
    const now = await whole();
    const last = now.findLastIndex(({ type }) => type === 'disclosure');
    const nonces = dummyNonces(await keys());
    const finals = accountsOf(now);
    let dummies = 0;
    for (const [index, how] of finals) {
      if (index > last) continue;
      assert.ok(['opened', 'dummy'].includes(how.at(-1) ?? ''), `leaf ${index} ends ${how.join()}`);
      assert.deepEqual(
        how.slice(0, -1),
        ends.get(index)?.includes('withheld other') ? ['withheld other'] : [],
      );
      if (how.at(-1) !== 'dummy') continue;
      dummies += 1;
      assert.deepEqual(now[index], dummyLeaf(nonces(index) ?? assert.fail()));
    }
    assert.ok(dummies > 0);
    assert.equal(nonces(last), undefined, 'nothing behind the disclosure is opened');
    await own.server.restart();
    assert.deepEqual(accountsOf(await whole()), finals, 'a restart accounts for nothing twice');
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
