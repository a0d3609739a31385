import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const isHere = (tool: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, tool)));

/** Why the commands of a record's README.md cannot be followed on this machine; `false` if they can. */
export function skipReadme(): string | false {
  const tools = ['age', 'gpg', 'ssh-keygen', 'openssl', 'jq', 'python3'];
  const missing = tools.filter((tool) => !isHere(tool));
  return missing.length > 0 && `SKIPPED: no ${missing.join(', ')} on this machine`;
}

/**
 * Run all commands of the page, in one shell, as it asks for.
 *
 * @param ca - Path of the root certificate of a timestamping authority.
 * @returns What they said; rejects when one fails.
 */
export async function followReadme(directory: string, ca?: string): Promise<string> {
  const page = await readFile(join(directory, 'README.md'), 'utf8');
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
  assert.ok(blocks.length >= 10);
  // Few machines have minisign; test/interop says so where it is missing.
  const possible = blocks.filter((block) => isHere('minisign') || !block.includes('minisign '));
  assert.ok(possible.length >= blocks.length - 1);
  const script = `set -euo pipefail\n${possible.join('\n')}`;
  const { stdout } = await run('bash', ['-c', script], {
    cwd: directory,
    env: { ...process.env, ca },
  });
  return stdout;
}
