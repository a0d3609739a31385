import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../cli/drill/free-port.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 300_000;

/** What a reader copies: every ```sh block, in order. Those marked ```console are for the eye. */
function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}

/** A clone, as far as the walk can tell: it writes to `.data/`, and only there. */
async function linkClone(directory: string): Promise<void> {
  for (const name of await readdir(ROOT)) {
    if (name.startsWith('.')) continue;
    await symlink(join(ROOT, name), join(directory, name));
  }
}

interface Walked {
  readonly code: number | null;
  readonly output: string;
}

/** Run the blocks in one bash that stops at the first failure, and end all it started. */
async function walk(script: string, directory: string): Promise<Walked> {
  const { PATH = '' } = process.env;
  const bash = spawn('bash', ['-c', `set -euo pipefail\n${script}`], {
    cwd: directory,
    detached: true, // a process group of its own, so that exactly what it started can be ended
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME: directory,
      TMPDIR: directory,
      LC_ALL: 'C.UTF-8',
      // Sixty commands compile the same files: this halves what they cost.
      NODE_COMPILE_CACHE: join(directory, 'compiled'),
      SEALDROP_PORT: String(await freePort()),
      SMTP_PORT: String(await freePort()),
    },
  });
  let output = '';
  for (const stream of [bash.stdout, bash.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const endGroup = (): void => {
    try {
      if (bash.pid !== undefined) process.kill(-bash.pid, 'SIGKILL');
    } catch {
      // nobody is left
    }
  };
  const timer = setTimeout(endGroup, TIMEOUT_MS);
  try {
    const [code] = (await once(bash, 'exit')) as [number | null];
    return { code, output };
  } finally {
    clearTimeout(timer);
    endGroup();
  }
}

describe('README', () => {
  it('can be walked word for word', { timeout: TIMEOUT_MS + 20_000 }, async (t) => {
    const blocks = shellBlocks(await readFile(join(ROOT, 'README.md'), 'utf8'));
    assert.ok(blocks.length > 20);
    const directory = await mkdtemp(join(tmpdir(), 'sealdrop-readme-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await linkClone(directory);
    const { code, output } = await walk(blocks.join('\n'), directory);
    assert.equal(code, 0, output.slice(-4000));
    for (const said of [
      /^exit code 3$/m,
      /^patch for agave verified, approved by ada, bo$/m,
      /^exit code 1$/m,
      /^The record holds: \d+ checks passed\.$/m,
      /^disclosure\.md: OK$/m,
      /^0001-client\.patch: OK$/m,
      /Good signature/,
      /^Signature Verified Successfully$/m,
      /leaves make the signed root/,
    ]) {
      assert.match(output, said);
    }
  });
});
