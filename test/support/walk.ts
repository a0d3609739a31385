import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../cli/drill/free-port.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const WALK_TIMEOUT_MS = 600_000;

/** What a reader copies into a shell, and the heading that it stands under. */
interface ShellBlock {
  readonly heading: string;
  readonly text: string;
}

/** Every ```sh block of a page, in order. Those marked ```console are for the eye. */
export async function shellBlocks(page: string): Promise<readonly ShellBlock[]> {
  const markdown = await readFile(join(ROOT, page), 'utf8');
  let heading = '';
  return [...markdown.matchAll(/^#+ (.*)$|^```sh\n([^]*?)^```$/gm)].flatMap(([, title, text]) => {
    heading = title ?? heading;
    return text === undefined ? [] : [{ heading, text }];
  });
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
export async function walk(t: TestContext, blocks: readonly ShellBlock[]): Promise<Walked> {
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-walk-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await linkClone(directory);
  const script = blocks.map(({ text }) => text).join('\n');
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
      // A hundred commands compile the same files: this halves what they cost.
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
  const timer = setTimeout(endGroup, WALK_TIMEOUT_MS);
  try {
    const [code] = (await once(bash, 'exit')) as [number | null];
    return { code, output };
  } finally {
    clearTimeout(timer);
    endGroup();
  }
}
