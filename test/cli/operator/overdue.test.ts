import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Command, type Input } from '../../../cli/command.ts';
import { fetchCommand } from '../../../cli/commands/fetch.ts';
import { inboxCommand } from '../../../cli/commands/inbox.ts';
import { prefetchCommand } from '../../../cli/commands/prefetch.ts';
import { verifyNoticeCommand } from '../../../cli/commands/verify-notice.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { HOUR_MS, MINUTE_MS } from '../../support/clock.ts';
import { expectStatus, type Story } from '../../support/story.ts';
import { putRealSignatures } from '../audit/support/told-campaign.ts';
import type { TestContext } from '../support/context.ts';
import { meddleJson, meddlingFetch, urlOf } from './support/meddling.ts';
import { openOutpost, type Outpost } from './support/outpost.ts';

// T0 comes and goes while the server shows nothing; one clock that only goes forward.

let outpost: Outpost;
let machine: TestContext;
let story: Story;
before(async () => {
  outpost = await openOutpost();
  machine = await outpost.enrolled({ json: true });
  story = await outpost.openStory();
  await story.uploadCiphertext();
  await story.decide('commit');
  await putRealSignatures(outpost, story);
  await story.decide('notify');
  await outpost.sendNotice(story, machine);
  await outpost.server.sequence();
  const save = join(outpost.folder, 'mail');
  await runCommand(inboxCommand, { options: { save } }, machine);
  const folder = join(save, `${story.sealed.id}.notice`);
  const list = join(folder, 'COMMITMENT');
  const args = [join(folder, 'notice.txt')];
  await runCommand(verifyNoticeCommand, { args, options: { list } }, machine);
  await story.decide('arm');
  await runCommand(prefetchCommand, { args: [story.sealed.id] }, machine);
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await outpost[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number;
  readonly text: string;
}

async function end(
  command: Command,
  input: Partial<Input>,
  context: TestContext = machine,
): Promise<Ended> {
  machine.said.stderr = '';
  machine.said.stdout = '';
  try {
    await runCommand(command, input, context);
    return { code: 0, text: machine.said.stderr };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return { code: exitCodeOf(error), text: `${machine.said.stderr}${message}` };
  }
}

const inbox = (context?: TestContext): Promise<Ended> => end(inboxCommand, {}, context);
const fetchTo = (name: string, context?: TestContext): Promise<Ended> => {
  const out = join(outpost.folder, name);
  return end(fetchCommand, { args: [story.sealed.id], options: { out } }, context);
};
/** The same machine behind a server, or somebody on the way, that answers something else. */
const behind = (through: typeof fetch): TestContext => ({ ...machine, fetch: through });

const T0 = (): number => parseTime(story.sealed.plan.releaseTime);

describe('nothing new', () => {
  it('is success before T0, and no alarm within the grace', async () => {
    assert.deepEqual(await inbox(), { code: 0, text: '' });
    assert.equal((await fetchTo('early')).code, 3);
    outpost.clock.set(T0() + 9 * MINUTE_MS);
    assert.equal((await inbox()).code, 0);
    assert.equal((await fetchTo('in-grace')).code, 3);
  });

  it('is an alarm ten minutes after T0', async () => {
    outpost.clock.set(T0() + 10 * MINUTE_MS);
    for (const { code, text } of [await fetchTo('late'), await inbox()]) {
      assert.equal(code, 6);
      assert.match(text, /ALARM: T0 of SDX-.* was /);
    }
    const [entry] = machine.said.summary()['overdue'] as { campaign: string }[];
    assert.equal(entry?.campaign, story.sealed.id);
  });

  it('is an alarm however the server talks T0 away', async () => {
    const later = formatTime(T0() + 24 * HOUR_MS);
    const lies: Record<string, (json: never) => unknown> = {
      'T0 is tomorrow': ({ campaigns }: { campaigns: { campaign: object }[] }) => ({
        campaigns: campaigns.map((it) => ({
          ...it,
          campaign: { ...it.campaign, releaseTime: later },
        })),
      }),
      'there is nothing': () => ({ campaigns: [] }),
      'it was aborted': ({ campaigns }: { campaigns: { campaign: object }[] }) => ({
        campaigns: campaigns.map((it) => ({
          ...it,
          campaign: { ...it.campaign, status: 'aborted' },
        })),
      }),
    };
    for (const [name, change] of Object.entries(lies)) {
      const frozen = behind(meddlingFetch(meddleJson('/v1/inbox', change)));
      const { code, text } = await inbox(frozen);
      assert.equal(code, 6, name);
      assert.match(text, /ALARM/, name);
    }
  });

  it('is told also while waiting, and when nobody answers', async () => {
    const silent: typeof fetch = (input, init) =>
      urlOf(input).endsWith('/shares')
        ? Promise.reject(new TypeError('cut off'))
        : fetch(input, init);
    const { code, text } = await fetchTo('silent', behind(silent));
    assert.equal(code, 5);
    assert.match(text, /ALARM.*does not answer/);

    const stop = new AbortController();
    let slept = 0;
    const waiting: TestContext = {
      ...machine,
      sleep: () => {
        slept += 1;
        if (slept === 3) stop.abort();
        return slept < 3 ? Promise.resolve() : Promise.reject(new Error('enough'));
      },
    };
    machine.said.stderr = '';
    const options = { out: join(outpost.folder, 'waiting'), wait: true };
    const input = { args: [story.sealed.id], options };
    await assert.rejects(runCommand(fetchCommand, input, waiting), /enough/);
    assert.equal(machine.said.stderr.match(/ALARM/g)?.length, 1);
  });

  it('is no alarm once officers have moved T0, which no server can make up', async () => {
    const moved = formatTime(outpost.clock.now() + HOUR_MS);
    await story.decide('reschedule', { releaseTime: moved, reason: 'build broken' });
    assert.equal((await inbox()).code, 0);
    assert.equal((await fetchTo('moved')).code, 3);
    outpost.clock.set(parseTime(moved) + 10 * MINUTE_MS);
    assert.equal((await inbox()).code, 6);
  });
});

describe('opening at T0', () => {
  it('needs nothing fresh: root and metadata may have expired, and the server forget them', async () => {
    // Two years on, every date in the root and in TUF metadata is past.
    outpost.clock.advance(2 * 365 * 24 * HOUR_MS);
    const stale: typeof fetch = (input, init) => {
      const url = urlOf(input);
      return url.includes('/tuf/') || url.includes('/log/')
        ? Promise.reject(new TypeError('cut off'))
        : fetch(input, init);
    };
    assert.equal((await end(prefetchCommand, { args: [story.sealed.id] })).code, 6);
    for (const officer of outpost.server.officers.slice(0, 3)) {
      expectStatus(await story.publishShare(officer, 'release'), 200);
    }
    const { code, text } = await fetchTo('patch', behind(stale));
    assert.equal(code, 0, text);
    const patch = await readFile(join(outpost.folder, 'patch', 'agave.patch'));
    assert.deepEqual(new Uint8Array(patch), story.sealed.patch);
  });
});
