import assert from 'node:assert/strict';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import {
  OutputExistsError,
  withOutputDirectory,
  writeFileDurably,
  writeSecretFile,
} from '../../platform/files.ts';
import { ExposedSecretError, readSecretFileSync } from '../../platform/read-file.ts';

const posixOnly = { skip: process.platform === 'win32' ? 'Windows has no permission bits' : false };
const BYTES = Uint8Array.of(1, 2, 3);

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sealdrop-files-')));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const read = async (path: string) => new Uint8Array(await readFile(path));

describe('writeFileDurably', () => {
  it('writes the bytes and leaves nothing else behind', async () => {
    await writeFileDurably(join(folder, 'a'), BYTES);
    assert.deepEqual(await read(join(folder, 'a')), BYTES);
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('has the mode it was given, less the umask', posixOnly, async () => {
    const before = process.umask(0o022);
    try {
      await writeFileDurably(join(folder, 'a'), BYTES);
      await writeFileDurably(join(folder, 'b'), BYTES, { mode: 0o777 });
    } finally {
      process.umask(before);
    }
    assert.equal(await modeOf(join(folder, 'a')), 0o644);
    assert.equal(await modeOf(join(folder, 'b')), 0o755);
  });

  it('replaces a file whole, by another one', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old and longer');
    const { ino } = await stat(path);
    await writeFileDurably(path, BYTES);
    assert.deepEqual(await read(path), BYTES);
    assert.notEqual((await stat(path)).ino, ino);
  });

  it('keeps an existing file when told not to overwrite', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    await assert.rejects(writeFileDurably(path, BYTES, { overwrite: false }), { code: 'EEXIST' });
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('lets one of many writers win when none may overwrite', async () => {
    const path = join(folder, 'a');
    const writers = Array.from({ length: 8 }, (_, writer) =>
      writeFileDurably(path, Uint8Array.of(writer), { overwrite: false }).then(() => writer),
    );
    const winners = (await Promise.allSettled(writers)).filter(
      (result) => result.status === 'fulfilled',
    );
    assert.equal(winners.length, 1);
    assert.deepEqual(await read(path), Uint8Array.of(winners[0]?.value ?? -1));
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('replaces a link instead of writing through it', posixOnly, async () => {
    await writeFile(join(folder, 'elsewhere'), 'untouched');
    await symlink(join(folder, 'elsewhere'), join(folder, 'a'));
    await writeFileDurably(join(folder, 'a'), BYTES);
    assert.equal(await readFile(join(folder, 'elsewhere'), 'utf8'), 'untouched');
    assert.equal((await lstat(join(folder, 'a'))).isSymbolicLink(), false);
  });

  it('fails and leaves nothing when the target is a folder or has no folder', async () => {
    await mkdir(join(folder, 'a'));
    await assert.rejects(writeFileDurably(join(folder, 'a'), BYTES));
    await assert.rejects(writeFileDurably(join(folder, 'none', 'a'), BYTES), { code: 'ENOENT' });
    assert.deepEqual(await readdir(folder), ['a']);
  });
});

describe('secret files', () => {
  it('are readable by their owner alone, whatever the umask', posixOnly, async () => {
    const before = process.umask(0);
    try {
      await writeSecretFile(join(folder, 'key'), BYTES);
    } finally {
      process.umask(before);
    }
    assert.equal(await modeOf(join(folder, 'key')), 0o600);
    assert.deepEqual(readSecretFileSync(join(folder, 'key')), BYTES);
  });

  it('are not replaced unless that is asked for', async () => {
    const path = join(folder, 'key');
    await writeSecretFile(path, BYTES);
    await assert.rejects(writeSecretFile(path, Uint8Array.of(9)), { code: 'EEXIST' });
    assert.deepEqual(await read(path), BYTES);
    await writeSecretFile(path, Uint8Array.of(9), { overwrite: true });
    assert.deepEqual(await read(path), Uint8Array.of(9));
  });

  it('are refused when open to anybody else, with the way out', posixOnly, async () => {
    const path = join(folder, 'key');
    await writeFile(path, 'hunter2');
    for (const mode of [0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o666, 0o777]) {
      await chmod(path, mode);
      assert.throws(
        () => readSecretFileSync(path),
        (error: Error) => {
          assert.ok(error instanceof ExposedSecretError);
          assert.ok(error.message.includes(`chmod 600 ${path}`));
          assert.equal(error.message.includes('hunter2'), false);
          return true;
        },
      );
    }
    for (const mode of [0o600, 0o400]) {
      await chmod(path, mode);
      assert.equal(Buffer.from(readSecretFileSync(path)).toString(), 'hunter2');
    }
  });

  it('are refused through a link to an exposed file', posixOnly, async () => {
    await writeFile(join(folder, 'key'), 'x', { mode: 0o644 });
    await chmod(join(folder, 'key'), 0o644);
    await symlink(join(folder, 'key'), join(folder, 'link'));
    assert.throws(() => readSecretFileSync(join(folder, 'link')), ExposedSecretError);
  });
});

describe('withOutputDirectory', () => {
  const fill = async (directory: string) => {
    await mkdir(join(directory, 'sub'));
    await writeFile(join(directory, 'sub', 'a'), BYTES);
  };

  it('makes a folder that was absent, and one that was empty', async () => {
    const out = join(folder, 'out');
    for (const prepare of [async () => {}, () => mkdir(out)]) {
      await prepare();
      await withOutputDirectory(out, fill);
      assert.deepEqual(await read(join(out, 'sub', 'a')), BYTES);
      assert.deepEqual(await readdir(folder), ['out']);
      await rm(out, { recursive: true });
    }
  });

  it('lets nobody but the owner in', posixOnly, async () => {
    await withOutputDirectory(join(folder, 'out'), fill);
    assert.equal(await modeOf(join(folder, 'out')), 0o700);
  });

  it('shows nothing under the final name until everything is there', async () => {
    const out = join(folder, 'out');
    await withOutputDirectory(out, async (directory) => {
      await fill(directory);
      await assert.rejects(stat(out), { code: 'ENOENT' });
    });
    assert.deepEqual(await readdir(out), ['sub']);
  });

  it('refuses a folder that holds something, a file, and a link, and does not start', async () => {
    const never = () => assert.fail('filled');
    await mkdir(join(folder, 'full'));
    await writeFile(join(folder, 'full', 'a'), 'old');
    await writeFile(join(folder, 'file'), 'old');
    await mkdir(join(folder, 'empty'));
    await symlink(join(folder, 'empty'), join(folder, 'link'), 'junction');
    for (const name of ['full', 'file', 'link']) {
      await assert.rejects(withOutputDirectory(join(folder, name), never), OutputExistsError);
    }
    assert.equal(await readFile(join(folder, 'full', 'a'), 'utf8'), 'old');
    assert.deepEqual((await readdir(folder)).sort(), ['empty', 'file', 'full', 'link']);
  });

  it('refuses the current folder, even empty', async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const out of ['.', folder, '../' + basename(folder)]) {
        await assert.rejects(
          withOutputDirectory(out, () => assert.fail('filled')),
          OutputExistsError,
        );
      }
    } finally {
      process.chdir(before);
    }
  });

  it('removes everything when filling fails, and passes the error on', async () => {
    const failure = new Error('verification failed');
    for (const prepare of [async () => {}, () => mkdir(join(folder, 'out'))]) {
      await prepare();
      const before = await readdir(folder);
      const filling = withOutputDirectory(join(folder, 'out'), async (directory) => {
        await fill(directory);
        throw failure;
      });
      await assert.rejects(filling, (error) => error === failure);
      assert.deepEqual(await readdir(folder), before);
    }
  });

  it('replaces nothing that appeared while it was filling', async () => {
    for (const existed of [false, true]) {
      const out = join(folder, `out-${String(existed)}`);
      if (existed) await mkdir(out);
      const filling = withOutputDirectory(out, async (directory) => {
        await fill(directory);
        await mkdir(out, { recursive: true });
        await writeFile(join(out, 'theirs'), 'theirs');
      });
      await assert.rejects(filling, OutputExistsError);
      assert.deepEqual(await readdir(out), ['theirs']);
    }
    assert.equal((await readdir(folder)).length, 2);
  });

  it('lets one of many win', async () => {
    const out = join(folder, 'out');
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => withOutputDirectory(out, fill)),
    );
    const losers = results.filter((result) => result.status === 'rejected');
    assert.equal(losers.length, 5);
    for (const { reason } of losers) assert.ok(reason instanceof OutputExistsError, String(reason));
    assert.deepEqual(await readdir(folder), ['out']);
  });
});
