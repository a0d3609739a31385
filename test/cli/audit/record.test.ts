import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { runCommand } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { logVerifyCommand } from '../../../cli/commands/log-verify.ts';
import { recordCommand } from '../../../cli/commands/record.ts';
import { trustAddCommand } from '../../../cli/commands/trust-add.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { envelopeJson } from '../../support/story.ts';
import {
  startTimestampAuthority,
  type TimestampAuthority,
} from '../../support/timestamp-authority.ts';
import { openWorld, type World } from '../../support/world.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { followReadme, isHere, skipReadme } from './support/readme.ts';
import { step, tellStory } from './support/story.ts';
import { armForReal, discloseForReal } from './support/told-campaign.ts';

const run = promisify(execFile);

let world: World;
let folder: string;
let record: string;
let rootSha256: string;
let authority: TimestampAuthority | undefined;

/** An auditor with nothing but the server's URL and the pin. */
async function auditor(options: { json?: boolean } = {}): Promise<TestContext> {
  const context = await testContext({
    ...options,
    now: world.clock.now,
    sleep: () => world.server.sequence(),
  });
  await runCommand(trustAddCommand, { args: [world.server.url], options: { rootSha256 } }, context);
  context.said.stdout = '';
  return context;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(directory, join(entry.parentPath, entry.name))).sort();
}

const ABSENT = 'timestamps.tokens';

/** Let the authority, where there is openssl to be one, see the log as it is now. */
async function timestampTheLog(): Promise<void> {
  if (authority === undefined) return;
  await world.server.restartWith({ TSA_URL: authority.url });
  const index = `${world.server.url}/log/timestamps/index`;
  const deadline = Date.now() + 20_000;
  while ((await fetch(index)).status !== 200) assert.ok(Date.now() < deadline, 'no token came');
}

before(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-record-'));
  record = join(folder, 'record');
  const keys = await mkdtemp(join(tmpdir(), 'sealdrop-authority-'));
  authority = isHere('openssl') ? await startTimestampAuthority(keys) : undefined;
  rootSha256 = world.server.rootSha256;
});
after(async () => {
  await world.close();
  await authority?.[Symbol.asyncDispose]();
  if (authority !== undefined) await rm(dirname(authority.ca), { recursive: true });
  await rm(folder, { recursive: true, force: true });
});

describe('record of a real campaign', () => {
  it('does not exist before the disclosure, and leaves nothing', async () => {
    await armForReal(world, world.story);
    await using context = await auditor();
    const input = { args: [world.story.sealed.id], options: { out: record } };
    // The public is told nothing of a campaign that is not disclosed.
    await assert.rejects(runCommand(recordCommand, input, context), { status: 404 });
    assert.deepEqual(await readdir(folder), []);
  });

  it('is written whole and holds, with another campaign hidden beside it', async () => {
    const hidden = await world.another();
    await hidden.uploadCiphertext();
    await hidden.decide('commit');
    await discloseForReal(world, world.story);
    await timestampTheLog();

    await using context = await auditor({ json: true });
    const input = { args: [world.story.sealed.id], options: { out: record } };
    await runCommand(recordCommand, input, context);
    assert.equal(context.said.summary()['result'], 'pass');
    const checks = context.said.events().filter(({ message_type: type }) => type === 'check');
    const others = checks.filter(({ status }) => status !== 'pass').map(({ id }) => id);
    assert.deepEqual(others, [
      'log.witnesses',
      ...(authority === undefined ? [ABSENT] : []),
      'receipts.kept',
    ]);
    const stamped = checks.find(({ id }) => id === ABSENT);
    assert.match(
      String(stamped?.['detail']),
      authority === undefined ? /none is here/ : /leaves at/,
    );
    const openings = checks.find(({ id }) => id === 'openings.complete');
    assert.match(String(openings?.['detail']), /withheld \(other\)/);
    const names = await readdir(folder);
    assert.deepEqual(names, ['record']);
  });

  it('is the same without its audit, and says that there was none', async () => {
    await using context = await auditor({ json: true });
    const out = join(folder, 'unaudited');
    const input = { args: [world.story.sealed.id], options: { out, unaudited: true } };
    await runCommand(recordCommand, input, context);
    assert.equal(context.said.summary()['result'], 'unaudited');
    const checks = context.said.events().filter(({ message_type: type }) => type === 'check');
    assert.deepEqual(checks, []);
    assert.deepEqual(
      await filesBelow(join(out, 'documents')),
      await filesBelow(join(record, 'documents')),
    );
    await rm(out, { recursive: true });
  });

  it('accounts for the same leaves as an audit of the server does', async () => {
    await using offline = await testContext({ json: true });
    await runCommand(auditCommand, { args: [record], options: { rootSha256 } }, offline);
    const checks = offline.said.events().filter(({ message_type: type }) => type === 'check');
    const complete = checks.find(({ id }) => id === 'openings.complete');

    await using context = await auditor({ json: true });
    await runCommand(auditCommand, { args: [world.server.url] }, context);
    const ends = context.said.summary()['ends'] as Record<string, unknown>;
    const { sealed, opened, dummies, withheld } = ends;
    assert.equal(sealed, 0);
    const others = Object.entries(withheld as Record<string, number>).map(
      ([reason, number]) => `, ${number} withheld (${reason})`,
    );
    const found = `${String(opened)} opened, ${String(dummies)} dummies${others.join('')}`;
    assert.equal(found, complete?.['detail']);
  });

  it('is not written over another one', async () => {
    await using context = await auditor();
    const input = { args: [world.story.sealed.id], options: { out: record } };
    await assert.rejects(runCommand(recordCommand, input, context), (error) => {
      assert.equal(exitCodeOf(error), 2);
      return true;
    });
  });

  it('can be written for the other campaign later, with the openings of both', async () => {
    const later = await world.another();
    await armForReal(world, later);
    await discloseForReal(world, later);
    await using context = await auditor({ json: true });
    const input = { args: [later.sealed.id], options: { out: join(folder, 'later') } };
    await runCommand(recordCommand, input, context);
    const checks = context.said.events().filter(({ message_type: type }) => type === 'check');
    const content = checks.find(({ id }) => id === 'openings.content');
    assert.match(String(content?.['detail']), /openings of other campaigns/);
    await rm(join(folder, 'later'), { recursive: true });
  });
});

describe('audit of a record on disk', () => {
  const auditing = async (
    directory: string,
    options: Record<string, string> = {},
    json = false,
  ): Promise<TestContext> => {
    const context = await testContext({ json });
    await runCommand(auditCommand, { args: [directory], options }, context);
    return context;
  };
  const code = async (directory: string, options?: Record<string, string>): Promise<number> => {
    try {
      await auditing(directory, options);
      return 0;
    } catch (error) {
      return exitCodeOf(error);
    }
  };

  it('needs no home, no network and no clock', async () => {
    const refuse = (): never => {
      throw new Error('the audit reached out');
    };
    await using context = await testContext({ json: true, fetch: refuse, now: refuse });
    const input = { args: [record], options: { rootSha256 } };
    await runCommand(auditCommand, input, context);
    assert.deepEqual(context.said.summary()['result'], 'pass');
    assert.equal(existsSync(join(context.home, 'config.json')), false);
  });

  it('says first that the root is not pinned, unless it is', async () => {
    await using unpinned = await auditing(record);
    assert.match(unpinned.said.stdout, /^The root of trust is NOT pinned/);
    await using pinned = await auditing(record, { rootSha256 });
    assert.match(pinned.said.stdout, /^ok/);
  });

  it('says that the folder of a log is no record, and what it may be instead', async () => {
    await assert.rejects(auditing(join(record, 'log')), {
      name: 'UsageError',
      message: /is the folder of a log, not a record/,
    });
    assert.equal(await code(join(record, 'trust')), 6);
  });

  it('reads a record through a link to its folder', async () => {
    const link = join(folder, 'link');
    await symlink(record, link);
    assert.equal(await code(link, { rootSha256 }), 0);
  });

  it('exits 6 for another pin, a changed byte, a missing and an additional file, a link', async () => {
    assert.equal(await code(record, { rootSha256: 'a'.repeat(64) }), 6);
    const copy = join(folder, 'copy');
    const again = async (change: () => Promise<void>): Promise<number> => {
      await rm(copy, { recursive: true, force: true });
      await run('cp', ['-r', record, copy]);
      await change();
      return code(copy, { rootSha256 });
    };
    assert.equal(await again(() => Promise.resolve()), 0);
    const tally = join(copy, 'tally.json');
    const changes: (() => Promise<void>)[] = [
      async () => writeFile(tally, (await readFile(tally, 'utf8')).replace('30', '31')),
      () => rm(tally),
      () => writeFile(join(copy, 'more'), ''),
      async () => {
        await mkdir(join(copy, 'empty'));
      },
      () => symlink('/etc/passwd', join(copy, 'passwd')),
      async () => {
        await rm(tally);
        await symlink(join(record, 'tally.json'), tally);
      },
    ];
    for (const change of changes) {
      assert.equal(await again(change), 6, change.toString());
    }
  });

  it('reports a receipt whose leaf is not there', async () => {
    const receipts = join(folder, 'receipts');
    await mkdir(receipts);
    const operator = world.operator(0);
    const late = await world.another();
    await armForReal(world, late);
    const envelope = late.statement(operator, 'ready');
    const answer = await world.server.client(operator.key).post(`${late.path}/statements`, {
      envelope: envelopeJson(envelope),
    });
    assert.equal(answer.status, 200, answer.text());
    const kept = { format: 'sealdrop-receipt/v1', ...answer.json<object>() };
    await writeFile(join(receipts, 'one.json'), JSON.stringify(kept));
    assert.equal(await code(record, { rootSha256, receipts }), 6);
  });

  it('asks whose log a URL is before it looks at it', async () => {
    await assert.rejects(auditing('https://patches.example.org'), /no root is trusted here/);
  });
});

describe('README.md of a record', () => {
  const skip = skipReadme();
  const follow = (directory: string): Promise<string> => followReadme(directory, authority?.ca);

  it('has commands that check the record with stock tools', { skip }, async () => {
    const said = await follow(record);
    assert.match(said, /agave\.patch: OK/);
    assert.match(said, /disclosure\.md: OK/);
    assert.match(said, /Good "sealdrop" signature for alice/);
    assert.match(said, /Signature Verified Successfully/);
    assert.match(said, /leaves make the signed root/);
    assert.match(said, /the first \d+ make the root that is timestamped/);
    assert.match(said, /every dummy hides nothing/);
    assert.match(said, /Time stamp: /);
  });

  it('opens dummies with them, unless a key is wrong', { skip }, async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          const dummies = Array.from({ length: 5 }, () => story.log.addDummy());
          step('notify')(story);
          story.log.add({ type: 'dummy', first: dummies[0] ?? 0, last: dummies.at(-1) ?? 0 });
        },
      },
    });
    const copy = join(folder, 'with-dummies');
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await writeFile(join(copy, path), bytes);
    }
    const page = await readFile(join(copy, 'README.md'), 'utf8');
    const block = /```sh\n(python3 [^`]*dummies\.txt[^`]*)```/.exec(page)?.[1] ?? '';
    const { stdout } = await run('bash', ['-c', block], { cwd: copy });
    assert.match(stdout, /every dummy hides nothing/);
    const keys = await readFile(join(copy, 'dummies.txt'), 'utf8');
    await writeFile(
      join(copy, 'dummies.txt'),
      keys.replace(/[0-9a-f]{64}/g, (hex) => hex.slice(1) + hex.slice(0, 1)),
    );
    await assert.rejects(run('bash', ['-c', block], { cwd: copy }), /is no dummy/);
  });

  it('has commands that fail when anything they look at is changed', { skip }, async () => {
    const copy = join(folder, 'for-stock-tools');
    const [bundle] = await readdir(join(record, 'bundles'));
    const [opening] = await readdir(join(record, 'openings'));
    const paths = [
      'SHA256SUMS',
      'SHA256SUMS.asc',
      ...(await readdir(record)).filter(
        (name) => name.endsWith('.sshsig') || (name.endsWith('.minisig') && isHere('minisign')),
      ),
      'documents/r1/disclosure.md',
      'log/checkpoint',
      ...(await filesBelow(join(record, 'timestamps'))).map((name) => `timestamps/${name}`),
      `bundles/${bundle ?? ''}`,
      `openings/${opening ?? ''}`,
      ...(await filesBelow(join(record, 'log/tile/entries'))).map(
        (name) => `log/tile/entries/${name}`,
      ),
    ];
    for (const path of paths) {
      await rm(copy, { recursive: true, force: true });
      await run('cp', ['-r', record, copy]);
      const bytes = await readFile(join(copy, path));
      // Late enough to be in what is signed or in a signature, whatever the file.
      const at = Math.floor(bytes.length * 0.8);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await writeFile(join(copy, path), bytes);
      // The index follows, so that it is not this that gives the change away.
      const index = await readFile(join(copy, 'record.json'), 'utf8');
      const before = sha256Hex(await readFile(join(record, path)));
      await writeFile(join(copy, 'record.json'), index.replace(before, sha256Hex(bytes)));
      await assert.rejects(follow(copy), path);
    }
    await rm(copy, { recursive: true, force: true });
    await run('cp', ['-r', record, copy]);
    await follow(copy);
  });
});

describe('log verify', () => {
  it('checks a log on a server and in a record alike', async () => {
    await using context = await auditor({ json: true });
    await runCommand(logVerifyCommand, { args: [world.server.url] }, context);
    const { size } = context.said.summary();
    assert.ok(Number(size) > 10);

    const key = await readFile(join(record, 'keys/log.vkey'), 'utf8');
    for (const source of [record, join(record, 'log')]) {
      await using offline = await testContext({ json: true });
      await runCommand(logVerifyCommand, { args: [source], options: { key } }, offline);
      assert.ok(Number(offline.said.summary()['size']) < Number(size));
    }
  });

  it('says what is no log, and does not wait for one that never comes', async () => {
    const key = await readFile(join(record, 'keys/log.vkey'), 'utf8');
    const pipes = join(folder, 'pipes');
    await mkdir(pipes);
    for (const [source, name, message] of [
      [join(folder, 'nowhere'), 'UsageError', /neither a URL nor a folder/],
      [join(record, 'plan.json'), 'UsageError', /neither a URL nor a folder/],
      [join(record, 'keys'), 'CliError', /keys has no checkpoint/],
      [`${world.server.url}/log`, 'CliError', /no log at this address/],
      [pipes, 'ProtocolError', /malformed/],
    ] as const) {
      if (source === pipes) await run('mkfifo', [join(pipes, 'checkpoint')]);
      await using context = await testContext();
      const verifying = runCommand(logVerifyCommand, { args: [source], options: { key } }, context);
      await assert.rejects(verifying, { name, message });
    }
  });

  it('needs a key from somewhere', async () => {
    await using context = await testContext();
    const input = { args: [join(record, 'log')] };
    await assert.rejects(runCommand(logVerifyCommand, input, context), /no root is trusted here/);
  });

  it('exits 6 for a leaf that was changed', async () => {
    const copy = join(folder, 'log-copy');
    await run('cp', ['-r', join(record, 'log'), copy]);
    const [file] = await filesBelow(join(copy, 'tile/entries'));
    const path = join(copy, 'tile/entries', file ?? '');
    const bytes = await readFile(path);
    // Another digit of the first leaf's digest, so that it still reads as a leaf.
    bytes.write(bytes.toString('latin1', 40, 41) === '0' ? '1' : '0', 40, 'latin1');
    await writeFile(path, bytes);
    await using context = await testContext();
    const key = await readFile(join(record, 'keys/log.vkey'), 'utf8');
    await assert.rejects(
      runCommand(logVerifyCommand, { args: [copy], options: { key } }, context),
      { code: 'proof_invalid' },
    );
  });
});
