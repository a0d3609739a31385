import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Command, type Input } from '../../../cli/command.ts';
import { enrollCommand } from '../../../cli/commands/enroll.ts';
import { fetchCommand } from '../../../cli/commands/fetch.ts';
import { inboxCommand } from '../../../cli/commands/inbox.ts';
import { openCommand } from '../../../cli/commands/open.ts';
import { prefetchCommand } from '../../../cli/commands/prefetch.ts';
import {
  ackCommand,
  attestCommand,
  declineCommand,
  readyCommand,
  revertCommand,
} from '../../../cli/commands/statements.ts';
import { verifyMessageCommand } from '../../../cli/commands/verify-message.ts';
import { verifyNoticeCommand } from '../../../cli/commands/verify-notice.ts';
import { verifyCommand } from '../../../cli/commands/verify.ts';
import { openMirror, publicationPath } from '../../../cli/client/mirror.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { openHome } from '../../../cli/home/home.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { toBase58 } from '../../../protocol/encoding/bytes.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { encodeEnvelope } from '../../../protocol/signature/dsse.ts';
import { legacyOffchainMessage } from '../../../protocol/statement/solana-offchain.ts';
import { MINUTE_MS } from '../../support/clock.ts';
import { expectStatus, type Story } from '../../support/story.ts';
import type { TestOfficer } from '../../support/officers.ts';
import { putRealSignatures } from '../audit/support/told-campaign.ts';
import type { TestContext } from '../support/context.ts';
import { urlOf } from './support/meddling.ts';
import { openOutpost, type Outpost } from './support/outpost.ts';

let outpost: Outpost;
let machine: TestContext;
let story: Story;

before(async () => {
  outpost = await openOutpost();
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await outpost[Symbol.asyncDispose]();
});

const place = (name: string): string => join(outpost.folder, name);

/** The mirror that the plan names: what lies in a folder of that name. */
const PLANNED = 'https://mirror.example/planned';
type Where = Parameters<typeof fetch>[0];
const addressOf = (input: Where): string => (input instanceof Request ? input.url : `${input}`);
const isPlanned = (input: Where): boolean => addressOf(input).startsWith(`${PLANNED}/`);
async function onMirror(input: Where): Promise<Response> {
  const path = addressOf(input).slice(PLANNED.length + 1);
  const bytes = await readFile(place(join('planned', path))).catch(() => undefined);
  return new Response(bytes, { status: bytes === undefined ? 404 : 200 });
}

async function run(command: Command, input: Partial<Input> = {}): Promise<Record<string, unknown>> {
  machine.said.stdout = '';
  await runCommand(command, input, machine);
  return machine.said.summary();
}

async function exitOf(command: Command, input: Partial<Input> = {}): Promise<number> {
  try {
    await runCommand(command, input, machine);
    return 0;
  } catch (error) {
    return exitCodeOf(error);
  }
}

describe('an operator', () => {
  it('enrols a validator with its keypair file', async () => {
    const reach: typeof fetch = (input, init) =>
      isPlanned(input) ? onMirror(input) : fetch(input, init);
    machine = await outpost.machine({ json: true, fetch: reach });
    const [first] = outpost.keypairs;
    assert.ok(first);
    const options = { identity: [first.path], email: 'ops@validator.example' };
    const summary = await run(enrollCommand, { options });
    assert.deepEqual(summary['validators'], [first.identity]);
    const { mode } = await stat(join(machine.home, 'keys', 'operator.json'));
    assert.equal(mode & 0o777, 0o600);
  });

  it('may enrol again, and gets the same receipt', async () => {
    const [first] = outpost.keypairs;
    const before = await readdir(join(machine.home, 'receipts'));
    await run(enrollCommand, { options: { identity: [first?.path ?? ''] } });
    assert.deepEqual(await readdir(join(machine.home, 'receipts')), before);
  });

  it('adds a validator whose key never leaves its machine, and keeps the first', async () => {
    const [first, second] = outpost.keypairs;
    assert.ok(first && second);
    const challenge = { validator: [second.identity], printChallenge: true };
    const { challenges } = await run(enrollCommand, { options: challenge });
    const [{ text } = { text: '' }] = challenges as { text: string }[];
    // What `solana sign-offchain-message` does elsewhere.
    const keypair = JSON.parse(await readFile(second.path, 'utf8')) as number[];
    const signer = signerFromSeed(Uint8Array.from(keypair.slice(0, 32)));
    const signature = toBase58(signer.sign(legacyOffchainMessage(text)));
    const proof = [`${second.identity}=${signature}`];
    const summary = await run(enrollCommand, { options: { proof } });
    assert.deepEqual(summary['validators'], [first.identity, second.identity].sort());
  });

  it('refuses a proof that does not hold and a keypair file whose halves differ', async () => {
    const [first, second] = outpost.keypairs;
    assert.ok(first && second);
    const proof = [`${second.identity}=${'1'.repeat(64)}`];
    assert.equal(await exitOf(enrollCommand, { options: { proof } }), 6);
    const [a, b] = await Promise.all(
      [first, second].map(async ({ path }) => JSON.parse(await readFile(path, 'utf8')) as number[]),
    );
    assert.ok(a && b);
    await writeFile(place('mixed.json'), JSON.stringify([...a.slice(0, 32), ...b.slice(32)]));
    const identity = [place('mixed.json')];
    assert.equal(await exitOf(enrollCommand, { options: { identity } }), 6);
  });

  it('finds the notice in the inbox, waits for the log, verifies it and acknowledges it', async () => {
    story = await outpost.openStory({ mirrors: [PLANNED] });
    await story.uploadCiphertext();
    await story.decide('commit');
    await putRealSignatures(outpost, story);
    await story.decide('notify');
    await outpost.sendNotice(story, machine);
    const accepted = await outpost.server
      .client()
      .get(`/v1/commitments/${story.sealed.plan.commitment}`);
    assert.equal(accepted.json<{ leafIndex: number | null }>().leafIndex, null);

    const { saved } = await run(inboxCommand, { options: { save: place('mail') } });
    const folder = place(`mail/${story.sealed.id}.notice`);
    assert.deepEqual(saved, [folder]);
    const list = join(folder, 'COMMITMENT');
    const args = [join(folder, 'notice.txt')];
    const summary = await run(verifyNoticeCommand, { args, options: { list } });
    assert.equal(summary['commitment'], story.sealed.plan.commitment);
    assert.equal(summary['source'], 'log');

    const ack = await run(ackCommand, { args: [story.sealed.id] });
    assert.equal(ack['counter'], 1);
    const ready = await run(readyCommand, { args: [story.sealed.id] });
    assert.equal(ready['counter'], 2);
    const receipts = await readdir(join(machine.home, 'receipts'));
    assert.ok(receipts.includes(`${story.sealed.id}.1.ack.json`));
  });

  it('reads a saved mail by hand', async () => {
    const armored = (
      await outpost.server
        .client((await openHome(machine).operatorKeys()).signer)
        .get('/v1/inbox')
        .then((answer) => answer.json<{ campaigns: { messages: { armored: string }[] }[] }>())
    ).campaigns[0]?.messages[0]?.armored;
    await writeFile(place('notice.asc'), armored ?? '');
    const input = { args: [place('notice.asc')], options: { out: place('by-hand') } };
    const summary = await run(verifyMessageCommand, input);
    assert.equal(summary['from'], 'alice');
    assert.deepEqual(summary['attachments'], ['COMMITMENT', 'notice.txt']);
    assert.deepEqual((await readdir(place('by-hand'))).sort(), ['COMMITMENT', 'notice.txt']);
  });

  it('cannot prefetch before officers have armed', async () => {
    assert.equal(await exitOf(prefetchCommand, { args: [story.sealed.id] }), 1);
  });

  it('prefetches the ciphertext, twice alike', async () => {
    await story.decide('arm');
    const once = await run(prefetchCommand, { args: [story.sealed.id] });
    assert.equal(once['sha256'], story.sealed.bundle.sha256);
    const directory = join(machine.home, 'campaigns', story.sealed.id);
    const files = await readdir(directory);
    await run(prefetchCommand, { args: [story.sealed.id] });
    assert.deepEqual(await readdir(directory), files);
    assert.ok(files.every((name) => !name.endsWith('.part')));
    assert.equal(once['closing'], story.sealed.closing.sha256);
    assert.ok(files.includes(`${story.sealed.closing.sha256}.age`));
  });

  it('mends a ciphertext that was damaged on disk', async () => {
    const { sha256, bytes } = story.sealed.bundle;
    const path = join(machine.home, 'campaigns', story.sealed.id, `${sha256}.age`);
    await writeFile(path, bytes.subarray(1));
    await writeFile(`${path}.part`, 'left by a crash');
    await run(prefetchCommand, { args: [story.sealed.id] });
    assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
  });

  it('prefetches from a mirror of the plan when the server has spoilt the ciphertext', async () => {
    const { sha256 } = story.sealed.bundle;
    const local = join(machine.home, 'campaigns', story.sealed.id, `${sha256}.age`);
    const whole = await readFile(local);
    const spoilt = Buffer.from(whole).fill(0, 100, 200);
    const bundles = place('planned/bundles');
    await mkdir(bundles, { recursive: true });
    const seized: TestContext = {
      ...machine,
      fetch: (input, init) =>
        addressOf(input).includes('/blobs/')
          ? Promise.resolve(new Response(spoilt))
          : machine.fetch(input, init),
    };
    const prefetch = (): Promise<number> =>
      runCommand(prefetchCommand, { args: [story.sealed.id] }, seized).then(() => 0, exitCodeOf);

    await rm(local);
    await writeFile(join(bundles, `${sha256}.age`), spoilt);
    assert.equal(await prefetch(), 6);
    await assert.rejects(stat(local), { code: 'ENOENT' });
    await writeFile(join(bundles, `${sha256}.age`), whole);
    assert.equal(await prefetch(), 0);
    assert.deepEqual(await readFile(local), whole);

    // Who keeps the disclosure back is found out, and does not keep the patch back with it.
    const closing = join(dirname(local), `${story.sealed.closing.sha256}.age`);
    await rm(closing);
    await rm(local);
    assert.equal(await prefetch(), 6);
    assert.deepEqual(await readFile(local), whole);
    await writeFile(
      join(bundles, `${story.sealed.closing.sha256}.age`),
      story.sealed.closing.bytes,
    );
    assert.equal(await prefetch(), 0);
    assert.deepEqual(new Uint8Array(await readFile(closing)), story.sealed.closing.bytes);
  });

  it('gets exit 3 before T0, and nothing is left behind', async () => {
    const input = { args: [story.sealed.id], options: { out: place('early') } };
    assert.equal(await exitOf(fetchCommand, input), 3);
    assert.ok(!(await readdir(outpost.folder)).some((name) => name.includes('early')));
  });

  it('is told that the output is taken before anything else', async () => {
    await mkdir(place('taken'));
    await writeFile(place('taken/file'), '');
    const input = { args: [story.sealed.id], options: { out: place('taken'), wait: true } };
    assert.equal(await exitOf(fetchCommand, input), 2);
  });

  it('waits for T0, goes on when t shares are out, and gets every byte', async () => {
    const releaseTime = Date.parse(story.sealed.plan.releaseTime);
    let published = 0;
    const waiting: TestContext = {
      ...machine,
      sleep: async (ms) => {
        outpost.clock.advance(ms);
        const officer = outpost.server.officers[published];
        if (outpost.clock.now() < releaseTime || officer === undefined) return;
        expectStatus(await story.publishShare(officer, 'release'), 200);
        published += 1;
      },
    };
    machine.said.stdout = '';
    const input = { args: [story.sealed.id], options: { out: place('patch'), wait: true } };
    await runCommand(fetchCommand, input, waiting);
    assert.equal(published, outpost.server.root.shareThreshold);
    assert.deepEqual((await readdir(place('patch'))).sort(), [
      'INSTRUCTIONS.md',
      'SHA256SUMS',
      'SHA256SUMS.alice.minisig',
      'SHA256SUMS.alice.pub',
      'SHA256SUMS.alice.sshsig',
      'SHA256SUMS.allowed_signers',
      'SHA256SUMS.asc',
      'SHA256SUMS.bob.minisig',
      'SHA256SUMS.bob.pub',
      'SHA256SUMS.bob.sshsig',
      'SHA256SUMS.carol.minisig',
      'SHA256SUMS.carol.pub',
      'SHA256SUMS.carol.sshsig',
      'SHA256SUMS.dave.pub',
      'SHA256SUMS.erin.pub',
      'agave.patch',
      'release.intoto.json',
      'release.txt',
    ]);
    const patch = await readFile(place('patch/agave.patch'));
    assert.deepEqual(new Uint8Array(patch), story.sealed.patch);
    assert.deepEqual(machine.said.summary()['approvedBy'], ['alice', 'bob', 'carol']);
  });

  it('opens from mirrors alone while the server does not answer', async () => {
    const { plan, planBytes } = story.sealed;
    const seized: TestContext = {
      ...machine,
      fetch: (input, init) =>
        isPlanned(input) ? onMirror(input) : fetch('http://127.0.0.1:1', init),
    };
    const fetchFrom = async (out: string, ...mirror: string[]): Promise<number> => {
      const input = { args: [story.sealed.id], options: { out: place(out), mirror } };
      return runCommand(fetchCommand, input, seized).then(() => 0, exitCodeOf);
    };
    const put = async (folder: string, officer: string, bytes: Uint8Array): Promise<void> => {
      const path = publicationPath(planDigest(planBytes), officer, 'release');
      await openMirror(seized, place(folder)).put(path, bytes);
    };
    const [first, second, third] = outpost.server.officers;
    assert.ok(first && second && third);
    const share = async (officer: TestOfficer): Promise<Uint8Array> =>
      encodeEnvelope(await story.shareEnvelope(officer, 'release'));

    assert.equal(plan.shareThreshold, 3);
    await put('mirror-1', first.id, await share(first));
    await put('mirror-1', second.id, await share(second));
    assert.equal(await fetchFrom('too-few', place('mirror-1')), 5);
    // Junk, and a share under another's name: neither counts, neither is an obstacle.
    await put('mirror-1', third.id, await share(first));
    await put('mirror-2', first.id, new TextEncoder().encode('{}'));
    assert.equal(await fetchFrom('too-few', place('mirror-1'), place('mirror-2')), 5);
    await put('mirror-2', third.id, await share(third));
    machine.said.stderr = '';
    assert.equal(
      await fetchFrom('mirrored', place('mirror-1'), place('mirror-2'), place('none')),
      0,
    );
    assert.match(machine.said.stderr, /mirror-2 hands out a share that no officer published/);
    assert.match(machine.said.stderr, /going on without the server/);
    assert.deepEqual(await readdir(place('mirrored')), await readdir(place('patch')));
    await assert.rejects(stat(place('too-few')), { code: 'ENOENT' });

    // The last share that it takes lies where only the plan says.
    await put('planned', third.id, await share(third));
    assert.equal(await fetchFrom('planned-patch', place('mirror-1')), 0);
    assert.deepEqual(await readdir(place('planned-patch')), await readdir(place('patch')));
  });

  it('checks the folder again at any time, and notices every change', async () => {
    const summary = await run(verifyCommand, { args: [place('patch')] });
    assert.equal(summary['plan'], 'matches');
    for (const name of await readdir(place('patch'))) {
      const path = place(`patch/${name}`);
      const bytes = await readFile(path);
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(changed.length >> 1) ^ 1, changed.length >> 1);
      await writeFile(path, changed);
      assert.equal(await exitOf(verifyCommand, { args: [place('patch')] }), 6, name);
      await writeFile(path, bytes);
    }
    await writeFile(place('patch/more.sh'), 'true\n');
    assert.equal(await exitOf(verifyCommand, { args: [place('patch')] }), 6);
    await rm(place('patch/more.sh'));
    assert.equal(await exitOf(verifyCommand, { args: [place('patch')] }), 0);
  });

  it('opens a bundle with the key alone', async () => {
    const home = join(machine.home, 'campaigns', story.sealed.id);
    const input = {
      args: [join(home, `${story.sealed.bundle.sha256}.age`)],
      options: { key: join(home, 'release.key'), out: place('opened') },
    };
    assert.equal((await run(openCommand, input))['checked'], 3);
  });

  it('attests, takes it back, and never uses a counter twice', async () => {
    outpost.clock.advance(MINUTE_MS);
    await outpost.server.sequence();
    const attest = await run(attestCommand, { args: [story.sealed.id] });
    assert.equal(attest['counter'], 3);
    const checkpoint = attest['checkpoint'] as { size: number };
    assert.ok(checkpoint.size > 5);
    const reason = { reason: 'rolled back' };
    const revert = await run(revertCommand, { args: [story.sealed.id], options: reason });
    assert.equal(revert['counter'], 4);
    assert.deepEqual((await openHome(machine).state.read()).counters, {
      [`${story.sealed.id} ${(await openHome(machine).operatorKeys()).signer.publicKey}`]: 4,
    });
  });

  it('reserves a counter before anything leaves the machine', async () => {
    const offline: TestContext = {
      ...machine,
      fetch: (input, init) => {
        if (urlOf(input).endsWith('/statements')) return Promise.reject(new TypeError('cut off'));
        return fetch(input, init);
      },
    };
    const input = { args: [story.sealed.id] };
    await assert.rejects(runCommand(attestCommand, input, offline), (error) => {
      assert.equal(exitCodeOf(error), 5);
      return true;
    });
    assert.equal((await run(attestCommand, input))['counter'], 6);
  });

  it('says why when it declines', async () => {
    assert.equal(await exitOf(declineCommand, { args: [story.sealed.id] }), 2);
    const options = { reason: 'we run another client' };
    const summary = await run(declineCommand, { args: [story.sealed.id], options });
    assert.equal(summary['kind'], 'decline');
  });

  it('asks for neither root nor checkpoint within a minute of a command that verified both', async () => {
    const asked: string[] = [];
    const counting: TestContext = {
      ...machine,
      fetch: (input, init) => {
        asked.push(new URL(urlOf(input)).pathname);
        return fetch(input, init);
      },
    };
    const options = { reason: 'we run another client' };
    const decline = async (): Promise<readonly string[]> => {
      asked.length = 0;
      await runCommand(declineCommand, { args: [story.sealed.id], options }, counting);
      return asked.filter((path) => !path.startsWith('/v1/auth/'));
    };
    outpost.clock.advance(MINUTE_MS + 1000);
    await outpost.server.sequence();
    const fresh = await decline();
    assert.ok(fresh.includes('/log/checkpoint') && fresh.some((path) => path.startsWith('/tuf/')));
    outpost.clock.advance(MINUTE_MS - 1000);
    const said = ['/v1/inbox', `${story.path}/statements`];
    assert.deepEqual(await decline(), said);
    outpost.clock.advance(2000);
    assert.ok((await decline()).includes('/log/checkpoint'));
  });

  it('says nothing under a root that has expired, however recent its checkpoint is', async () => {
    const { clock, server } = outpost;
    const options = { reason: 'we run another client' };
    const input = { args: [story.sealed.id], options };
    clock.advance(Date.parse(server.root.expires) - clock.now() - 30_000);
    await server.sequence();
    await run(declineCommand, input);
    clock.advance(31_000);
    const { checkpoint } = await openHome(machine).state.read();
    assert.ok(clock.now() - Date.parse(checkpoint?.seenAt ?? '') < MINUTE_MS);
    await assert.rejects(run(declineCommand, input), { code: 'trust_invalid' });
  });
});
