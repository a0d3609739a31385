import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Command, type Input } from '../../../cli/command.ts';
import { fetchCommand } from '../../../cli/commands/fetch.ts';
import { inboxCommand } from '../../../cli/commands/inbox.ts';
import { prefetchCommand } from '../../../cli/commands/prefetch.ts';
import { ackCommand, attestCommand } from '../../../cli/commands/statements.ts';
import { verifyCommand } from '../../../cli/commands/verify.ts';
import { verifyMessageCommand } from '../../../cli/commands/verify-message.ts';
import { verifyNoticeCommand } from '../../../cli/commands/verify-notice.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { openHome } from '../../../cli/home/home.ts';
import { writeFiles } from '../../../cli/operator/write-files.ts';
import { signAndEncrypt } from '../../../protocol/contact/message.ts';
import { readContactKey } from '../../../protocol/contact/key.ts';
import { seal } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { sealSignatures } from '../../../protocol/embargo/signature-bundle.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodePublication } from '../../../protocol/statement/share.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { HOUR_MS } from '../../support/clock.ts';
import { envelopeJson, expectStatus, type Story } from '../../support/story.ts';
import { putRealSignatures } from '../audit/support/told-campaign.ts';
import type { TestContext } from '../support/context.ts';
import { meddleJson, meddlingFetch, urlOf, type Meddle } from './support/meddling.ts';
import { noticeFiles, openOutpost, type Outpost } from './support/outpost.ts';

// The server, the mail and the network are the adversary here; the officers' threshold is honest
// unless a test says otherwise.

let outpost: Outpost;
/** Enrolled, with a verified notice and everything prefetched, before T0. */
let machine: TestContext;
let story: Story;
let scratch: string;

/** What else a prepared machine has of a campaign, besides the ciphertext. */
const REST = ['notice.txt', 'plan.txt', 'signatures.age'];

const place = (name: string): string => join(scratch, name);

before(async () => {
  outpost = await openOutpost();
  scratch = await mkdtemp(join(tmpdir(), 'sealdrop-hostile-'));
  machine = await outpost.enrolled({ json: true });
  story = await outpost.openStory();
  await story.uploadCiphertext();
  await story.decide('commit');
  await putRealSignatures(outpost, story);
  await story.decide('notify');
  await outpost.sendNotice(story, machine);
  await outpost.server.sequence();
  await writeFiles(place('notice'), noticeFiles(story));
  await runCommand(verifyNoticeCommand, noticeInput('notice'), machine);
  await story.decide('arm');
  await runCommand(prefetchCommand, { args: [story.sealed.id] }, machine);
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await outpost[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});

function noticeInput(folder: string, options: Record<string, string> = {}): Partial<Input> {
  return {
    args: [place(`${folder}/notice.txt`)],
    options: { list: place(`${folder}/COMMITMENT`), ...options },
  };
}

/** A copy of the prepared machine, so that no test spoils another. */
async function copyOf(meddle?: Meddle): Promise<TestContext> {
  const home = await mkdtemp(join(scratch, 'home-'));
  await cp(machine.home, home, { recursive: true });
  const fetch = meddle === undefined ? {} : { fetch: meddlingFetch(meddle) };
  return outpost.machine({ json: true, home, ...fetch });
}

async function stateOf(context: TestContext): Promise<string> {
  return readFile(join(context.home, 'state.json'), 'utf8');
}

/** Runs and gives the exit code, with what was said about it. */
async function outcome(
  command: Command,
  input: Partial<Input>,
  context: TestContext,
): Promise<{ code: number; message: string }> {
  try {
    await runCommand(command, input, context);
    return { code: 0, message: '' };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { code: exitCodeOf(error), message: error.message };
  }
}

async function refuses(
  command: Command,
  input: Partial<Input>,
  context: TestContext,
  message: RegExp,
): Promise<void> {
  const said = await outcome(command, input, context);
  assert.equal(said.code, 6, said.message);
  assert.match(said.message, message);
}

const fetchInto = (name: string): Partial<Input> => ({
  args: [story.sealed.id],
  options: { out: place(name) },
});

async function leavesNothing(name: string): Promise<void> {
  assert.deepEqual(
    (await readdir(scratch)).filter((entry) => entry.includes(name)),
    [],
  );
}

describe('verify-notice against forgery', () => {
  const forged = async (change: (files: Map<string, Uint8Array>) => void): Promise<string> => {
    const files = new Map(noticeFiles(story));
    change(files);
    const folder = await mkdtemp(join(scratch, 'forged-'));
    await writeFiles(join(folder, 'in'), files);
    return join(folder.slice(scratch.length + 1), 'in');
  };
  const flip = (bytes: Uint8Array | undefined, at: number): Uint8Array =>
    Uint8Array.from(bytes ?? [], (byte, i) => (i === at ? byte ^ 1 : byte));

  it('refuses one changed byte, wherever it is', async () => {
    for (const name of ['notice.txt', 'COMMITMENT']) {
      const length = noticeFiles(story).get(name)?.length ?? 0;
      for (const at of [0, length >> 1, length - 2]) {
        const folder = await forged((files) => files.set(name, flip(files.get(name), at)));
        await using context = await copyOf();
        const said = await outcome(verifyNoticeCommand, noticeInput(folder), context);
        assert.equal(said.code, 6, `${name} at ${at}`);
      }
    }
  });

  it('refuses the notice of another campaign under this list', async () => {
    const other = await outpost.openStory();
    const folder = await forged((files) =>
      files.set('notice.txt', noticeFiles(other).get('notice.txt') ?? new Uint8Array()),
    );
    await using context = await copyOf();
    await refuses(verifyNoticeCommand, noticeInput(folder), context, /not the one committed to/);
  });

  it('refuses a commitment that is not in the log, whatever the server says', async () => {
    const other = await outpost.openStory();
    await writeFiles(place('unlogged'), noticeFiles(other));
    await using context = await copyOf();
    await refuses(verifyNoticeCommand, noticeInput('unlogged'), context, /nobody has committed/);

    const { commitment } = other.sealed.plan;
    const lying = (
      await outpost.server.client().get(`/v1/commitments/${story.sealed.plan.commitment}`)
    ).json<Record<string, unknown>>();
    await using deceived = await outpost.machine({
      json: true,
      home: (await copyOf()).home,
      fetch: (input, init) =>
        urlOf(input).endsWith(commitment)
          ? Promise.resolve(Response.json({ ...lying, sha256: commitment }))
          : fetch(input, init),
    });
    await refuses(verifyNoticeCommand, noticeInput('unlogged'), deceived, /proof/);
    assert.equal(await openHome(deceived).campaign(other.sealed.id).find('notice.txt'), undefined);
  });

  it('does not wait for ever for a commitment that the server accepts and never logs', async () => {
    const { commitment } = story.sealed.plan;
    let waited = 0;
    await using context = await outpost.machine({
      json: true,
      home: (await copyOf()).home,
      fetch: meddlingFetch(
        meddleJson(commitment, (json: object) => ({ ...json, leafIndex: null })),
      ),
      sleep: (ms) => Promise.resolve(void (waited += ms)),
    });
    const said = await outcome(verifyNoticeCommand, noticeInput('notice'), context);
    assert.equal(said.code, 5, said.message);
    assert.match(said.message, /accepted but not in the log yet/);
    assert.ok(waited >= 60_000 && waited <= 120_000, `waited ${waited} ms`);
  });

  it('refuses another commitment than the one read elsewhere', async () => {
    await using context = await copyOf();
    const input = noticeInput('notice', { commitment: 'a'.repeat(64) });
    await refuses(verifyNoticeCommand, input, context, /another commitment than the one you gave/);
    const right = noticeInput('notice', { commitment: story.sealed.plan.commitment });
    assert.equal((await outcome(verifyNoticeCommand, right, context)).code, 0);
  });
});

describe('mail that no officer wrote', () => {
  it('is refused by verify-message, and writes nothing', async () => {
    const { openpgp } = await openHome(machine).operatorKeys();
    const recipient = (await readContactKey(openpgp)).toPublic().armor();
    const forged = await signAndEncrypt(
      utf8Encode('Apply this now.\n'),
      { signing: openpgp, recipient },
      new Date(outpost.clock.now()),
    );
    await writeFile(place('forged.asc'), forged);
    const input = { args: [place('forged.asc')], options: { out: place('forged-out') } };
    await refuses(verifyMessageCommand, input, machine, /./);
    await leavesNothing('forged-out');
  });

  it('does not keep the inbox from saving what is genuine', async () => {
    type Inbox = { campaigns: { messages: object[] }[] };
    const meddle = meddleJson('/v1/inbox', ({ campaigns }: Inbox) => ({
      campaigns: campaigns.map((it) => ({
        ...it,
        messages: [
          {
            kind: 'closing',
            directive: 3,
            armored: '-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n',
          },
          ...it.messages,
        ],
      })),
    }));
    await using context = await copyOf(meddle);
    const input = { options: { save: place('saved') } };
    await refuses(inboxCommand, input, context, /not by an officer: .*\.closing/);
    assert.deepEqual(await readdir(place('saved')), [`${story.sealed.id}.notice`]);
  });
});

describe('prefetch against a hostile server', () => {
  const input = (): Partial<Input> => ({ args: [story.sealed.id] });

  it('refuses an older list of directives than it has seen, and remembers what it saw', async () => {
    const meddle = meddleJson('/directives', (json: { completed: unknown[] }) => ({
      ...json,
      completed: json.completed.slice(0, -1),
    }));
    await using context = await copyOf(meddle);
    const before = await stateOf(context);
    await refuses(
      prefetchCommand,
      input(),
      context,
      /directive 3 was seen before, now the last is 2/,
    );
    assert.equal(await stateOf(context), before);
  });

  it('refuses directives with a signature taken away, and the plan of another campaign', async () => {
    type Directives = { completed: { envelope: { signatures: unknown[] } }[] };
    const meddle = meddleJson('/directives', ({ completed, ...rest }: Directives) => ({
      ...rest,
      completed: completed.map((it) => ({
        ...it,
        envelope: { ...it.envelope, signatures: it.envelope.signatures.slice(1) },
      })),
    }));
    await using unsigned = await copyOf(meddle);
    await refuses(prefetchCommand, input(), unsigned, /signed by 2 of the 3 people needed/);

    const other = await outpost.openStory();
    await using swapped = await copyOf((path) =>
      path.endsWith('/plan') ? other.sealed.planBytes : undefined,
    );
    await rm(join(swapped.home, 'campaigns', story.sealed.id, 'plan.txt'));
    await refuses(prefetchCommand, input(), swapped, /hands out another plan/);
  });

  it('refuses other ciphertext, also a longer one, and keeps no part of it', async () => {
    const { bytes } = story.sealed.bundle;
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    for (const other of [bytes.map((byte) => byte ^ 1), bytes.subarray(1), longer]) {
      await using context = await copyOf((path) =>
        path.startsWith('/blobs/') ? new Uint8Array(other) : undefined,
      );
      const directory = join(context.home, 'campaigns', story.sealed.id);
      await rm(join(directory, `${story.sealed.bundle.sha256}.age`));
      await refuses(prefetchCommand, input(), context, /download/);
      const closing = `${story.sealed.closing.sha256}.age`;
      const left = (await readdir(directory)).filter((name) => name !== closing);
      assert.deepEqual(left, ['COMMITMENT', 'access.key', 'directives.json', ...REST]);
    }
  });

  it('refuses a checkpoint of a log that shrank or forked', async () => {
    const note = expectStatus(await outpost.server.client().get('/log/checkpoint'), 200).text();
    await outpost.openStory();
    await outpost.server.sequence();
    await using context = await copyOf();
    await runCommand(prefetchCommand, input(), context);
    await using rolledBack = await outpost.machine({
      json: true,
      home: context.home,
      fetch: meddlingFetch((path) => (path === '/log/checkpoint' ? note : undefined)),
    });
    await refuses(prefetchCommand, input(), rolledBack, /had \d+ entries before and now shows/);
  });

  it('reads no more of an answer than the answer can be long', async () => {
    const megabytes = 'x'.repeat(2 * 1024 * 1024);
    for (const suffix of ['/log/checkpoint', `/campaigns/${story.sealed.id}`, 'timestamp.json']) {
      await using context = await copyOf((path) => (path.endsWith(suffix) ? megabytes : undefined));
      const { code } = await outcome(prefetchCommand, input(), context);
      assert.equal(code, 6, suffix);
    }
  });

  it('refuses a notice that does not belong to the plan', async () => {
    const other = await outpost.openStory();
    await using context = await copyOf();
    const directory = openHome(context).campaign(story.sealed.id);
    const files = noticeFiles(other);
    await directory.writeSecret('notice.txt', files.get('notice.txt') ?? '');
    await directory.write('COMMITMENT', files.get('COMMITMENT') ?? '');
    const { code } = await outcome(prefetchCommand, input(), context);
    assert.equal(code, 6);
  });
});

describe('statements against a hostile server', () => {
  it('does not take a receipt for something else', async () => {
    const input = { args: [story.sealed.id] };
    await using other = await copyOf();
    let first: string | undefined;
    await using context = await copyOf((path, body) => {
      if (!path.endsWith('/statements')) return undefined;
      const answer = new TextDecoder().decode(body);
      const earlier = first;
      first ??= answer;
      return earlier;
    });
    assert.equal((await outcome(ackCommand, input, context)).code, 0);
    await refuses(ackCommand, input, context, /receipt is for something else/);
    assert.equal((await readdir(join(other.home, 'receipts'))).length, 1);
  });

  it('does not let the server use its counters up', async () => {
    type Inbox = { campaigns: object[] };
    const meddle = meddleJson('/v1/inbox', ({ campaigns }: Inbox) => ({
      campaigns: campaigns.map((it) => ({ ...it, counter: Number.MAX_SAFE_INTEGER - 1 })),
    }));
    await using context = await copyOf(meddle);
    const before = await stateOf(context);
    await refuses(ackCommand, { args: [story.sealed.id] }, context, /absurd/);
    const countersIn = (state: string): unknown =>
      (JSON.parse(state) as { counters: unknown }).counters;
    assert.deepEqual(countersIn(await stateOf(context)), countersIn(before));
  });

  it('does not attest what was not opened here', async () => {
    await using context = await copyOf();
    const { code, message } = await outcome(attestCommand, { args: [story.sealed.id] }, context);
    assert.equal(code, 1);
    assert.match(message, /not opened here/);
  });
});

describe('fetch at T0 against a hostile server', () => {
  before(async () => {
    outpost.clock.advance(2 * HOUR_MS);
    await story.release();
  });

  type Shares = { shares: unknown[] };
  const shares = (change: (list: unknown[]) => unknown[]): Meddle =>
    meddleJson('/shares', (json: Shares) => ({ shares: change(json.shares) }));

  /** What an officer with a grudge publishes, signed as it should be. */
  const badShare = async (index: number): Promise<unknown> => {
    const officer = outpost.server.officers[index];
    const { plan } = story.sealed;
    assert.ok(officer);
    const planned = plan.shares.find((it) => it.key === 'release' && it.officer === officer.id);
    const payload = encodePublication({
      kind: 'share',
      key: 'release',
      commitment: planned?.sha256 ?? '',
      campaign: plan.campaign,
      network: plan.network,
      revision: 1,
      officer: officer.id,
      sealed: await seal(utf8Encode('garbage'), [plan.accessRecipient]),
    });
    return envelopeJson(signEnvelope(payload, officer.signing));
  };

  it('names the officer of a bad share and opens with the others', async () => {
    const bad = await badShare(3);
    await using context = await copyOf(shares((list) => [bad, ...list]));
    assert.equal((await outcome(fetchCommand, fetchInto('with-bad'), context)).code, 0);
    assert.match(context.said.stderr, /dave published of the release is bad/);
  });

  it('says who was bad when too few are good, and writes nothing', async () => {
    const bad = await badShare(0);
    await using context = await copyOf(shares((list) => [bad, ...list.slice(1)]));
    const said = await outcome(fetchCommand, fetchInto('too-few'), context);
    // An hour after T0 it is an alarm that too little is shown.
    assert.equal(said.code, 6);
    assert.match(said.message, /ALARM/);
    assert.match(context.said.stderr, /alice published of the release is bad/);
    await leavesNothing('too-few');
  });

  it('is not deceived by shares that no officer signed', async () => {
    type Envelope = { signatures: { sig: string }[] };
    const meddle = shares((list) =>
      list.map((it) => ({
        ...(it as Envelope),
        signatures: (it as Envelope).signatures.map((signature) => ({
          ...signature,
          sig: toBase64(new Uint8Array(64).fill(1)),
        })),
      })),
    );
    await using context = await copyOf(meddle);
    const said = await outcome(fetchCommand, fetchInto('unsigned'), context);
    assert.equal(said.code, 6);
    assert.match(said.message, /ALARM/);
    assert.match(context.said.stderr, /a share that no officer published/);
  });

  it('opens with what is here while the server shows an error for everything else', async () => {
    await using context = await outpost.machine({
      json: true,
      home: (await copyOf()).home,
      fetch: (input, init) =>
        urlOf(input).endsWith('/directives')
          ? Promise.resolve(new Response('overloaded', { status: 503 }))
          : fetch(input, init),
    });
    assert.equal((await outcome(fetchCommand, fetchInto('overloaded'), context)).code, 0);
  });

  it('keeps waiting through a flood', async () => {
    let refusals = 0;
    await using context = await outpost.machine({
      json: true,
      home: (await copyOf()).home,
      fetch: (input, init) => {
        refusals += 1;
        if (refusals > 12) return fetch(input, init);
        if (refusals % 2 === 0) return Promise.reject(new TypeError('reset'));
        return Promise.resolve(new Response('', { status: 429 }));
      },
    });
    const input = { ...fetchInto('flood'), options: { out: place('flood'), wait: true } };
    assert.equal((await outcome(fetchCommand, input, context)).code, 0);
    assert.ok(refusals > 12);
  });

  it('refuses an older list of directives than it has seen, and remembers what it saw', async () => {
    const meddle = meddleJson('/directives', (json: { completed: unknown[] }) => ({
      ...json,
      completed: json.completed.slice(0, 1),
    }));
    await using context = await copyOf(meddle);
    const before = await stateOf(context);
    await refuses(fetchCommand, fetchInto('older'), context, /was seen before/);
    assert.equal(await stateOf(context), before);
    await leavesNothing('older');
  });

  it('goes on waiting while the server lies, and says what it refused', async () => {
    const lies = { left: 5 };
    const older = meddleJson('/directives', (json: { completed: unknown[] }) => ({
      ...json,
      completed: json.completed.slice(0, 1),
    }));
    await using context = await copyOf((path, body) => {
      if (path.endsWith('/directives')) lies.left -= 1;
      return lies.left > 0 ? older(path, body) : undefined;
    });
    const input = { ...fetchInto('patient'), options: { out: place('patient'), wait: true } };
    assert.equal((await outcome(fetchCommand, input, context)).code, 0);
    assert.equal(context.said.stderr.match(/an answer is refused/g)?.length, 1);
  });

  it('is not held up by a root of trust that does not follow', async () => {
    await using context = await outpost.machine({
      json: true,
      home: (await copyOf()).home,
      fetch: (input, init) =>
        urlOf(input).endsWith('/2.root.json')
          ? Promise.resolve(new Response('{}'))
          : fetch(input, init),
    });
    assert.equal((await outcome(fetchCommand, fetchInto('with-root'), context)).code, 0);
    assert.match(context.said.stderr, /going on with the root of trust that is here/);
    assert.equal((await openHome(context).state.read()).rootVersion, 1);
  });

  it('refuses ciphertext, notice and plan that were exchanged on disk', async () => {
    const { sealed } = story;
    const recipient = sealed.plan.releaseRecipient;
    const evil = await sealBundle(new Map([['agave.patch', utf8Encode('evil\n')]]), recipient);
    const exchanged: [string, Uint8Array, RegExp][] = [
      [`${sealed.bundle.sha256}.age`, evil, /not the one in the plan/],
      ['notice.txt', noticeFiles(await outpost.openStory()).get('notice.txt') ?? evil, /./],
      ['plan.txt', (await outpost.openStory()).sealed.planBytes, /./],
    ];
    for (const [name, bytes, reason] of exchanged) {
      await using context = await copyOf();
      await openHome(context).campaign(sealed.id).writeSecret(name, bytes);
      await refuses(fetchCommand, fetchInto('exchanged'), context, reason);
      await leavesNothing('exchanged');
    }
  });

  it('opens by the plan when the server has spoilt the signatures over the files, and says so', async () => {
    const { sealed } = story;
    const recipient = sealed.plan.releaseRecipient;
    const unsigned = await sealSignatures(
      { sums: utf8Encode('none'), release: utf8Encode('{}'), byOfficer: new Map() },
      recipient,
    );
    for (const [i, bytes] of [unsigned, sealed.bundle.bytes, utf8Encode('junk')].entries()) {
      await using context = await copyOf((path) =>
        path.endsWith('/signatures') ? bytes : undefined,
      );
      await openHome(context).campaign(sealed.id).writeSecret('signatures.age', bytes);
      const out = `unsigned-${i}`;
      assert.equal((await outcome(fetchCommand, fetchInto(out), context)).code, 0);
      const summary = context.said.summary();
      assert.equal(summary['signatures'], 'missing');
      assert.deepEqual(summary['approvedBy'], ['alice', 'bob', 'carol']);
      assert.match(context.said.stderr, /from this home do not hold/);
      assert.match(context.said.stderr, /from the server do not hold/);
      assert.match(context.said.stderr, /SIGNATURES OVER THESE FILES WERE NOT TO BE HAD/);
      const names = await readdir(place(out));
      assert.ok(names.includes('agave.patch'));
      assert.ok(!names.some((name) => /asc$|json$|minisig$|sshsig$/.test(name)));

      context.said.stdout = '';
      const dir = { args: [place(out)] };
      assert.equal((await outcome(verifyCommand, dir, context)).code, 0);
      assert.equal(context.said.summary()['signatures'], 'missing');
      await writeFile(join(place(out), 'agave.patch'), 'evil\n');
      await refuses(verifyCommand, dir, context, /not a file that SHA256SUMS lists/);
      await rm(place(out), { recursive: true });
    }
  });

  it('opens neither with a wrong access key nor without a verified notice', async () => {
    await using context = await copyOf();
    const directory = join(context.home, 'campaigns', story.sealed.id);
    await rm(join(directory, 'notice.txt'));
    const said = await outcome(fetchCommand, fetchInto('no-notice'), context);
    assert.equal(said.code, 1);
    assert.match(said.message, /no verified notice/);
    await leavesNothing('no-notice');
  });

  it('gets exit 7 once officers have withdrawn the patch', async () => {
    await story.decide('withdraw', { reason: 'it does harm' });
    await using context = await copyOf();
    assert.equal((await outcome(fetchCommand, fetchInto('withdrawn'), context)).code, 7);
    await leavesNothing('withdrawn');
  });
});

describe('signatures over the files by too few officers', () => {
  it('are as good as none: the patch is that of the plan, and none of them is written', async () => {
    await using context = await copyOf();
    const other = await outpost.openStory();
    await other.uploadCiphertext();
    await other.decide('commit');
    const { officers, root } = outpost.server;
    const few = { ...outpost.server, root: { ...root, directiveThreshold: 2 }, officers };
    await putRealSignatures({ server: few }, other);
    await other.decide('notify');
    await outpost.sendNotice(other, context);
    await outpost.server.sequence();
    await writeFiles(place('few-notice'), noticeFiles(other));
    await runCommand(verifyNoticeCommand, noticeInput('few-notice'), context);
    await other.decide('arm');
    await runCommand(prefetchCommand, { args: [other.sealed.id] }, context);
    outpost.clock.advance(2 * HOUR_MS);
    await other.release();
    const input = { args: [other.sealed.id], options: { out: place('few') } };
    context.said.stdout = '';
    assert.equal((await outcome(fetchCommand, input, context)).code, 0);
    assert.match(context.said.stderr, /signed by 2 of the 3 people needed/);
    assert.equal(context.said.summary()['signatures'], 'missing');
    assert.ok(!(await readdir(place('few'))).includes('SHA256SUMS.asc'));
  });
});

describe('names in what is unpacked', () => {
  it('never lead out of the output folder', async () => {
    for (const name of ['../x', '/x', 'a/b', '.hidden', 'a\\b', 'x'.repeat(300), 'a\0b', '']) {
      await assert.rejects(writeFiles(place('paths'), [[name, utf8Encode('x')]]), {
        code: 'bundle_invalid',
      });
      await leavesNothing('paths');
    }
  });
});
