import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readPatchText } from '../../../../cli/officer/lint/patch-text.ts';
import type { Fix } from '../../../../cli/officer/lint/public-traces.ts';
import { lintPublic } from '../../../../cli/officer/lint/public.ts';
import { git } from '../support/campaign.ts';
import { startGitHost } from '../support/git-http.ts';

const TITLE = 'Reject forged discharges in the meter';
const BASE = `pub fn balance(a: u64, b: u64) -> u64 {\n${'    noop();\n'.repeat(12)}    a + b\n}\n`;
const FIXED = BASE.replace(
  '    a + b\n',
  '    let total = a.checked_add(b).ok_or(Forged)?;\n    meter.discharge(total);\n    total\n',
);

let folder: string;
let fix: Fix;
let base: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-public-test-'));
  const origin = join(folder, 'origin');
  await mkdir(join(origin, 'src'), { recursive: true });
  await git(origin, 'init', '--quiet', '--initial-branch=main');
  for (const version of ['One', 'Two', 'Three']) {
    await writeFile(join(origin, 'src', 'meter.rs'), BASE);
    await writeFile(join(origin, 'VERSION'), `${version}\n`);
    await commit(origin, `Release ${version}`);
  }
  base = (await git(origin, 'rev-parse', 'HEAD')).trim();
  await git(origin, 'checkout', '--quiet', '-b', 'private');
  await writeFile(join(origin, 'src', 'meter.rs'), FIXED);
  await commit(origin, TITLE);
  const tree = (await git(origin, 'rev-parse', 'HEAD^{tree}')).trim();
  const bytes = Buffer.from(await git(origin, 'format-patch', '-1', '--stdout', '--full-index'));
  const patch = { name: '0001.patch', bytes: new Uint8Array(bytes) };
  await git(origin, 'checkout', '--quiet', 'main');
  await git(origin, 'branch', '--quiet', '-D', 'private');
  fix = {
    trees: new Set([tree]),
    patches: [patch],
    texts: [readPatchText(patch.bytes)],
    titles: [TITLE, 'Forged discharges mint tokens'],
  };
});
after(() => rm(folder, { recursive: true, force: true }));

async function commit(path: string, title: string): Promise<void> {
  await git(path, 'add', '--all');
  await git(path, 'commit', '--quiet', '--message', title);
}

/** A clone of the sources before the fix, with something done to it. */
async function publish(change: (path: string) => Promise<void>): Promise<string> {
  const path = await mkdtemp(join(folder, 'public-'));
  await cp(join(folder, 'origin'), path, { recursive: true });
  await change(path);
  return path;
}

const context = { env: process.env, signal: new AbortController().signal };

async function traces(source: string, depth = 200): Promise<readonly string[]> {
  const findings = await lintPublic(source, depth, fix, context);
  for (const { severity, where, advice } of findings) {
    assert.equal(severity, 'warning');
    assert.equal(where, `--public-repo ${source}`);
    assert.ok(advice.length > 5);
  }
  return findings.map(({ message }) => message.replace(/[0-9a-f]{12}/, 'X'));
}

const edit = (path: string, name: string, text: string): Promise<void> =>
  writeFile(join(path, ...name.split('/')), text);

describe('lint with a public repository', () => {
  it('finds nothing where nothing has leaked, also at the edge of what is fetched', async () => {
    const path = await publish(async (it) => {
      await edit(it, 'src/meter.rs', BASE.replace('a + b', 'b + a'));
      await commit(it, 'Update');
      await git(it, 'checkout', '--quiet', '-b', 'meter-of-discharges');
      await edit(it, 'src/other.rs', 'fn total() { discharge(); }\n');
      await commit(it, 'Reject discharges in another way');
    });
    assert.deepEqual(await traces(path), []);
    assert.deepEqual(await traces(path, 2), []);
  });

  it('finds the title: of a commit, a backport, a squash, a merge, and a branch', async () => {
    const messages = [
      TITLE,
      `v1.18: ${TITLE.toLowerCase()}  (backport of #123) (#124)`,
      `Many things\n\n* Tidy up\n* ${TITLE}\n`,
      'Merge pull request #9 from x/y\n\nForged Discharges: mint tokens!',
    ];
    const path = await publish(async (it) => {
      for (const message of messages) {
        await git(it, 'commit', '--quiet', '--allow-empty', '--message', message);
      }
      await git(it, 'branch', 'dev/reject-forged_discharges-in-the-meter');
    });
    assert.deepEqual(await traces(path), [
      'refs/heads/dev/reject-forged_discharges-in-the-meter has the title of the fix for a name',
      ...messages.map(() => 'commit X has the title of the fix'),
    ]);
  });

  it('finds the same change under another title, on other sources', async () => {
    const path = await publish(async (it) => {
      await edit(it, 'VERSION', 'Four\n');
      await edit(it, 'src/meter.rs', `// moved\n${BASE}`);
      await commit(it, 'Four');
      await edit(it, 'src/meter.rs', `// moved\n${FIXED}`);
      await commit(it, 'Small things');
    });
    assert.deepEqual(await traces(path), ['commit X has the same change']);
  });

  it('finds lines of the fix in another folder, among other changes', async () => {
    const path = await publish(async (it) => {
      await mkdir(join(it, 'crates'), { recursive: true });
      const lines = FIXED.split('\n').filter((line) => /total/.test(line));
      await edit(
        it,
        'crates/meter.rs',
        `fn x() {\n${lines.map((line) => `\t${line}`).join('\n')}\n}\n`,
      );
      await commit(it, 'Small things');
    });
    assert.deepEqual(await traces(path), [
      'commit X has half or more of the lines that a patch adds',
    ]);
  });

  it('finds the patched sources themselves, however they came there', async () => {
    const path = await publish(async (it) => {
      await edit(it, 'src/meter.rs', FIXED);
      await git(it, 'checkout', '--quiet', '--orphan', 'dump');
      await commit(it, 'Import');
      await git(it, 'tag', 'v1');
      await git(it, 'checkout', '--quiet', 'main');
      await git(it, 'branch', '--quiet', '-D', 'dump');
    });
    assert.deepEqual(await traces(path), [
      'commit X has exactly the patched sources',
      'blob X has a file as the patch leaves it',
    ]);
  });

  it('finds what only a proposed change shows, and nothing that no ref shows', async () => {
    const path = await publish(async (it) => {
      await edit(it, 'src/meter.rs', FIXED);
      await commit(it, TITLE);
      await git(it, 'update-ref', 'refs/pull/7/head', 'HEAD');
      await git(it, 'reset', '--quiet', '--hard', base);
    });
    assert.match((await traces(path)).join(), /patched sources.*same change/);
    await git(path, 'update-ref', '-d', 'refs/pull/7/head');
    assert.deepEqual(await traces(path), []);
  });

  it('asks a host for everything, and never names what it looks for', async () => {
    const path = await publish(async (it) => {
      await edit(it, 'src/meter.rs', FIXED);
      await commit(it, TITLE);
    });
    await using host = await startGitHost(folder);
    const url = `${host.url}/${path.split('/').at(-1) ?? ''}/.git`;
    assert.match((await traces(url)).join(), /patched sources.*same change/);
    assert.ok(host.heard.length >= 2);
    const heard = host.heard.join('\n').toLowerCase();
    assert.match(heard, /command=fetch/);
    const secrets = [
      TITLE,
      ...fix.titles,
      'meter',
      'discharge',
      ...fix.texts.flatMap(({ blobs }) => blobs),
      ...fix.trees,
      'checked_add',
    ];
    for (const secret of secrets) assert.ok(!heard.includes(secret.toLowerCase()), secret);
    assert.ok(!heard.includes('authorization') && !heard.includes('cookie'));
    // Negative control: what is asked for would be seen.
    assert.ok(heard.includes((await git(path, 'rev-parse', 'HEAD')).trim()));
  });

  it('says that it could not look, and why', async () => {
    for (const source of [join(folder, 'nowhere'), 'http://127.0.0.1:1/x.git']) {
      const [message = '', ...others] = await traces(source);
      assert.match(message, /^could not be looked at: it cannot be read \(.+\)$/);
      assert.deepEqual(others, []);
    }
    const empty = await mkdtemp(join(folder, 'empty-'));
    await git(empty, 'init', '--quiet', '--bare');
    assert.match((await traces(empty)).join(), /no branch and no tag/);
  });

  it('runs nothing that an address or a repository would have it run', async () => {
    const marker = join(folder, 'marker');
    for (const source of [`ext::sh -c touch% ${marker}`, `--upload-pack=touch ${marker}`]) {
      assert.match((await traces(source)).join(), /could not be looked at/);
    }
    for (const source of ['ssh://host/x', 'git://host/x', 'http://host.example/x', 'ext://x']) {
      await assert.rejects(lintPublic(source, 2, fix, context), { name: 'UsageError' });
    }
    const path = await publish(async (it) => {
      const run = `touch ${marker}; false`;
      for (const [name, value] of [
        ['core.fsmonitor', run],
        ['core.sshCommand', run],
        ['core.pager', run],
        ['diff.external', run],
        ['uploadpack.packObjectsHook', run],
        ['credential.helper', `!${run}`],
        ['core.alternateRefsCommand', run],
      ] as const) {
        await git(it, 'config', name, value);
      }
      await edit(it, '.gitattributes', '*.rs diff=rust\n');
      await commit(it, 'Attributes');
      await git(it, 'config', 'diff.rust.textconv', run);
      await edit(it, 'src/meter.rs', FIXED);
      await commit(it, TITLE);
      await rm(marker, { force: true }); // our own git ran some of it just now
    });
    assert.match((await traces(path)).join(), /title of the fix.*same change/);
    await assert.rejects(stat(marker), { code: 'ENOENT' });
  });

  it('stops when it is interrupted, and leaves nothing behind', async () => {
    const own = await mkdtemp(join(folder, 'tmp-'));
    const { TMPDIR } = process.env;
    process.env['TMPDIR'] = own;
    const stopping = { ...context, signal: AbortSignal.abort() };
    await assert.rejects(lintPublic(join(folder, 'origin'), 2, fix, stopping), {
      name: 'InterruptedError',
    });
    await traces(join(folder, 'origin'));
    process.env['TMPDIR'] = TMPDIR ?? '/tmp';
    assert.deepEqual(await readdir(own), []);
  });
});
