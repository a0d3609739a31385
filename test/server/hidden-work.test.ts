import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { CAMPAIGN_PATHS } from '../leak-audit/campaign-paths.ts';
import type { WorkCounter } from '../support/work.ts';
import { countWork } from '../support/work.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

// How long an answer takes depends on the machine; what is done for it does not. `npm run bench --
// --only hidden` measures the time.

describe('a request for a hidden campaign', () => {
  let work: WorkCounter;
  let world: World;
  const unknown = 'SDX-2026-ZZZZ';
  before(async () => {
    work = await countWork();
    world = await openWorld();
    await world.story.uploadCiphertext();
    await world.story.decide('commit');
    await world.story.decide('notify');
    await world.story.notice(world.operator(0));
  });
  after(async () => {
    await work.stop();
    await world.close();
  });

  it('runs the same blocks of code, equally often, as one for an unknown campaign', async () => {
    const { server, story } = world;
    const absent = 'ab'.repeat(32);
    const pairs = [
      ...CAMPAIGN_PATHS.map((path) =>
        [story.sealed.id, unknown].map((id) => `/v1/campaigns/${id}${path}`),
      ),
      [story.sealed.bundle.sha256, absent].map((sha256) => `/blobs/sha256/${sha256}`),
      [story.sealed.closing.sha256, absent].map((sha256) => `/blobs/sha256/${sha256}`),
    ];
    for (const [who, client] of [
      ['the public', server.client()],
      ['an operator', server.client(world.operator(3).key)],
    ] as const) {
      for (const [hidden = '', other = ''] of pairs) {
        // Once before, so that nothing is done for the first time.
        await client.get(other);
        const [first, second] = [
          await work.during(() => client.get(hidden)),
          await work.during(() => client.get(other)),
        ];
        assert.ok(first.size > 10);
        assert.deepEqual(first, second, `${who}: ${hidden}`);
      }
    }
  });

  it('would be seen to do something else, if it did', async () => {
    const { server, story } = world;
    const officer = server.client(world.officer(0).signing);
    await officer.get(story.path);
    const seen = await work.during(() => officer.get(`${story.path}/custody`));
    const missed = await work.during(() => officer.get(`/v1/campaigns/${unknown}/custody`));
    assert.notDeepEqual(seen, missed);
  });
});
