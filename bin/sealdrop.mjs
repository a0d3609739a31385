#!/usr/bin/env node
// Starts the CLI on a Node that runs it: this one when it is new enough, else the pinned one that
// npm installed beside the dependencies.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
const isNewEnough = major > 24 || (major === 24 && minor >= 15);

if (isNewEnough) {
  // Not the temporary folder, where others could leave code for us; unwritable means no cache.
  process.env.NODE_COMPILE_CACHE ??= here('../node_modules/.cache/sealdrop');
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
  const built = new URL('../dist/cli/main.js', import.meta.url);
  await import(existsSync(built) ? built.href : new URL('../cli/main.ts', import.meta.url).href);
} else {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const pinned = ['../node_modules/.bin/node', '../../.bin/node']
    .map((path) => here(path + suffix))
    .find((path) => existsSync(path));
  if (pinned === undefined || process.env.SEALDROP_REEXECUTED === '1') {
    console.error(`sealdrop: Node 24.15 or newer is needed, this is ${process.versions.node}`);
    console.error('run: npm ci, which installs one beside sealdrop');
    process.exit(1);
  }
  const args = [here('./sealdrop.mjs'), ...process.argv.slice(2)];
  const env = { ...process.env, SEALDROP_REEXECUTED: '1' };
  const child = spawn(pinned, args, { stdio: 'inherit', env });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGINT', () => {
    // A terminal sends Ctrl-C to the child as well, and a second one would end it at once.
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  child.on('error', (error) => {
    console.error(`sealdrop: ${pinned} does not start: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 130));
}
