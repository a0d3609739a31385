import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import Database from 'better-sqlite3';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { generateKey, open, seal } from '../../protocol/embargo/age.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import { QUICKNET, timeOfRound } from '../../protocol/plan/timelock.ts';
import { sha256Hex, toBase64 } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodePublication, verifyPublication } from '../../protocol/statement/share.ts';
import { makeCard } from '../../server/card.ts';
import { listen } from '../cli/support/static-server.ts';
import { beaconJson, QUICKNET_ROUNDS } from '../protocol/embargo/drand.ts';
import { sealCampaign } from '../support/campaign.ts';
import { DAY_MS, HOUR_MS, testClock } from '../support/clock.ts';
import { makeOfficers } from '../support/officers.ts';
import { makeValidator, snapshotOf } from '../support/operators.ts';
import type { Story } from '../support/story.ts';
import {
  envelopeJson,
  envelopeOf,
  expectStatus,
  openStory,
  postSnapshot,
} from '../support/story.ts';
import { startTestServer } from '../support/test-server.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('the server as custodian', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ officers: await makeOfficers(3), custody: true });
  });
  after(() => world.close());

  const armed = async (options: Parameters<World['another']>[0] = {}): Promise<Story> => {
    const story = await world.another({ serverShares: 1, ...options });
    await story.arm();
    return story;
  };
  const out = async (story: Story): Promise<string[]> => {
    const answer = await world.server.client(world.officer(0).signing).get(story.path);
    return expectStatus(answer, 200).json<{ shares: { published: string[] } }>().shares.published;
  };
  const speak = async (story: Story, ...officers: number[]): Promise<void> => {
    for (const index of officers) {
      expectStatus(await story.publishShare(world.officer(index), 'release'), 200);
    }
  };
  /** After the server has looked once more. */
  const heard = async (story: Story): Promise<string[]> => {
    await world.server.tendShares();
    return out(story);
  };
  const officersIn = (query: string, parameter: string): string[] => {
    const database = new Database(join(world.server.dataDirectory, 'sealdrop.sqlite'));
    const rows = database.prepare(query).all(parameter) as { officer: string }[];
    database.close();
    return rows.map(({ officer }) => officer).sort();
  };
  const kept = ({ sealed }: Story): string[] =>
    officersIn("SELECT officer FROM custody WHERE plan = ? AND key = 'release'", sealed.planDigest);
  const publications = ({ sealed }: Story): string[] =>
    officersIn('SELECT officer FROM publications WHERE campaign = ?', sealed.id);
  const toT0 = (story: Story): void => {
    world.clock.set(Date.parse(story.sealed.plan.releaseTime));
  };

  it('publishes its share once two officers of three have, and then forgets it', async () => {
    const story = await armed();
    const { plan, keys } = story.sealed;
    toT0(story);
    await speak(story, 0);
    await world.server.tendShares();
    assert.deepEqual(await out(story), ['alice']);
    await speak(story, 1);
    // By itself: an officer's share is what it waits for.
    for (let looks = 0; (await story.status()) !== 'released'; looks += 1) {
      assert.ok(looks < 200);
      await wait(10);
    }
    assert.deepEqual(await heard(story), ['alice', 'bob', 'server']);
    assert.deepEqual(kept(story), ['alice', 'bob', 'carol']);

    const answer = await world.server.client(world.officer(2).signing).get(`${story.path}/shares`);
    const shares = await Promise.all(
      expectStatus(answer, 200)
        .json<{ shares: unknown[] }>()
        .shares.map(async (json) => {
          const { root } = world.server;
          const found = verifyPublication(envelopeOf(json), verifyEd25519, root, plan);
          return {
            officer: found.officer,
            document: await open(found.sealed, keys.access.identity),
          };
        }),
    );
    const { key, bad } = await combineShares(shares, plan, 'release');
    assert.deepEqual({ key, bad }, { key: keys.release.identity, bad: [] });

    const spoiled = shares.map((it) =>
      it.officer === 'server' ? { ...it, document: it.document.slice(1) } : it,
    );
    const carols = story.sealed.shares.release.get('carol') ?? new Uint8Array();
    const others = [...spoiled, { officer: 'carol', document: carols }];
    const combined = await combineShares(others, plan, 'release');
    assert.equal(combined.key, keys.release.identity);
    assert.deepEqual(
      combined.bad.map(({ officer }) => officer),
      ['server'],
    );
    await assert.rejects(combineShares(spoiled, plan, 'release'), {
      code: 'threshold_unmet',
      message: /bad: server$/,
    });
  });

  it('says nothing by its own clock, however far that has moved', async () => {
    const story = await armed();
    const start = world.clock.now();
    for (const at of [start + 366 * DAY_MS, start, start + 10 * DAY_MS]) {
      world.clock.set(at);
      await world.server.restart();
      await world.server.tendShares();
      assert.deepEqual(publications(story), []);
      const said = world.server.logged.findLast(({ message }) => /is a custodian/.test(message));
      assert.equal(said?.['campaign'], story.sealed.id);
      assert.match(String(said['says']), /^SERVER CUSTODY: the server holds 1 of the 3 shares/);
    }
    world.clock.set(start);
    await world.server.restart();
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    toT0(story);
    await speak(story, 0, 1);
    assert.equal((await heard(story)).length, 3);
  });

  it('follows directives, not what the database says of T0', async () => {
    const story = await armed();
    const path = join(world.server.dataDirectory, 'sealdrop.sqlite');
    await world.server.stop();
    const database = new Database(path);
    const set = (time: string): void => {
      database
        .prepare('UPDATE campaigns SET release_time = ? WHERE id = ?')
        .run(time, story.sealed.id);
    };
    set(formatTime(world.clock.now() - HOUR_MS));
    database.close();
    await world.server.restart();
    // The server takes shares by its own state, which somebody has changed.
    await speak(story, 0, 1);
    await world.server.tendShares();
    assert.deepEqual(await out(story), ['alice', 'bob']);
    const alarm = world.server.logged.findLast(({ message }) =>
      /cannot be published/.test(message),
    );
    assert.equal(alarm?.['campaign'], story.sealed.id);
    assert.equal(alarm['code'], 'transition_refused');
    assert.deepEqual(kept(story), ['alice', 'bob', 'carol', 'server']);

    toT0(story);
    assert.equal((await heard(story)).length, 3);
  });

  it('waits for what officers signed, not for what the database says of them', async () => {
    const [story, other] = [await armed(), await armed()];
    toT0(story);
    await speak(story, 0);
    await speak(other, 2);
    const { server } = world;
    await server.stop();
    const database = new Database(join(server.dataDirectory, 'sealdrop.sqlite'));
    // Alice once more under the name of Bob, and what Carol published for another campaign.
    const invent = database.prepare(
      `INSERT INTO publications (campaign, kind, officer, subject, digest, envelope, accepted_at, receipt, opening)
       SELECT ?, kind, ?, ?, digest, envelope, accepted_at, receipt, opening
       FROM publications WHERE campaign = ?`,
    );
    const { id, plan } = story.sealed;
    for (const [officer, source] of [
      ['bob', story],
      ['carol', other],
    ] as const) {
      const share = plan.shares.find((it) => it.key === 'release' && it.officer === officer);
      invent.run(id, officer, share?.sha256, source.sealed.id);
      if (officer === 'bob') assert.equal(publications(story).length, 2);
    }
    database.close();
    await server.restart();
    assert.deepEqual(await heard(story), ['alice', 'bob', 'carol']);
    const alarm = server.logged.findLast(({ message }) => /cannot be published/.test(message));
    assert.deepEqual([alarm?.['campaign'], alarm?.['code']], [id, 'transition_refused']);
    assert.ok(kept(story).includes('server'));

    await server.stop();
    const repaired = new Database(join(server.dataDirectory, 'sealdrop.sqlite'));
    repaired.prepare("DELETE FROM publications WHERE campaign = ? AND officer != 'alice'").run(id);
    repaired.close();
    await server.restart();
    await speak(story, 1);
    assert.deepEqual(await heard(story), ['alice', 'bob', 'server']);
  });

  it('leaves nothing of a share on its disk once it is out', async () => {
    const story = await armed();
    const sealed = story.sealed.custody.find(({ officer }) => officer === 'server')?.sealed;
    const text = toBase64(sealed ?? new Uint8Array());
    const holds = async (): Promise<boolean> => {
      await world.server.stop();
      const folder = world.server.dataDirectory;
      const names = (await readdir(folder)).filter((name) => name.startsWith('sealdrop.sqlite'));
      const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
      await world.server.restart();
      // Any part of it would be much.
      return files.some((file) => file.includes(text.slice(-100, -60)));
    };
    assert.ok(await holds());
    toT0(story);
    await speak(story, 0, 1);
    assert.equal((await heard(story)).length, 3);
    assert.equal(await holds(), false);
  });

  it('goes by a new T0, and keeps nothing of what was aborted', async () => {
    const [moved, aborted] = [await armed(), await armed()];
    const t0 = Date.parse(moved.sealed.plan.releaseTime);
    await moved.decide('reschedule', { releaseTime: formatTime(t0 + HOUR_MS) });
    await aborted.decide('abort');
    world.clock.set(t0);
    assert.equal((await moved.publishShare(world.officer(0), 'release')).status, 425);
    assert.equal((await aborted.publishShare(world.officer(0), 'release')).status, 409);
    await world.server.tendShares();
    assert.deepEqual([await out(moved), await out(aborted)], [[], []]);
    assert.deepEqual(kept(aborted), ['alice', 'bob', 'carol']);
    assert.deepEqual(kept(moved), ['alice', 'bob', 'carol', 'server']);
    world.clock.set(t0 + HOUR_MS);
    await speak(moved, 1, 2);
    assert.deepEqual(await heard(moved), ['bob', 'carol', 'server']);
  });

  it('follows officers when the embargo is broken, before T0', async () => {
    const story = await armed();
    await world.server.tendShares();
    await story.decide('leaked');
    await speak(story, 2, 0);
    assert.deepEqual(await heard(story), ['alice', 'carol', 'server']);
  });

  it('opens alone in an exercise, at T0, and refuses to anywhere else', async () => {
    const story = await armed({ exercise: true, serverShares: 3 });
    await world.server.tendShares();
    assert.deepEqual(await out(story), []);
    toT0(story);
    assert.deepEqual(await heard(story), ['server', 'server-2', 'server-3']);
    assert.equal(await story.status(), 'released');
    assert.deepEqual(kept(story), ['alice', 'bob', 'carol']);
    await assert.rejects(world.another({ serverShares: 3 }), /more than one share/);
    await assert.rejects(world.another({ serverShares: 2 }), /more than one share/);
  });

  it('takes no share that is not its own or not the planned one', async () => {
    const { server, snapshot, clock } = world;
    const options = { now: clock.now(), snapshot, serverShares: 1 };
    const sealed = await sealCampaign(server.root, server.officers, options);
    const post = (
      custody: readonly { officer: string; sealed: Uint8Array }[],
    ): Promise<{ status: number; text(): string }> =>
      server.client(world.officer(0).signing).post('/v1/campaigns', {
        plan: toBase64(sealed.planBytes),
        custody: custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
      });
    const document = sealed.shares.release.get('server') ?? new Uint8Array();
    const alices = sealed.shares.release.get('alice') ?? new Uint8Array();
    for (const bytes of [
      await seal(document, [(await generateKey()).recipient]),
      await seal(alices, [server.root.custodian?.age ?? '']),
    ]) {
      const custody = sealed.custody.map((it) =>
        it.officer === 'server' ? { ...it, sealed: bytes } : it,
      );
      const answer = await post(custody);
      assert.equal(answer.status, 422);
      assert.match(answer.text(), /the share of server is not that of the plan/);
    }
    const without = await post(sealed.custody.filter(({ officer }) => officer !== 'server'));
    assert.match(without.text(), /other shares than the plan/);
    assert.equal((await post(sealed.custody)).status, 200);
  });

  it('lets nobody publish in its name', async () => {
    const story = await armed();
    toT0(story);
    const { plan, shares } = story.sealed;
    const document = shares.release.get('server') ?? new Uint8Array();
    const payload = encodePublication({
      kind: 'share',
      key: 'release',
      campaign: plan.campaign,
      network: plan.network,
      revision: 1,
      officer: 'server',
      commitment: sha256Hex(document),
      sealed: await seal(document, [plan.accessRecipient]),
    });
    const alice = world.officer(0);
    const envelope = envelopeJson(signEnvelope(payload, alice.signing));
    const answer = await world.server
      .client(alice.signing)
      .post(`${story.path}/shares`, { envelope });
    assert.equal(answer.status, 422);
    const custody = await world.server.client(alice.signing).get(`${story.path}/custody`);
    const listed = expectStatus(custody, 200).json<{ custody: { officer: string }[] }>().custody;
    assert.deepEqual([...new Set(listed.map(({ officer }) => officer))], ['alice']);
  });

  it('without its key takes in and arms no such plan, and says so when it starts', async () => {
    const story = await world.another({ serverShares: 1 });
    await story.uploadCiphertext();
    await story.decide('commit');
    await story.putSignatures();
    const other = join(world.server.dataDirectory, '..', 'other.key');
    await makeCard({ ...world.server.config, custodyFile: other }, { custody: true });
    await world.server.restartWith({ CUSTODY: other });
    const said = world.server.logged.findLast(({ level }) => level === 'error');
    assert.equal(said?.['code'], 'custody_key');
    await assert.rejects(world.another({ serverShares: 1 }), /no custody key of the root/);
    await world.another();
    await assert.rejects(story.decide('arm'), /no custody key of the root/);
    await story.decide('notify');

    await assert.rejects(
      world.server.restartWith({ CUSTODY: `${other}.mistyped` }),
      /`card --custody` makes one/,
    );
    // Moved into the data, with a link where it was; and a link to the folder itself.
    const inside = join(world.server.dataDirectory, 'moved.key');
    const links = [`${other}.link`, join(`${other}.folder`, 'moved.key')] as const;
    await copyFile(other, inside);
    await symlink(inside, links[0]);
    await symlink(world.server.dataDirectory, `${other}.folder`);
    for (const CUSTODY of links) {
      await assert.rejects(world.server.restartWith({ CUSTODY }), /outside of the data directory/);
    }
    await assert.rejects(
      makeCard(
        { ...world.server.config, custodyFile: join(`${other}.folder`, 'new.key') },
        { custody: true },
      ),
      /outside of the data directory/,
    );
    await rm(inside);
    await writeFile(other, (await readFile(other, 'utf8')).replace('/v1', '/v2'));
    await assert.rejects(world.server.restartWith({ CUSTODY: other }), { code: 'key_invalid' });
    await world.server.restart();
    await story.decide('arm');
  });
});

describe('the server as custodian of a time-locked share', () => {
  it('publishes it with the beacon of its round, and nothing while there is none', async () => {
    // Quicknet signed this round long ago, so the clock of this story is set to when it did.
    const [, , [round, signature] = [0, '']] = QUICKNET_ROUNDS;
    const t0 = timeOfRound(QUICKNET, round);
    const clock = testClock(t0 - HOUR_MS);
    const folder = await mkdtemp(join(tmpdir(), 'sealdrop-beacon-'));
    const beacon = join(folder, 'beacon.json');
    const officers = await makeOfficers(3);
    await using server = await startTestServer({
      officers,
      custody: true,
      now: clock.now,
      env: { BEACONS: beacon },
    });
    const snapshot = await postSnapshot(server, snapshotOf([makeValidator(1n)]));
    const story = await openStory(server, { snapshot, serverShares: 1, timelock: true });
    assert.equal(story.sealed.plan.timelock?.round, round);
    await story.arm();
    clock.set(t0);
    for (const officer of officers.slice(0, 2)) {
      expectStatus(await story.publishShare(officer, 'release'), 200);
    }
    await server.tendShares();
    assert.equal(await story.status(), 'armed');
    assert.ok(server.logged.some(({ message }) => /cannot be published/.test(message)));

    await writeFile(beacon, beaconJson(round, signature));
    await server.tendShares();
    assert.equal(await story.status(), 'armed', 'not asked again at once');
    clock.advance(5_000);
    await server.tendShares();
    assert.equal(await story.status(), 'released');
    await rm(folder, { recursive: true });
  });

  it('keeps no other share waiting while its beacon hangs', async () => {
    const [, , [round, signature] = [0, '']] = QUICKNET_ROUNDS;
    const t0 = timeOfRound(QUICKNET, round);
    const clock = testClock(t0 - HOUR_MS);
    const officers = await makeOfficers(3);
    const asked: ServerResponse[] = [];
    await using relay = await listen((_, response) => void asked.push(response));
    await using server = await startTestServer({
      officers,
      custody: true,
      now: clock.now,
      env: { BEACONS: relay.url },
    });
    const snapshot = await postSnapshot(server, snapshotOf([makeValidator(1n)]));
    const locked = await openStory(server, { snapshot, serverShares: 1, timelock: true });
    const plain = await openStory(server, { snapshot, serverShares: 1 });
    const other = await openStory(server, { snapshot, serverShares: 1 });
    for (const story of [locked, plain, other]) await story.arm();
    clock.set(t0);
    const speak = async (story: Story): Promise<void> => {
      for (const officer of officers.slice(0, 2)) {
        expectStatus(await story.publishShare(officer, 'release'), 200);
      }
    };
    const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
      for (let looks = 0; !(await holds()); looks += 1) {
        assert.ok(looks < 200);
        await wait(10);
      }
    };
    await speak(locked);
    await until(() => asked.length > 0);
    for (const story of [plain, other]) {
      await speak(story);
      await until(async () => (await story.status()) === 'released');
    }
    assert.equal(await locked.status(), 'armed');
    assert.equal(asked.length, 1, 'one look at a share at a time');
    asked[0]?.end(beaconJson(round, signature));
    await until(async () => (await locked.status()) === 'released');
  });
});
