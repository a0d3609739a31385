import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../../cli/command.ts';
import { networkAddCommand } from '../../cli/commands/network-add.ts';
import { trustAddCommand } from '../../cli/commands/trust-add.ts';
import { trustInitCommand } from '../../cli/commands/trust-init.ts';
import { trustShowCommand } from '../../cli/commands/trust-show.ts';
import { trustSignCommand } from '../../cli/commands/trust-sign.ts';
import { makeCard } from '../../server/card.ts';
import { readConfig } from '../../server/config.ts';
import { startServer } from '../../server/start.ts';
import { testContext } from './support/context.ts';
import { makeParties, NETWORK, trustInitOptions } from './support/parties.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a foundation', () => {
  it('sets up trust, a server and the stake that decisions count by', async () => {
    await using parties = await makeParties('alice', 'bob', 'carol');
    const [alice, bob] = parties.officers;
    if (alice === undefined || bob === undefined) throw new Error('there are three officers');
    const folder = parties.folder;
    const trust = join(folder, 'trust');
    const config = readConfig({
      SEALDROP_DATA: join(folder, 'data'),
      SEALDROP_ROOT: join(trust, 'root.json'),
      SEALDROP_PORT: '0',
      SEALDROP_ORIGIN: 'patches.example.org/log',
      SEALDROP_LOG_LEVEL: 'silent',
    });
    await writeFile(parties.serverCard, JSON.stringify(await makeCard(config)));
    const init = { options: trustInitOptions(parties, trust) };
    await runCommand(trustInitCommand, init, alice.context);
    await using signing = await testContext({ home: bob.context.home, json: true });
    await runCommand(trustSignCommand, { args: [trust] }, signing);
    const rootSha256 = String(signing.said.summary()['rootSha256']);

    const server = await startServer(config, {
      now: Date.now,
      random: () => 0.5,
      logger: silent,
      onFatal: (error) => {
        throw new Error('the server cannot go on', { cause: error });
      },
    });
    try {
      const add = { args: [server.url], options: { rootSha256 } };
      await runCommand(trustAddCommand, add, alice.context);
      const genesis = NETWORK.slice('solana:'.length);
      const stake = join(folder, 'stake.json');
      const account = { votePubkey: genesis, nodePubkey: genesis, activatedStake: 7 };
      await writeFile(stake, JSON.stringify({ current: [account], delinquent: [] }));
      await using adding = await testContext({ home: alice.context.home, json: true });
      const options = { genesis, stake, point: 'epoch 1', source: 'a node of our own' };
      await runCommand(networkAddCommand, { options }, adding);
      assert.equal(adding.said.summary()['posted'], true);

      const other = '4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn';
      await assert.rejects(
        runCommand(networkAddCommand, { options: { ...options, genesis: other } }, adding),
        { name: 'UsageError', message: /the trusted server is for/ },
      );

      await using shown = await testContext({ home: alice.context.home, json: true });
      await runCommand(trustShowCommand, { options: { refresh: true } }, shown);
      assert.equal(shown.said.summary()['origin'], 'patches.example.org/log');
      const served = await (await fetch(`${server.url}/tuf/1.root.json`)).text();
      assert.equal(served, await readFile(join(trust, 'root.json'), 'utf8'));
    } finally {
      await server.close();
    }
  });
});
