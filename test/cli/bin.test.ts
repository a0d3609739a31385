import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listen } from './support/static-server.ts';

const BIN = fileURLToPath(new URL('../../bin/sealdrop.mjs', import.meta.url));

/** A Node of this machine that is too old for the sources. */
function findOldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    if (!existsSync(path)) return false;
    const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    const [major = 0, minor = 0] = stdout.split('.').map(Number);
    return major < 24 || (major === 24 && minor < 15);
  });
}

describe('bin/sealdrop.mjs under an older Node', () => {
  const oldNode = findOldNode();
  const skip = oldNode === undefined && 'there is no older Node on this machine';
  const run = (...args: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync(oldNode ?? '', [BIN, ...args], { encoding: 'utf8' });

  it('runs on the pinned one and passes output and exit code on', { skip }, () => {
    const good = run('--version');
    assert.deepEqual([good.status, good.stderr], [0, '']);
    assert.match(good.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(run('trsut').status, 2);
  });

  it('passes on that it should end', { skip }, async () => {
    const asked = Promise.withResolvers<undefined>();
    await using server = await listen(() => {
      asked.resolve(undefined);
    });
    const args = [BIN, 'trust', 'add', server.url, '--root-sha256', 'ab'.repeat(32)];
    const home = '/nonexistent/sealdrop';
    const child = spawn(oldNode ?? '', [...args, '--home', home], { stdio: 'ignore' });
    await asked.promise;
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
  });
});
