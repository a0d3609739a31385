import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

/** nginx in the foreground, serving a folder. */
export interface Nginx extends AsyncDisposable {
  readonly url: URL;
  readonly pid: number | undefined;
  readonly version: string;
}

const START_MS = 5_000;

/**
 * Serve `folder` below `/log/` with one worker, as its package comes but for the access log.
 *
 * @param scratch - Empty folder for its own files.
 * @returns `undefined` when there is no nginx on this machine.
 */
export async function startNginx(folder: string, scratch: string): Promise<Nginx | undefined> {
  const version = await versionOf();
  if (version === undefined) return undefined;
  const port = await freePort();
  await mkdir(scratch, { recursive: true });
  const config = join(scratch, 'nginx.conf');
  await writeFile(config, configOf(folder, scratch, port));
  const child = spawn('nginx', ['-e', join(scratch, 'error.log'), '-p', scratch, '-c', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const deadline = performance.now() + START_MS;
  while (!(await answers(port))) {
    if (performance.now() > deadline || child.exitCode !== null) {
      await stop();
      throw new Error('nginx does not start');
    }
    await wait(20);
  }
  const url = new URL(`http://127.0.0.1:${port}/`);
  return { url, pid: child.pid, version, [Symbol.asyncDispose]: stop };
}

function configOf(folder: string, scratch: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${join(scratch, name)};`)
    .join('\n');
  // Started by root, it would look at the files as somebody who may not see them.
  const user = process.getuid?.() === 0 ? 'user root root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid ${join(scratch, 'nginx.pid')};
events { worker_connections 1024; }
http {
${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    location /log/ {
      alias ${folder}/;
      add_header Cache-Control "public, max-age=31536000, immutable";
      add_header Access-Control-Allow-Origin "*";
    }
  }
}
`;
}

async function versionOf(): Promise<string | undefined> {
  try {
    const { stderr } = await promisify(execFile)('nginx', ['-v']);
    return stderr.trim().replace('nginx version: ', '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
