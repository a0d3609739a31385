import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { HOUR_MS } from '../support/clock.ts';
import { disguises } from '../support/disguises.ts';
import { openStory } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((it) => join(it.parentPath, it.name));
}

describe('the server’s disk', () => {
  let world: World;
  const patch = randomBytes(32);
  const announcement = randomBytes(32);

  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const hunt = async (wanted: readonly Buffer[]): Promise<string[]> => {
    const found: string[] = [];
    for (const path of await filesBelow(world.server.dataDirectory)) {
      const bytes = await readFile(path);
      if (wanted.some((it) => bytes.includes(it))) found.push(path);
    }
    return found;
  };

  it('holds neither patch, announcement nor keys before the disclosure, in any disguise', async () => {
    const { server, snapshot } = world;
    const story = await openStory(server, {
      snapshot,
      // Raw bytes in the patch, hex in the announcement, which is text.
      patch: Buffer.concat([Buffer.from('patch '), patch]),
      disclosure: `# ${announcement.toString('hex')}\n`,
    });
    await story.arm();
    const { keys, shares } = story.sealed;
    const secrets = [
      ...disguises(patch),
      ...disguises(announcement),
      ...Object.values(keys).map(({ identity }) => Buffer.from(identity)),
      ...[...shares.release.values(), ...shares.closing.values()].flatMap((it) => {
        const share = Buffer.from(it);
        return [share, Buffer.from(share.toString('base64').slice(0, 200))];
      }),
      Buffer.from('Prepare to patch.'),
    ];
    assert.deepEqual(await hunt(secrets), []);

    world.clock.advance(HOUR_MS);
    await story.release();
    await server.sequence();
    assert.deepEqual(await hunt(secrets), [], 'after T0 it still cannot open anything');

    await story.decide('disclose', { override: true, reason: 'done' });
    for (const officer of server.officers.slice(0, 3)) await story.publishShare(officer, 'closing');
    const disclosed = await hunt([Buffer.from(keys.closing.identity)]);
    assert.ok(disclosed.length > 0, 'the hunt does find what is there');
    assert.deepEqual(await hunt(disguises(patch)), [], 'the patch itself never gets there');
    assert.deepEqual(await hunt([Buffer.from(keys.release.identity)]), []);
  });
});
