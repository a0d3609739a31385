import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { networkAddCommand } from '../../cli/commands/network-add.ts';
import { runCommand } from '../../cli/command.ts';
import { parseVoteAccounts } from '../../cli/network/vote-accounts.ts';
import { openHome } from '../../cli/home/home.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseSnapshot } from '../../protocol/stake/snapshot.ts';
import { testContext } from './support/context.ts';

const GENESIS = '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
const DEVNET = new URL(
  '../../../shared/fixtures/solana/getVoteAccounts.devnet-epoch778.raw.json',
  import.meta.url,
);
const FLAGS = { genesis: GENESIS, point: 'epoch 778', source: 'devnet' };

const account = (stake: string): string =>
  `{"votePubkey":"${GENESIS}","nodePubkey":"${GENESIS}","activatedStake":${stake}}`;
const answer = (...accounts: readonly string[]): string =>
  `{"jsonrpc":"2.0","result":{"current":[${accounts.join(',')}],"delinquent":[]},"id":1}`;

describe('network add', () => {
  it('keeps a recorded answer as a snapshot, exact beyond 2^53', async (t) => {
    if (!existsSync(DEVNET)) {
      t.skip('the recorded getVoteAccounts answer is not here');
      return;
    }
    await using context = await testContext({ json: true });
    const stake = DEVNET.pathname;
    await runCommand(networkAddCommand, { options: { ...FLAGS, stake } }, context);
    const summary = context.said.summary();
    const home = openHome(context);
    const digest = (await readFile(home.path('networks', 'current'), 'utf8')).trim();
    assert.equal(digest, summary['sha256']);
    const bytes = new Uint8Array(await readFile(home.path('networks', `${digest}.txt`)));
    assert.equal(sha256Hex(bytes), digest);
    const snapshot = parseSnapshot(bytes);
    // Read as text, without going through a number.
    const stakes = [...(await readFile(DEVNET, 'utf8')).matchAll(/"activatedStake":(\d+)/g)].map(
      ([, digits = '']) => BigInt(digits),
    );
    assert.ok(stakes.includes(38_027_760_856_115_571n));
    assert.equal(
      snapshot.total,
      stakes.reduce((sum, each) => sum + each, 0n),
    );
    assert.equal(summary['totalStake'], snapshot.total.toString());
    assert.equal(summary['posted'], false);
  });

  it('takes a snapshot file as it is, and only for what it says it is for', async () => {
    await using context = await testContext({ json: true });
    const stake = join(context.home, 'stake.json');
    await writeFile(stake, answer(account('7')));
    await runCommand(networkAddCommand, { options: { ...FLAGS, stake } }, context);
    const digest = String(context.said.summary()['sha256']);
    const path = openHome(context).path('networks', `${digest}.txt`);

    await using again = await testContext({ json: true });
    const options = { genesis: GENESIS, stake: path };
    await runCommand(networkAddCommand, { options }, again);
    assert.equal(again.said.summary()['sha256'], digest);
    for (const other of [
      { ...options, point: 'epoch 779' },
      { ...options, source: 'elsewhere' },
      { ...options, genesis: '11111111111111111111111111111112' },
    ]) {
      await assert.rejects(runCommand(networkAddCommand, { options: other }, again), {
        name: 'UsageError',
      });
    }
  });

  it('refuses what is no answer of getVoteAccounts, and amounts that are not whole', async () => {
    await using context = await testContext();
    const stake = join(context.home, 'stake.json');
    for (const [text, code] of [
      ['not json', 'snapshot_invalid'],
      ['{"result":{"current":[]}}', 'snapshot_invalid'],
      [answer(), 'snapshot_invalid'],
      [answer(account('"7"')), 'snapshot_invalid'],
      [answer(account('7'), account('8')), 'snapshot_invalid'],
      [answer(account('7.5')), 'stake_invalid'],
      [answer(account('7e3')), 'stake_invalid'],
      [answer(account('-7')), 'stake_invalid'],
      [answer(account('18446744073709551616')), 'stake_invalid'],
    ] as const) {
      await writeFile(stake, text);
      await assert.rejects(
        runCommand(networkAddCommand, { options: { ...FLAGS, stake } }, context),
        { code },
        text,
      );
    }
  });

  it('wants to know point and source of an RPC answer', async () => {
    await using context = await testContext();
    const stake = join(context.home, 'stake.json');
    await writeFile(stake, answer(account('7')));
    for (const options of [
      { genesis: GENESIS, stake },
      { ...FLAGS, stake, genesis: 'mainnet' },
      { ...FLAGS, stake, point: 'two\nlines' },
    ]) {
      await assert.rejects(runCommand(networkAddCommand, { options }, context), {
        name: 'UsageError',
      });
    }
  });

  it('counts delinquent stake too', () => {
    const text = `{"current":[${account('7')}],"delinquent":[${account('8')}]}`;
    assert.deepEqual(
      parseVoteAccounts(utf8Encode(text)).map(({ stake }) => stake),
      [7n, 8n],
    );
  });
});
