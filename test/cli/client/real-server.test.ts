import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../../cli/client/connect.ts';
import { refreshTargets } from '../../../cli/client/targets.ts';
import { refreshTrust } from '../../../cli/client/trust.ts';
import { runCommand } from '../../../cli/command.ts';
import { trustAddCommand } from '../../../cli/commands/trust-add.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { openHome, type Home } from '../../../cli/home/home.ts';
import { refreshCheckpoint, verifyLogged } from '../../../cli/log/checkpoint.ts';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { encodeSnapshot } from '../../../protocol/stake/snapshot.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { testContext, type TestContext } from '../support/context.ts';

async function trusting(context: TestContext, server: TestServer): Promise<Home> {
  const add = { args: [server.url], options: { rootSha256: server.rootSha256 } };
  await runCommand(trustAddCommand, add, context);
  return openHome(context);
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail('it should have failed'),
    (error: unknown) => error,
  );

describe('the client against the real server', () => {
  it('logs an officer in and asks every list', async () => {
    await using server = await startTestServer();
    await using context = await testContext();
    const home = await trusting(context, server);
    const client = await connect(context, home, server.officers[0]?.signing);
    assert.deepEqual(await client.whoAmI(), { role: 'officer', id: 'alice' });
    assert.deepEqual(await client.campaigns(), []);
    assert.deepEqual(await client.commitments(), []);
    assert.deepEqual(await client.enrolments(), []);
  });

  it('refreshes trust, targets and checkpoint', async () => {
    await using server = await startTestServer();
    await using context = await testContext();
    const home = await trusting(context, server);
    const client = await connect(context, home, server.officers[0]?.signing);
    const trust = await refreshTrust(home, client);
    assert.equal(trust.root.version, 1);
    const targets = await refreshTargets(home, client, trust, Date.now());
    assert.deepEqual([targets.version, targets.bundles.size], [1, 0]);

    await server.sequence();
    const before = await refreshCheckpoint(home, client, trust.root);
    const address = trust.root.network.slice('solana:'.length);
    const snapshot = encodeSnapshot({
      network: trust.root.network,
      point: 'epoch 1',
      source: 'test',
      rows: [{ identity: address, voteAccount: address, stake: 2n ** 60n }],
    });
    assert.deepEqual(await client.postSnapshot(snapshot), { sha256: sha256Hex(snapshot) });
    assert.deepEqual(await client.snapshot(sha256Hex(snapshot)), snapshot);
    await server.sequence();
    const { checkpoint } = await refreshCheckpoint(home, client, trust.root);
    assert.ok(checkpoint.size > before.checkpoint.size);

    const leaf = utf8Encode(formatLeaf({ type: 'snapshot', sha256: sha256Hex(snapshot) }));
    const found = await Promise.allSettled(
      Array.from({ length: checkpoint.size }, (_, index) =>
        verifyLogged(client, checkpoint, index, leaf),
      ),
    );
    assert.equal(found.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('is told the same of a campaign that is hidden and one that is none', async () => {
    await using server = await startTestServer();
    await using context = await testContext();
    const home = await trusting(context, server);
    const client = await connect(context, home, server.officers[0]?.signing);
    const error = await failure(client.campaign('SDX-2026-7KQ4'));
    assert.match(String(error), /ProblemError/);
    assert.equal(exitCodeOf(error), 1);
  });

  it('ends with exit code 4 without a key, or with one that the root does not list', async () => {
    await using server = await startTestServer();
    await using context = await testContext();
    const home = await trusting(context, server);
    const stranger = signerFromSeed(generateSeed());
    for (const client of [await connect(context, home), await connect(context, home, stranger)]) {
      assert.equal(exitCodeOf(await failure(client.campaigns())), 4);
    }
  });
});
