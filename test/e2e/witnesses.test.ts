import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { runCommand, type Command, type Input } from '../../cli/command.ts';
import { auditCommand } from '../../cli/commands/audit.ts';
import { fetchCommand } from '../../cli/commands/fetch.ts';
import { inboxCommand } from '../../cli/commands/inbox.ts';
import { logVerifyCommand } from '../../cli/commands/log-verify.ts';
import { prefetchCommand } from '../../cli/commands/prefetch.ts';
import { ackCommand } from '../../cli/commands/statements.ts';
import { verifyNoticeCommand } from '../../cli/commands/verify-notice.ts';
import { exitCodeOf } from '../../cli/exit-code.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyCosignatures } from '../../protocol/log/cosignature.ts';
import { LogAheadError } from '../../server/services/log/witnesses.ts';
import { putRealSignatures } from '../cli/audit/support/told-campaign.ts';
import { openOutpost } from '../cli/operator/support/outpost.ts';
import { startStage } from '../cli/officer/support/stage.ts';
import { draftPath } from '../../cli/officer/sealing/sealed-dir.ts';
import type { TestContext } from '../cli/support/context.ts';
import { HOUR_MS } from '../support/clock.ts';
import { makeValidator, snapshotOf } from '../support/operators.ts';
import { expectStatus, postSnapshot } from '../support/story.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { threeWitnesses, type TestWitness, type ThreeWitnesses } from '../support/witnesses.ts';

const ENV = { WITNESS_TIMEOUT_MS: '2000' };

async function checkpointOf(server: TestServer): Promise<string> {
  return (await fetch(`${server.url}/log/checkpoint`)).text();
}

async function readyz(server: TestServer): Promise<string> {
  const response = await fetch(`${server.url}/readyz`);
  assert.equal(response.status, 200);
  return response.text();
}

function cosigners(note: string, { root }: TestServer): readonly string[] {
  openCheckpoint(note, root.origin, [root.logKey], verifyEd25519);
  return verifyCosignatures(note, root.witnesses, verifyEd25519).map(({ witness }) => witness.name);
}

/** Grow the log by something that only this server holds. */
async function grow(server: TestServer): Promise<void> {
  await postSnapshot(server, snapshotOf([makeValidator(7n)]));
  await server.sequence();
}

function third(witnesses: ThreeWitnesses, index: 0 | 1 | 2): TestWitness {
  const found = witnesses.all[index];
  if (found === undefined) throw new Error('there are three');
  return found;
}

async function exitOf(command: Command, input: Partial<Input>, at: TestContext): Promise<string> {
  try {
    await runCommand(command, input, at);
    return '0';
  } catch (error) {
    return `${exitCodeOf(error)} ${error instanceof Error ? error.message : ''}`;
  }
}

describe('a log with two of three witnesses', { timeout: 300_000 }, () => {
  it('lets an operator prefetch while the quorum stands, and open at T0 without it', async () => {
    let witnesses: ThreeWitnesses | undefined;
    await using outpost = await openOutpost((clock) => ({
      env: ENV,
      witnessPolicy: async (logKey) => {
        witnesses = await threeWitnesses(logKey, clock.now);
        return witnesses.policy;
      },
    }));
    if (witnesses === undefined) throw new Error('the root has a policy');
    await using stack = new AsyncDisposableStack();
    stack.use(witnesses);
    const { server, clock } = outpost;
    await using machine = await outpost.enrolled({ json: true });
    const story = await outpost.openStory();
    const input = { args: [story.sealed.id] };
    const out = join(outpost.folder, 'patch');
    await story.uploadCiphertext();
    await story.decide('commit');
    await putRealSignatures(outpost, story);
    await story.decide('notify');
    await outpost.sendNotice(story, machine);

    // One down: the others are enough, and the checkpoint says so to anybody.
    await third(witnesses, 2).stop();
    await server.sequence();
    assert.deepEqual(cosigners(await checkpointOf(server), server), ['w1.example', 'w2.example']);
    assert.equal(await readyz(server), 'ok\n');
    const mail = join(outpost.folder, 'mail');
    await runCommand(inboxCommand, { options: { save: mail } }, machine);
    const folder = join(mail, `${story.sealed.id}.notice`);
    const notice = {
      args: [join(folder, 'notice.txt')],
      options: { list: join(folder, 'COMMITMENT') },
    };
    await runCommand(verifyNoticeCommand, notice, machine);
    await story.decide('arm');
    assert.equal(await exitOf(prefetchCommand, input, machine), '0');

    // Old cosignatures are as good as none.
    clock.advance(2 * HOUR_MS + 1000);
    assert.match(await exitOf(prefetchCommand, input, machine), /^6 .*cosigned too long ago/);
    await server.sequence();
    await grow(server);
    assert.equal(await exitOf(prefetchCommand, input, machine), '0');

    /** Whoever only reads is told, and goes on. */
    const told = async (command: Command): Promise<string> => {
      machine.said.stdout = '';
      machine.said.stderr = '';
      await runCommand(command, { args: [server.url] }, machine);
      const warning = /BELOW THE QUORUM: the log has fresh cosignatures/.exec(machine.said.stderr);
      const events = machine.said.events().filter(({ message_type: type }) => type === 'quorum');
      assert.equal(events.length, 1);
      return [machine.said.summary()['quorum'], ...(warning ?? [])].join(' ');
    };
    assert.equal(await told(auditCommand), 'met');
    assert.equal(await told(logVerifyCommand), 'met');

    // Two down: the log goes on, with an alarm; prefetch refuses, an acknowledgement only warns.
    await third(witnesses, 1).stop();
    const { size } = openCheckpoint(
      await checkpointOf(server),
      server.root.origin,
      [server.root.logKey],
      verifyEd25519,
    );
    await grow(server);
    const note = await checkpointOf(server);
    assert.deepEqual(cosigners(note, server), ['w1.example']);
    const grown = openCheckpoint(note, server.root.origin, [server.root.logKey], verifyEd25519);
    assert.ok(grown.size > size);
    assert.match(
      await readyz(server),
      /^ok\nalarm: the log has fresh cosignatures of 1 of 3 witnesses; without: w2.example/,
    );
    const alarms = server.logged.filter(({ code }) => code === 'witness_quorum');
    assert.deepEqual(
      alarms.map(({ level }) => level),
      ['error'],
    );
    assert.match(await exitOf(prefetchCommand, input, machine), /^6 .* 1 of 3 witnesses/);
    assert.equal(
      await told(auditCommand),
      'unmet BELOW THE QUORUM: the log has fresh cosignatures',
    );
    assert.equal(
      await told(logVerifyCommand),
      'unmet BELOW THE QUORUM: the log has fresh cosignatures',
    );
    machine.said.stderr = '';
    assert.equal(await exitOf(ackCommand, input, machine), '0');
    assert.match(machine.said.stderr, /warning.* 1 of 3 witnesses/);

    // T0, with no witness at all and a log that nobody has asked for a day.
    await third(witnesses, 0).stop();
    clock.set(Date.parse(story.sealed.plan.releaseTime));
    await story.release();
    const asked: string[] = [];
    const watching: TestContext = {
      ...machine,
      fetch: (url, init) => {
        asked.push(url instanceof Request ? url.url : String(url));
        return fetch(url, init);
      },
    };
    assert.equal(await exitOf(fetchCommand, { ...input, options: { out } }, watching), '0');
    assert.deepEqual(
      asked.filter((url) => url.includes('/log/')),
      [],
      'nothing fresh of the log is even asked for',
    );
  });

  it('is armed by officers while the quorum stands only, each by their own judgement', async () => {
    let witnesses: ThreeWitnesses | undefined;
    await using stage = await startStage({
      witnessPolicy: async (logKey, now) => {
        witnesses = await threeWitnesses(logKey, now);
        return witnesses.policy;
      },
    });
    if (witnesses === undefined) throw new Error('the root has a policy');
    await using stack = new AsyncDisposableStack();
    stack.use(witnesses);
    const campaign = 'SDX-2026-W1TN';
    await stage.server.sequence();
    const path = await stage.bring(campaign, 'notified');
    const draft = (id: string): { draft: string } => ({ draft: draftPath(path, id) });
    await Promise.all([third(witnesses, 0).stop(), third(witnesses, 1).stop()]);
    await grow(stage.server);
    await assert.rejects(stage.run('ada', `arm ${campaign}`, draft('ada')), (error: Error) => {
      assert.equal(exitCodeOf(error), 6);
      assert.match(error.message, /1 of 3 witnesses/);
      return true;
    });
    // Each officer looks for themselves, whoever has signed before.
    await third(witnesses, 0).start();
    await grow(stage.server);
    const armed = await stage.run('ada', `arm ${campaign}`, draft('ada'));
    const checked = armed.summary['checked'] as string[];
    assert.ok(checked.includes('enough witnesses have cosigned the log, and lately'));
    await third(witnesses, 0).stop();
    await grow(stage.server);
    await assert.rejects(
      stage.run('bo', `approve ${campaign}`, { ...draft('bo'), yes: true }),
      /1 of 3 witnesses/,
    );
    await third(witnesses, 0).start();
    await grow(stage.server);
    const { summary } = await stage.run('bo', `approve ${campaign}`, {
      ...draft('bo'),
      yes: true,
    });
    assert.equal(summary['status'], 'armed');
  });

  /** A server with three witnesses that has grown, and a copy of its data from before that. */
  async function withBackup(): Promise<{
    server: TestServer;
    witnesses: ThreeWitnesses;
    restore(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
  }> {
    let made: ThreeWitnesses | undefined;
    const server = await startTestServer({
      env: ENV,
      witnessPolicy: async (logKey) => {
        made = await threeWitnesses(logKey, Date.now);
        return made.policy;
      },
    });
    if (made === undefined) throw new Error('the root has a policy');
    const witnesses = made;
    const backup = `${server.dataDirectory}-backup`;
    await grow(server);
    await server.stop();
    await cp(server.dataDirectory, backup, { recursive: true });
    await server.restart();
    await grow(server);
    return {
      server,
      witnesses,
      async restore() {
        await server.stop();
        await rm(server.dataDirectory, { recursive: true });
        await cp(backup, server.dataDirectory, { recursive: true });
        await server.restart();
      },
      async [Symbol.asyncDispose]() {
        await server.close();
        await witnesses[Symbol.asyncDispose]();
      },
    };
  }

  it('stops signing when it was restored from an older backup, because a witness knows more', async () => {
    await using world = await withBackup();
    const { server } = world;
    assert.equal(cosigners(await checkpointOf(server), server).length, 3);
    await world.restore();
    const before = await checkpointOf(server);
    await postSnapshot(server, snapshotOf([makeValidator(9n)]));
    await assert.rejects(server.sequence(), LogAheadError);
    await assert.rejects(server.sequence(), LogAheadError, 'and it stays so');
    assert.equal(await checkpointOf(server), before, 'nothing was published');
    const latest = world.witnesses.all.flatMap(({ outcomes }) => outcomes.slice(-1));
    assert.deepEqual(
      latest.map(({ kind }) => kind),
      ['conflict', 'conflict', 'conflict'],
      'and nothing new was signed: the witnesses were shown what was published before',
    );
    assert.match(await readyz(server), /^ok\nalarm: the log has stopped signing: witness w1/);
    assert.ok(server.logged.some(({ code, level }) => code === 'log_ahead' && level === 'error'));
    // Everything else goes on.
    assert.equal((await fetch(`${server.url}/v1/commitments`)).status, 200);
  });

  it('is not cosigned in a fork, and stops when the witnesses are back', async () => {
    await using world = await withBackup();
    const { server, witnesses } = world;
    const known = openCheckpoint(
      await checkpointOf(server),
      server.root.origin,
      [server.root.logKey],
      verifyEd25519,
    );
    await Promise.all(witnesses.all.map((it) => it.stop()));
    await world.restore();
    // Nobody is there to say no, so a fork of the same size comes to be, which no client believes.
    await grow(server);
    const fork = await checkpointOf(server);
    const forked = openCheckpoint(fork, server.root.origin, [server.root.logKey], verifyEd25519);
    assert.equal(forked.size, known.size);
    assert.notDeepEqual(forked.root, known.root);
    assert.deepEqual(cosigners(fork, server), []);
    await Promise.all(witnesses.all.map((it) => it.start()));
    await postSnapshot(server, snapshotOf([makeValidator(9n)]));
    await assert.rejects(server.sequence(), LogAheadError);
    assert.equal(await checkpointOf(server), fork);
    for (const { outcomes } of witnesses.all) assert.equal(outcomes.at(-1)?.kind, 'inconsistent');
  });

  it('is not held up beyond the deadline by a witness that hangs', async () => {
    const hanging = await import('node:net').then(({ createServer }) => createServer());
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as { port: number };
    let witnesses: ThreeWitnesses | undefined;
    await using server = await startTestServer({
      env: { WITNESS_TIMEOUT_MS: '500' },
      witnessPolicy: async (logKey) => {
        witnesses = await threeWitnesses(logKey, Date.now);
        const { url } = third(witnesses, 0);
        return witnesses.policy.replace(url, `http://127.0.0.1:${port}`);
      },
    });
    if (witnesses === undefined) throw new Error('the root has a policy');
    await using stack = new AsyncDisposableStack();
    stack.use(witnesses);
    await grow(server);
    const started = performance.now();
    await grow(server);
    const took = performance.now() - started;
    assert.ok(took >= 490 && took < 3000, `${Math.round(took)} ms`);
    assert.deepEqual(cosigners(await checkpointOf(server), server), ['w2.example', 'w3.example']);
    expectStatus(await server.client().get('/readyz'), 200);
    hanging.close();
  });
});
