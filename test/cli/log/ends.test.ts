import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { runCommand } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { openAccounts } from '../../../cli/log/tree/accounts.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseLeaf, type Leaf } from '../../../protocol/log/leaf.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { serveFiles, type TestServer } from '../support/static-server.ts';
import { CAMPAIGN, serveOpened } from './support/disclosed.ts';
import { LOG_SIGNER, LOG_VKEY, type LogFiles } from './support/served-log.ts';
import { openTestLog, type TestLog } from './support/test-log.ts';

const HIDDEN = 'SDX-2026-0001';
const DISCLOSURE: Leaf = { type: 'disclosure', campaign: CAMPAIGN, commitment: 'a'.repeat(64) };
const DAY_MS = 24 * 3_600_000;

/** A server with a log and what it opens; both can be changed while it runs. */
const files: LogFiles = new Map();
let server: TestServer;
let log: TestLog;

before(async () => {
  server = await serveFiles(files);
});
after(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  files.clear();
  log = openTestLog(LOG_SIGNER);
});

const serve = (opened: readonly number[] = [], dummyKeys = ''): Promise<void> =>
  serveOpened(files, log, opened, dummyKeys);

async function look(context: TestContext): Promise<Record<string, unknown>> {
  context.said.stdout = '';
  await runCommand(auditCommand, { args: [server.url], options: { key: LOG_VKEY } }, context);
  return context.said.summary();
}

async function refusal(context: TestContext): Promise<string> {
  try {
    await look(context);
  } catch (error) {
    assert.equal(exitCodeOf(error), 6);
    return (error as Error).message;
  }
  return assert.fail('it should have failed');
}

/** Two leaves of a campaign and one of another among 600 dummies, then the disclosure. */
function disclose(): { mine: readonly [number, number]; hidden: number; end: number } {
  const seal = (campaign: string): number => log.seal(campaign, 'event', utf8Encode('{}'));
  const dummies = (count: number): void => {
    for (let i = 0; i < count; i++) log.addDummy();
  };
  dummies(100);
  const first = seal(CAMPAIGN);
  dummies(300);
  const hidden = seal(HIDDEN);
  dummies(200);
  const second = seal(CAMPAIGN);
  const end = log.add(DISCLOSURE);
  return { mine: [first, second], hidden, end };
}

describe('audit URL after a disclosure', () => {
  it('counts how every leaf sealed before it has ended, step by step as at once', async () => {
    await using follower = await testContext({ json: true });
    const { mine, hidden, end } = disclose();
    await serve();
    const before = await look(follower);
    assert.deepEqual(before['ends'], { sealed: 603, opened: 0, dummies: 0, withheld: {} });
    assert.match(follower.said.stderr, /603 leaves .* not accounted for yet/);

    log.add({ type: 'opened', index: mine[0] });
    log.add({ type: 'dummy', first: 0, last: mine[0] - 1 });
    log.add({ type: 'withheld', first: mine[0] + 1, last: mine[1] - 1, reason: 'other' });
    await serve([mine[0]], log.dummyKeys(mine[0]));
    const half = await look(follower);
    assert.deepEqual(half['ends'], {
      sealed: 1,
      opened: 1,
      dummies: 100,
      withheld: { other: 501 },
    });

    log.add({ type: 'opened', index: mine[1] });
    // What was withheld with the dummies turns out to be some, all but the one that stays hidden.
    log.add({ type: 'dummy', first: mine[0] + 1, last: hidden - 1 });
    log.add({ type: 'dummy', first: hidden + 1, last: mine[1] - 1 });
    await serve(mine, log.dummyKeys(end));
    const all = { sealed: 0, opened: 2, dummies: 600, withheld: { other: 1 } };
    assert.deepEqual((await look(follower))['ends'], all);
    assert.deepEqual((await look(follower))['ends'], all);
    await using stranger = await testContext({ json: true });
    assert.deepEqual((await look(stranger))['ends'], all);
  });

  it('refuses an opening that is missing, or that is of another leaf', async () => {
    const { mine } = disclose();
    for (const index of mine) log.add({ type: 'opened', index });
    await using context = await testContext({ json: true });
    await serve([mine[0]]);
    assert.match(await refusal(context), new RegExp(`does not open leaf ${mine[1]}`));
    const [first, second] = mine.map((index) => log.openings.get(index) ?? new Uint8Array());
    log.openings.set(mine[0], second ?? new Uint8Array());
    await serve(mine);
    assert.match(await refusal(context), new RegExp(`leaf ${mine[0]} is another opening`));
    log.openings.set(mine[0], first ?? new Uint8Array());
    await serve(mine);
    await look(context);
    files.delete(`/v1/campaigns/${CAMPAIGN}/openings`);
    await using stranger = await testContext({ json: true });
    assert.match(await refusal(stranger), /opens nothing of SDX-2026-7KQ4/);
  });

  it('refuses a dummy that hides something, and one that no key opens', async () => {
    const { hidden, end } = disclose();
    log.add({ type: 'dummy', first: hidden, last: hidden });
    await serve([], log.dummyKeys(end));
    await using context = await testContext({ json: true });
    assert.match(await refusal(context), new RegExp(`leaf ${hidden} is no dummy`));
    await serve([], log.dummyKeys(hidden));
    assert.match(await refusal(context), new RegExp(`leaf ${hidden} is no dummy`));
    files.delete('/v1/dummies');
    assert.match(await refusal(context), /no keys of dummies/);
  });

  it('is not led by other leaves than those that are signed, when it reads once more', async () => {
    const { mine, end } = disclose();
    await serve();
    await using context = await testContext({ json: true });
    await look(context);
    log.add({ type: 'dummy', first: 0, last: mine[0] - 1 });
    await serve([], log.dummyKeys(end));
    // The bundle with those dummies is read only for the openings: here it has changed since.
    const bundle = files.get('/log/tile/entries/000') ?? new Uint8Array();
    const at = 77 * 200 + 30;
    files.set('/log/tile/entries/000', bundle.with(at, bundle[at] === 0x30 ? 0x31 : 0x30));
    assert.match(await refusal(context), /is not what the leaves make it/);
    files.set('/log/tile/entries/000', bundle);
    await look(context);
  });

  it('gives the log a day to account for all of it', async () => {
    let now = Date.parse('2026-11-20T14:00:00Z');
    await using context = await testContext({ json: true, now: () => now });
    disclose();
    await serve();
    await look(context);
    now += DAY_MS - 1;
    await look(context);
    now += 1;
    assert.match(await refusal(context), /603 leaves sealed before .* are so to this day/);
  });
});

describe('accounts of a log', () => {
  const add = (...leaves: readonly [number, string][]): ReturnType<typeof openAccounts> => {
    const accounts = openAccounts();
    for (const [index, text] of leaves) accounts.add({ index, leaf: parseLeaf(text) });
    return accounts;
  };

  it('are the same after they were written down', () => {
    const accounts = add(
      [5, 'opened/v1 3\n'],
      [6, 'withheld/v1 0-2 other\n'],
      [9000, 'dummy/v1 7-8000\n'],
    );
    const encoded = accounts.encode(10_000);
    assert.equal(encoded.runs, '3:4 1:2 1:0 2:1 7994:3 999:0 1:1 999:0');
    const again = openAccounts(JSON.parse(JSON.stringify(encoded)) as typeof encoded);
    assert.deepEqual(again.encode(10_000), encoded);
    assert.deepEqual(again.countBelow(9500), accounts.countBelow(9500));
    assert.deepEqual(again.endOf(1), { type: 'withheld', reason: 'other' });
    for (const runs of ['3:5', '0:1', '3', '3:1  2:1', '3:1 ', '9999999999:0', '1:-1']) {
      assert.throws(() => openAccounts({ runs, reasons: ['other'] }), { code: 'encoding_invalid' });
    }
  });

  it('refuse a leaf that accounts for what was not sealed before it, or twice', () => {
    for (const leaves of [
      [[5, 'opened/v1 5\n']],
      [[5, 'opened/v1 6\n']],
      [[5, 'dummy/v1 6-9\n']],
      [[5, 'dummy/v1 3-9\n']],
      [
        [2, 'opened/v1 1\n'],
        [5, 'opened/v1 2\n'],
      ],
      [
        [5, 'opened/v1 3\n'],
        [6, 'dummy/v1 1-4\n'],
      ],
      [
        [5, 'dummy/v1 3\n'],
        [6, 'withheld/v1 3 other\n'],
      ],
      [
        [5, 'withheld/v1 3 other\n'],
        [6, 'withheld/v1 3 more\n'],
      ],
    ] as [number, string][][]) {
      assert.throws(() => add(...leaves), { code: 'leaf_invalid' }, JSON.stringify(leaves));
    }
    add([5, 'withheld/v1 3 other\n'], [6, 'dummy/v1 3\n']);
  });
});
