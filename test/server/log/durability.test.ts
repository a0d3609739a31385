import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';

import { temporaryFolder } from '../../support/log.ts';

// What reaches the disk, and in which order, shows only below Node: strace sees it.

const SKIP = canTrace() ? false : 'strace is not there';
const SEQUENCER = new URL('../../../server/services/log/sequencer.ts', import.meta.url).href;
const SUPPORT = new URL('../../support/log.ts', import.meta.url).href;

/** Start a log and bring 257 leaves under a checkpoint, which take five tiles and bundles. */
const SCRIPT = `
  const { openSequencer } = await import('${SEQUENCER}');
  const { openLog } = await import('${SUPPORT}');
  await using log = openLog(process.argv[1]);
  const sequencer = await openSequencer(log.deps);
  await log.enqueue(0, 257);
  await sequencer.sequenceOnce();`;

/** A file of the log that took its place, or a folder that was made. */
interface Placed {
  readonly path: string;
  /** Whether a file was flushed before, and either one's name before the next file took its place. */
  readonly isDurable: boolean;
}

/** What the script above places, in order. */
function trace(folder: string): Placed[] {
  const log = join(folder, 'calls');
  const data = join(folder, 'data');
  mkdirSync(data);
  const { status, stderr } = spawnSync('strace', [
    ...[
      '-f',
      '-y',
      '-o',
      log,
      '-e',
      'trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdir,mkdirat',
    ],
    ...[process.execPath, '--input-type=module', '-e', SCRIPT, data],
  ]);
  assert.equal(status, 0, stderr.toString());
  const lines = readFileSync(log, 'utf8').split('\n');
  const flushes = lines.map((line) => /^\d+ +f(?:data)?sync\(\d+<([^>]+)>/.exec(line)?.[1]);
  const placed = lines.flatMap((line, at) => {
    const [, from, to] = /^\d+ +(?:rename|link)\w*\(.*?"([^"]+)".*"([^"]+)"/.exec(line) ?? [];
    const [, folder] = /^\d+ +mkdir(?:at)?\(.*"([^"]+)".* = 0$/.exec(line) ?? [];
    const path = to ?? folder;
    return path?.startsWith(data) ? [{ from, path, at }] : [];
  });
  return placed.map(({ from, path, at }) => {
    const next = placed.find((it) => it.from !== undefined && it.at > at)?.at;
    const isFlushed = from === undefined || flushes.slice(0, at).includes(from);
    const isNamed = flushes.slice(at, next).includes(dirname(path));
    return { path: relative(data, path), isDurable: isFlushed && isNamed };
  });
}

describe('a checkpoint, below', { skip: SKIP }, () => {
  it('takes its place when tiles, and then the head, have reached the disk', async () => {
    await using folder = await temporaryFolder();
    const placed = trace(folder.path);
    assert.deepEqual(
      placed.map(({ path }) => path),
      [
        'log-head',
        'log-head/head',
        'log',
        'log/checkpoint',
        // The empty log is published; what follows are 257 leaves.
        'log/tile',
        'log/tile/entries',
        'log/tile/entries/000',
        'log/tile/entries/001.p',
        'log/tile/entries/001.p/1',
        'log/tile/0',
        'log/tile/0/000',
        'log/tile/0/001.p',
        'log/tile/0/001.p/1',
        'log/tile/1',
        'log/tile/1/000.p',
        'log/tile/1/000.p/1',
        'log-head/head',
        'log/checkpoint',
      ],
    );
    assert.deepEqual(
      placed.filter(({ isDurable }) => !isDurable),
      [],
      'each is flushed, and its name too, before the next one takes its place',
    );
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
