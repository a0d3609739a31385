import { spawn } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { git } from './campaign.ts';
import { listen, type TestServer } from '../../support/static-server.ts';

/** A git host on this machine, as public ones are: smart HTTP, reading only. */
export interface GitHost extends TestServer {
  /** Method, address and whole body of each request, as one text each. */
  readonly heard: readonly string[];
}

/** @param folder - What it serves: every repository in it. */
export async function startGitHost(folder: string): Promise<GitHost> {
  const heard: string[] = [];
  const backend = `${(await git(folder, '--exec-path')).trim()}/git-http-backend`;
  const server = await listen((request, response) => {
    const { method = '', url = '' } = request;
    const { pathname, search } = new URL(url, 'http://host');
    const child = spawn(backend, {
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: method,
        CONTENT_TYPE: request.headers['content-type'],
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const sent: Buffer[] = [];
    request.on('data', (part: Buffer) => sent.push(part));
    request.on('end', () => {
      const body = Buffer.concat(sent);
      const isPacked = request.headers['content-encoding'] === 'gzip';
      const text = (isPacked ? gunzipSync(body) : body).toString('latin1');
      heard.push(`${method} ${url}\n${JSON.stringify(request.headers)}\n${text}`);
      child.stdin.end(body);
    });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('close', () => {
      const answer = Buffer.concat(parts);
      const end = answer.indexOf('\r\n\r\n');
      const lines = answer.subarray(0, end).toString().split('\r\n');
      const headers = lines.map((line) => line.split(': ') as [string, string]);
      const status = Number(headers.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(headers)).end(answer.subarray(end + 4));
    });
  });
  return { ...server, heard, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
