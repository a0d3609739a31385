import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openHome, type Home } from '../../../cli/home/home.ts';
import type { CampaignMemory } from '../../../cli/home/state.ts';
import { testContext } from '../support/context.ts';

const ID = 'SDX-2026-7KQ4';
const OPERATOR = '11'.repeat(32);
const digest = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);

const seen = (sequence: number, changes: Partial<CampaignMemory> = {}): CampaignMemory => ({
  sequence,
  directive: sequence === 0 ? null : digest(sequence),
  plan: digest(255),
  revision: 0,
  ...changes,
});

async function remember(home: Home, ...points: readonly CampaignMemory[]): Promise<void> {
  for (const point of points) await home.state.advanceCampaign(ID, point);
}

describe('what a home has seen of a campaign', () => {
  it('moves forward and may be seen again', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(0), seen(1), seen(1), seen(3));
    assert.deepEqual((await openHome(context).state.read()).campaigns[ID], seen(3));
  });

  it('never moves back', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(3));
    await assert.rejects(remember(home, seen(2)), { code: 'transition_refused' });
    assert.deepEqual((await home.state.read()).campaigns[ID], seen(3));
  });

  it('refuses a second directive or plan under one number', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(2));
    for (const other of [seen(2, { directive: digest(9) }), seen(2, { plan: digest(9) })]) {
      await assert.rejects(remember(home, other), { code: 'directives_forked' });
    }
  });

  it('refuses a revision that goes back while the sequence rises', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(2, { revision: 2 }));
    await assert.rejects(remember(home, seen(3, { revision: 1 })), { code: 'transition_refused' });
  });

  it('lets a draft plan change before the first directive', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(0), seen(0, { plan: digest(7) }));
    assert.equal((await home.state.read()).campaigns[ID]?.plan, digest(7));
  });

  it('is remembered only once what it stands for is stored', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const remembered = async () => (await home.state.read()).campaigns[ID]?.sequence;
    let stored = 0;
    const store = async () => {
      stored += 1;
      assert.notEqual(await remembered(), 2);
    };
    await home.state.advanceCampaign(ID, seen(2), store);
    assert.equal(stored, 1);
    assert.equal(await remembered(), 2);

    const crash = () => Promise.reject(new Error('power cut'));
    await assert.rejects(home.state.advanceCampaign(ID, seen(3), crash), /power cut/);
    assert.equal(await remembered(), 2);
    await assert.rejects(home.state.advanceCampaign(ID, seen(1), store), {
      code: 'transition_refused',
    });
    assert.equal(stored, 1, 'what goes backwards is not stored');
  });

  it('has the highest sequence ever shown to it (property)', async () => {
    await using context = await testContext();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
        async (shown) => {
          run += 1;
          const home = openHome({ ...context, home: `${context.home}/${run}` });
          for (const sequence of shown) await remember(home, seen(sequence)).catch(() => undefined);
          const kept = (await home.state.read()).campaigns[ID]?.sequence;
          assert.equal(kept, shown.length === 0 ? undefined : Math.max(...shown));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('counters of statements', () => {
  it('are each given out once, also to commands that run at the same time', async () => {
    await using context = await testContext({
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 10)),
    });
    const counters = await Promise.all(
      Array.from({ length: 12 }, () => openHome(context).state.nextCounter(ID, OPERATOR, 0)),
    );
    assert.deepEqual(
      counters.sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  it('rise above what the server has seen', async () => {
    await using context = await testContext();
    const { state } = openHome(context);
    assert.equal(await state.nextCounter(ID, OPERATOR, 41), 42);
    assert.equal(await state.nextCounter(ID, OPERATOR, 7), 43);
  });
});

describe('versions of the trust metadata', () => {
  it('never go back, unless the root has new online keys', async () => {
    await using context = await testContext();
    const { state } = openHome(context);
    await state.advanceRoot(2);
    await state.advanceTuf({ timestamp: 9, snapshot: 5, targets: 3 });
    for (const older of [
      { timestamp: 8, snapshot: 5, targets: 3 },
      { timestamp: 9, snapshot: 4, targets: 3 },
      { timestamp: 9, snapshot: 5, targets: 2 },
    ]) {
      await assert.rejects(state.advanceTuf(older), { code: 'trust_invalid' });
    }
    await assert.rejects(state.advanceRoot(1), { code: 'trust_invalid' });
    await state.advanceRoot(3, { forgetTuf: true });
    await state.advanceTuf({ timestamp: 1, snapshot: 1, targets: 1 });
  });
});

describe('state.json', () => {
  it('is readable by its owner only', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(1));
    assert.equal((await stat(home.path('state.json'))).mode & 0o777, 0o600);
  });

  it('is refused when it is damaged, rather than taken for empty', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(1));
    const text = await readFile(home.path('state.json'), 'utf8');
    await writeFile(home.path('state.json'), text.slice(0, -20));
    await assert.rejects(home.state.read(), { code: 'encoding_invalid' });
    await assert.rejects(remember(home, seen(2)), { code: 'encoding_invalid' });
  });

  it('names a lock left behind instead of stealing it', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await remember(home, seen(1));
    await writeFile(home.path('state.json.lock'), '');
    await assert.rejects(remember(home, seen(2)), {
      name: 'TemporaryError',
      message: /state\.json\.lock/,
    });
  });
});
