import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

// What reaches the disk, and in which order, shows only below Node: strace sees and disturbs it.

const FILES = new URL('../../platform/files.ts', import.meta.url).href;
const CALLS = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,rmdir';
const SKIP = canTrace() ? false : 'strace is not there';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-durable-'));
  mkdirSync(join(folder, 'data'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Run `code` with the functions of files.ts as `f` and the data folder as `d`. */
function trace(code: string, ...inject: string[]): { succeeded: boolean; calls: string[] } {
  const log = join(folder, 'log');
  const script = `const f = await import('${FILES}'); const d = process.argv[1]; ${code}`;
  const data = join(folder, 'data');
  const { status } = spawnSync(
    'strace',
    [
      ...['-f', '-y', '-o', log, '-e', `trace=${CALLS}`],
      ...inject.flatMap((rule) => ['-e', `inject=${rule}`]),
      ...[process.execPath, '--input-type=module', '-e', script, data],
    ],
    // strace counts `when` per thread.
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  );
  const lines = readFileSync(log, 'utf8').split('\n');
  const calls = lines.flatMap((line) => {
    const [, call, rest] = /^\d+ +([a-z]+)[a-z0-9]*\((.*)/.exec(line) ?? [];
    if (call === undefined || !rest?.includes(data)) return [];
    // The last path named: what was flushed, replaced or made.
    const path = [...rest.matchAll(/[<"]([^<">]+)[>"]/g)].at(-1)?.[1] ?? '';
    return [`${call} ${path.slice(folder.length + 1).replace(/\.[^/]+/, 'temporary')}`];
  });
  return { succeeded: status === 0, calls };
}

const write = (options = '{}') =>
  `await f.writeFileDurably(d + '/a', new Uint8Array(100000), ${options});`;
const output = `
  const { mkdir, writeFile } = await import('node:fs/promises');
  await f.withOutputDirectory(d + '/out', async (dir) => {
    await mkdir(dir + '/sub');
    await writeFile(dir + '/sub/b', 'b');
  });`;

describe('writeFileDurably, below', { skip: SKIP }, () => {
  it('flushes the file, then renames it, then flushes the folder', () => {
    const { succeeded, calls } = trace(write());
    assert.equal(succeeded, true);
    assert.deepEqual(calls, ['fsync data/temporary', 'rename data/a', 'fsync data']);
  });

  it('links instead of renaming when it must not overwrite', () => {
    const { calls } = trace(write('{ overwrite: false }'));
    assert.deepEqual(calls, ['fsync data/temporary', 'link data/a', 'fsync data']);
  });

  it('keeps the old file and does not succeed when the file cannot be flushed', () => {
    writeFileSync(join(folder, 'data', 'a'), 'old');
    const { succeeded, calls } = trace(write(), 'fsync:error=EIO:when=1');
    assert.equal(succeeded, false);
    assert.deepEqual(calls, ['fsync data/temporary']);
    assert.deepEqual(readdirSync(join(folder, 'data')), ['a']);
    assert.equal(readFileSync(join(folder, 'data', 'a'), 'utf8'), 'old');
  });

  it('does not succeed when the folder cannot be flushed', () => {
    assert.equal(trace(write(), 'fsync:error=EIO:when=2').succeeded, false);
  });

  it('leaves the old file or the new one, whole, when killed at any step', () => {
    const path = join(folder, 'data', 'a');
    for (const [step, survivor] of [
      ['fsync:signal=SIGKILL:when=1', 'old'],
      ['rename:error=EIO:signal=SIGKILL:when=1', 'old'],
      ['fsync:signal=SIGKILL:when=2', 'new'],
    ] as const) {
      writeFileSync(path, 'old');
      assert.equal(trace(write(), step).succeeded, false);
      const found = readFileSync(path);
      if (survivor === 'old') assert.equal(found.toString(), 'old', step);
      else assert.deepEqual(found, Buffer.alloc(100_000), step);
    }
  });
});

describe('withOutputDirectory, below', { skip: SKIP }, () => {
  it('flushes every file and folder, then renames, then flushes the parent', () => {
    const { succeeded, calls } = trace(output);
    assert.equal(succeeded, true);
    assert.deepEqual(calls, [
      'fsync data/temporary/sub/b',
      'fsync data/temporary/sub',
      'fsync data/temporary',
      'rename data/out',
      'fsync data',
    ]);
  });

  it('leaves no output when anything cannot be flushed', () => {
    for (const nth of [1, 2, 3]) {
      assert.equal(trace(output, `fsync:error=EIO:when=${String(nth)}`).succeeded, false);
      assert.deepEqual(readdirSync(join(folder, 'data')), []);
    }
  });

  it('shows no output when killed before the rename', () => {
    for (const nth of [1, 2, 3]) {
      assert.equal(trace(output, `fsync:signal=SIGKILL:when=${String(nth)}`).succeeded, false);
      assert.equal(readdirSync(join(folder, 'data')).includes('out'), false);
    }
  });
});

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true']);
    return true;
  } catch {
    return false;
  }
}
