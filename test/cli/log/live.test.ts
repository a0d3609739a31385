import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Input } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { InterruptedError } from '../../../cli/errors.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { urlOf } from '../operator/support/meddling.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { serveFiles, type TestServer } from '../support/static-server.ts';
import { flip, LOG_VKEY, publish, sealedLeaves, type LogFiles } from './support/served-log.ts';

/** A server whose log's files can be changed while it runs. */
const files: LogFiles = new Map();
let server: TestServer;

before(async () => {
  server = await serveFiles(files);
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

/** Start the story anew: a log of these leaves and nothing else. */
async function begin(leaves: readonly string[]): Promise<void> {
  files.clear();
  await publish(files, leaves);
}

async function look(
  context: TestContext,
  options: Input['options'] = {},
): Promise<Record<string, unknown>> {
  context.said.stdout = '';
  const input = { args: [server.url], options: { key: LOG_VKEY, ...options } };
  await runCommand(auditCommand, input, context);
  return context.said.summary();
}

async function failure(promise: Promise<unknown>): Promise<{ code?: string; exit: number }> {
  try {
    await promise;
  } catch (error) {
    const { code } = error as { code?: string };
    return { ...(code !== undefined && { code }), exit: exitCodeOf(error) };
  }
  return assert.fail('it should have failed');
}

const filesIn = (context: TestContext, folder: string): Promise<string[]> =>
  readdir(join(context.home, folder)).catch(() => []);

async function progressOf(context: TestContext): Promise<string> {
  const [name = ''] = await filesIn(context, 'audits');
  return readFile(join(context.home, 'audits', name), 'utf8');
}

/** The one evidence file of a home, and what `audit --compare` says of it without the server. */
async function judge(context: TestContext): Promise<{ kind: string; exit: number; path: string }> {
  const [name = '', ...more] = await filesIn(context, 'evidence');
  assert.deepEqual(more, []);
  const path = join(context.home, 'evidence', name);
  const { kind } = JSON.parse(await readFile(path, 'utf8')) as { kind: string };
  await using stranger = await testContext({ json: true });
  const input = { args: [path], options: { compare: true, key: LOG_VKEY } };
  const { exit } = await failure(runCommand(auditCommand, input, stranger));
  return { kind, exit, path };
}

describe('audit URL', () => {
  it('reads all of a log once, and then only what is new', async () => {
    await using context = await testContext({ json: true });
    const leaves = sealedLeaves(900);
    await begin(leaves.slice(0, 300));
    const first = await look(context);
    assert.deepEqual(
      [first['size'], first['before'], first['counts']],
      [300, null, { sealed: 300 }],
    );

    const asked: string[] = [];
    const watched: typeof fetch = (input, init) => {
      asked.push(new URL(urlOf(input)).pathname);
      return fetch(input, init);
    };
    await publish(files, [...leaves.slice(0, 890), `open/v1 snapshot ${'a'.repeat(64)}\n`]);
    await using later = await testContext({ json: true, home: context.home, fetch: watched });
    const second = await look(later);
    assert.deepEqual(second['counts'], { sealed: 890, snapshot: 1 });
    assert.deepEqual([second['size'], second['before']], [891, 300]);
    assert.ok(asked.includes('/log/tile/entries/001') && !asked.includes('/log/tile/entries/000'));

    const third = await look(later);
    assert.deepEqual([third['size'], third['before']], [891, 891]);
    assert.deepEqual(third['counts'], second['counts']);
  });

  it('follows a log by any steps, with the same counts as one look at the whole', async () => {
    await using context = await testContext({ json: true });
    const leaves = sealedLeaves(1100);
    files.clear();
    for (const size of [0, 1, 255, 256, 257, 511, 512, 1030, 1100]) {
      await publish(files, leaves.slice(0, size));
      const { counts } = await look(context);
      assert.deepEqual(counts, size === 0 ? {} : { sealed: size });
    }
    const { counts } = await look(context, { full: true });
    assert.deepEqual(counts, { sealed: 1100 });
    assert.deepEqual(await filesIn(context, 'evidence'), []);
  });

  it('keeps evidence of a fork that a stranger verifies without the server', async () => {
    for (const [size1, size2] of [
      [5, 5],
      [5, 9],
      [256, 300], // the older tree is one subtree of the newer
      [300, 700],
      [700, 701],
    ] as const) {
      await using context = await testContext({ json: true });
      const leaves = sealedLeaves(size1);
      await begin(leaves);
      await look(context);
      const kept = await progressOf(context);
      const other = [...leaves.slice(0, size1 - 1), ...sealedLeaves(size2 - size1 + 1, 'other')];
      await begin(other);
      const { code, exit } = await failure(look(context));
      assert.deepEqual([code, exit], ['checkpoint_invalid', 6], `${size1} to ${size2}`);
      assert.equal(await progressOf(context), kept);
      const { kind, exit: verdict } = await judge(context);
      assert.deepEqual([kind, verdict], ['forked', 6]);
    }
  });

  it('keeps both notes when the log shrinks, which by themselves prove no fork', async () => {
    await using context = await testContext({ json: true });
    await begin(sealedLeaves(600));
    await look(context);
    const kept = await progressOf(context);
    await begin(sealedLeaves(300));
    const { code, exit } = await failure(look(context));
    assert.deepEqual([code, exit], ['checkpoint_invalid', 6]);
    assert.equal(await progressOf(context), kept);
    const { kind, exit: undecided, path } = await judge(context);
    assert.deepEqual([kind, undecided], ['shrunk', 1]);

    // With the tiles of the larger log at hand it turns out to be a rollback and no fork.
    await begin(sealedLeaves(600));
    await using stranger = await testContext({ json: true });
    const input = { args: [path, server.url], options: { compare: true, key: LOG_VKEY } };
    await runCommand(auditCommand, input, stranger);
    assert.equal(stranger.said.summary()['result'], 'consistent');
  });

  it('is not led by a server that proves consistency but shows other leaves', async () => {
    await using context = await testContext({ json: true });
    const leaves = sealedLeaves(700);
    await begin(leaves.slice(0, 300));
    await look(context);
    const kept = await progressOf(context);
    await publish(files, leaves);
    flip(files, '/log/tile/entries/001', 2 + 77 * 10 + 30);
    assert.equal((await failure(look(context))).exit, 6);
    assert.equal(await progressOf(context), kept);
    await publish(files, leaves); // the honest log is taken up again from where it was left
    assert.equal((await look(context))['before'], 300);
  });

  it('finds old leaves rewritten under the same checkpoint with --full, and only then', async () => {
    await using context = await testContext({ json: true });
    await begin(sealedLeaves(700));
    await look(context, { full: true });
    flip(files, '/log/tile/entries/000', 40);
    await look(context);
    assert.equal((await failure(look(context, { full: true }))).code, 'proof_invalid');
  });

  it('refuses a log that serves no tiles behind a larger checkpoint, and keeps both notes', async () => {
    await using context = await testContext({ json: true });
    await begin(sealedLeaves(300));
    await look(context);
    const larger: LogFiles = new Map();
    await publish(larger, sealedLeaves(700));
    files.set('/log/checkpoint', larger.get('/log/checkpoint') ?? new Uint8Array());
    assert.deepEqual(await failure(look(context)), { code: 'proof_invalid', exit: 6 });
    const { kind, exit } = await judge(context);
    assert.deepEqual([kind, exit], ['unproven', 1]);
  });

  it('refuses progress that was tampered with', async () => {
    await using context = await testContext({ json: true });
    await begin(sealedLeaves(300));
    await look(context);
    const [name = ''] = await filesIn(context, 'audits');
    const path = join(context.home, 'audits', name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('\\n300\\n', '\\n200\\n'));
    assert.equal((await failure(look(context))).code, 'signature_invalid');
    await writeFile(path, text);
    await look(context);
  });

  it('does not go back when another process has gone further meanwhile', async () => {
    await using context = await testContext({ json: true });
    const leaves = sealedLeaves(600);
    await begin(leaves.slice(0, 300));
    const small = new Map(files);
    const slow: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      const path = new URL(urlOf(input)).pathname;
      if (path !== '/log/tile/entries/000') return answer;
      // While the first one reads, another one of this home sees the longer log through.
      await publish(files, leaves);
      await using other = await testContext({ json: true, home: context.home });
      await look(other);
      files.clear();
      for (const [key, bytes] of small) files.set(key, bytes);
      return answer;
    };
    await using first = await testContext({ json: true, home: context.home, fetch: slow });
    assert.equal((await look(first))['size'], 300);
    assert.match(await progressOf(context), /\\n600\\n/);
  });

  it('follows until it is interrupted, waits for a server that is away, and ends with a summary', async () => {
    const leaves = sealedLeaves(400);
    await begin(leaves.slice(0, 100));
    let round = 0;
    const slept: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      slept.push(ms);
      round += 1;
      if (round === 1) await publish(files, leaves.slice(0, 300));
      if (round === 4) throw new InterruptedError();
    };
    const flaky: typeof fetch = (input, init) => {
      if (round === 2) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
      return fetch(input, init);
    };
    await using context = await testContext({ json: true, sleep, fetch: flaky });
    const { exit } = await failure(look(context, { follow: true, interval: '7' }));
    assert.equal(exit, 130);
    assert.deepEqual(slept, [7000, 7000, 7000, 7000]);
    assert.match(context.said.stderr, /cannot reach/);
    const seen = context.said.events().filter((it) => it.message_type === 'checkpoint');
    assert.deepEqual(
      seen.map(({ size, added }) => [size, added]),
      [
        [100, 100],
        [300, 200],
        [300, 0],
      ],
    );
    assert.equal(context.said.summary()['size'], 300);
  });

  it('stops following at once when the log breaks its word', async () => {
    await begin(sealedLeaves(100));
    const sleep = async (): Promise<void> => begin(sealedLeaves(120, 'other'));
    await using context = await testContext({ json: true, sleep });
    const { code, exit } = await failure(look(context, { follow: true }));
    assert.deepEqual([code, exit], ['checkpoint_invalid', 6]);
  });

  it('needs a key, and takes options only where they mean something', async () => {
    await using context = await testContext();
    const run = (args: string[], options: Input['options']): Promise<unknown> =>
      failure(runCommand(auditCommand, { args, options }, context));
    assert.deepEqual(await run([server.url], {}), { exit: 2 });
    const senseless = [{ receipts: 'x' }, { out: 'x' }, { interval: '9' }];
    for (const options of [...senseless, { interval: '0', follow: true }]) {
      assert.deepEqual(await run([server.url], { key: LOG_VKEY, ...options }), { exit: 2 });
    }
    assert.deepEqual(await run(['./record'], { follow: true }), { exit: 2 });
    assert.deepEqual(await run([server.url, server.url], { key: LOG_VKEY }), { exit: 2 });
    assert.match(utf8Decode(files.get('/log/checkpoint') ?? new Uint8Array()), /^127/);
  });
});
