import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startChildStory, type ChildStory } from '../support/child-story.ts';
import {
  makeOperator,
  makeValidator,
  snapshotOf,
  type TestOperator,
} from '../support/operators.ts';
import { testClient } from '../support/session.ts';
import { enrol, expectStatus, openStory, postSnapshot, type Story } from '../support/story.ts';

// The clock of a running server is moved under it by libfaketime. Officers' and operators' clocks
// are right all the time.

const LIBRARY = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
].find((path) => existsSync(path));
const skip = LIBRARY === undefined ? 'SKIPPED: libfaketime is not here' : false;

const YEAR = 31_536_000;

let folder: string;
let server: ChildStory;
let story: Story;
let operator: TestOperator;

/** @param offset - As libfaketime reads it: `+3600` seconds, or `2030-01-01 00:00:00` and no further. */
const moveClock = (offset: string): Promise<void> => writeFile(join(folder, 'offset'), offset);

before(async () => {
  if (LIBRARY === undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-faketime-'));
  await moveClock('+0');
  server = await startChildStory(
    { LOG_EPOCH_MS: '200' },
    {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: join(folder, 'offset'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  );
  const validators = [60n, 40n].map(makeValidator);
  operator = await makeOperator(validators.slice(0, 1));
  const snapshot = await postSnapshot(server, snapshotOf(validators));
  expectStatus(await enrol(server, operator), 200);
  story = await openStory(server, { snapshot });
  await story.arm();
});
after(async () => {
  if (LIBRARY === undefined) return;
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Nothing opens, nothing breaks, and the server goes on as if nothing were wrong. */
async function probe(): Promise<void> {
  const [officer] = server.officers;
  assert.ok(officer);
  assert.equal((await story.publishShare(officer, 'release')).status, 425);
  assert.equal((await story.publishShare(officer, 'closing')).status, 425);
  assert.equal((await server.client(operator.key).get(`${story.path}/release-key`)).status, 425);
  expectStatus(await story.say(operator, 'ack'), 200);
  const newcomer = testClient(server.child.url, operator.key, Date.now);
  expectStatus(await newcomer.get(story.path), 200);
}

/** What the server has logged. */
const logged = (): readonly { level: number; time: string; code?: string }[] =>
  server.child.output.map((line) => JSON.parse(line) as { level: number; time: string });

async function timesOfEvents(): Promise<number[]> {
  const [officer] = server.officers;
  const answer = expectStatus(
    await server.client(officer?.signing).get(`${story.path}/events`),
    200,
  );
  const { events } = answer.json<{ events: { at: string }[] }>();
  return events.map(({ at }) => Date.parse(at));
}

async function timesOfStatements(): Promise<number[]> {
  const [officer] = server.officers;
  const path = `${story.path}/statements`;
  const answer = expectStatus(await server.client(officer?.signing).get(path), 200);
  const { statements } = answer.json<{ statements: { acceptedAt: string }[] }>();
  return statements.map(({ acceptedAt }) => Date.parse(acceptedAt));
}

describe('a server whose clock is moved', { skip }, () => {
  it('is right before', probe);

  for (const offset of ['+1', '-1', '+3600', '-3600', `+${YEAR}`, `-${YEAR}`]) {
    it(`opens nothing early and goes on at ${offset} s`, async () => {
      await moveClock(offset);
      await probe();
      await moveClock('+0');
      await probe();
    });
  }

  it('goes on while the clock stands still, an hour after T0', async () => {
    const frozen = new Date(Date.parse(story.sealed.plan.releaseTime) + 3_600_000).toISOString();
    await moveClock(frozen.slice(0, 19).replace('T', ' '));
    await probe();
    await probe();
    await moveClock('+0');
  });

  it('opens nothing in 500 random jumps', async () => {
    const reader = server.client(operator.key);
    for (let i = 0; i < 500; i++) {
      await moveClock(`${Math.floor((Math.random() - 0.5) * 4 * YEAR)}`.replace(/^(?!-)/, '+'));
      const { status } = await reader.get(`${story.path}/release-key`);
      assert.equal(status, 425);
      if (i % 50 === 0) await probe();
    }
    await moveClock('+0');
  });

  it('has told of the jumps, and never of a time that goes back', async () => {
    assert.ok(server.child.output.some((line) => line.includes('clock_jump')));
    const timesOfLines = logged().map(({ time }) => Date.parse(time));
    for (const times of [await timesOfEvents(), await timesOfStatements(), timesOfLines]) {
      assert.ok(times.length > 0);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      for (const time of times) assert.ok(Math.abs(time - Date.now()) < 600_000);
    }
  });

  it('is normal afterwards, without a restart', async () => {
    await probe();
    assert.equal((await fetch(`${server.child.url}/readyz`)).status, 200);
    assert.equal(server.child.process.exitCode, null);
    const errors = logged().filter(({ level, code }) => level >= 50 && code !== 'clock_jump');
    assert.deepEqual(errors, []);
    const sizeOfLog = async (): Promise<number> => {
      const note = await (await fetch(`${server.child.url}/log/checkpoint`)).text();
      return Number(note.split('\n')[1]);
    };
    const before = await sizeOfLog();
    expectStatus(await story.say(operator, 'ready'), 200);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.ok((await sizeOfLog()) > before);
  });
});
