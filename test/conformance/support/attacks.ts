import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { CaseOptions, HostileCase } from './cases.ts';
import type { Flow } from './flows.ts';
import type { Repository } from './repository.ts';
import type { Handler, Site } from './site.ts';

// The vocabulary of the tables: what can be done to an answer, in one line each.

export type Attack = HostileCase['attack'];

/** One row of a table. */
export function hostile(
  flow: Flow,
  name: string,
  attack: Attack,
  exit: HostileCase['exit'],
  says: RegExp,
  options: CaseOptions & Pick<HostileCase, 'leavesEvidence' | 'spendsCounter'> = {},
): HostileCase {
  return { flow, name, attack, exit, says, ...options };
}

/** No answer is changed: the attack is in the home, or in the time that has passed. */
export const nothing: Attack = () => undefined;

export const serve =
  (path: string, body: string | Uint8Array): Attack =>
  (site) => {
    site.put(path, body);
  };

export const edit =
  (path: string, change: (body: Uint8Array, site: Site) => Uint8Array | string): Attack =>
  (site) => {
    site.edit(path, (body) => change(body, site));
  };

export const editJson =
  (path: string, change: (json: never, site: Site) => unknown): Attack =>
  (site) => {
    site.editJson(path, (json) => change(json, site));
  };

/** Answer `path` with what is said to another path. */
export const swap =
  (path: string, other: string): Attack =>
  (site) => {
    site.put(path, site.read(other));
  };

/** Answer with what was said at the first of the two times. */
export const fromThen =
  (...paths: readonly string[]): Attack =>
  (site) => {
    const { repository } = site;
    for (const path of paths) {
      const name = path.replaceAll(/\{(\w+)\}/g, (_, it: string) => repository.names.get(it) ?? '');
      const answer = repository.then.get(`GET ${name}`);
      if (answer === undefined) throw new Error(`${name} was not answered then`);
      site.put(path, answer.body);
    }
  };

export const by =
  (path: string, handler: Handler): Attack =>
  (site) => {
    site.handle(path, handler);
  };

export const status =
  (path: string, code: number, headers: Readonly<Record<string, string>> = {}): Attack =>
  (site) => {
    site.answer(path, { status: code, headers });
  };

export const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));

const CHUNK = utf8Encode('[ '.repeat(32 * 1024));

/** Bytes without end, as fast as they are taken. */
export const endless: Handler = (_, response) => {
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK));
  };
  response.on('drain', more).writeHead(200, { 'content-type': 'application/json' });
  more();
};

/** Takes the request and says nothing. */
export const silent: Handler = () => undefined;

/** Begins to answer and stops half-way, connection open. */
export const stalled: Handler = (_, response, answer) => {
  const body = answer?.body ?? new Uint8Array();
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, body.length >> 1));
};

/** One byte every ten seconds: never still, never done. */
export const dripping: Handler = (_, response, answer) => {
  const body = answer?.body ?? new Uint8Array();
  response.writeHead(200, { 'content-length': body.length });
  let at = 0;
  const next = (): void => {
    if (response.destroyed) return;
    response.write(body.subarray(at, at + 1));
    at += 1;
    if (at < body.length) setTimeout(next, 10_000);
    else response.end();
  };
  next();
};

/** Half of the answer, then the connection is reset. */
export const reset: Handler = (request, response, answer) => {
  const body = answer?.body ?? new Uint8Array();
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, body.length >> 1), () => request.socket.resetAndDestroy());
};

/** Bytes on the wire as they are given, past node's own HTTP. */
export const raw =
  (head: string, body: (answer: Uint8Array) => Uint8Array = (it) => it): Handler =>
  (request, _, answer) => {
    const { socket } = request;
    socket.write(`${head.replaceAll('\n', '\r\n')}\r\n\r\n`);
    socket.end(body(answer?.body ?? new Uint8Array()));
  };

/** Take the ciphertext away, so that it is fetched anew. */
export async function dropBundle(home: string, { campaigns: { A } }: Repository): Promise<void> {
  await rm(join(home, 'campaigns', A.sealed.id, `${A.sealed.bundle.sha256}.age`));
}

/** Take the plan away, as it was before the first `prefetch`, so that it is asked for. */
export async function dropPlan(home: string, { campaigns: { A } }: Repository): Promise<void> {
  await rm(join(home, 'campaigns', A.sealed.id, 'plan.txt'));
}

/** Exchange files of campaign A in the home for those of B. */
export const exchanged =
  (...names: readonly string[]) =>
  async (home: string, { campaigns: { A, B } }: Repository): Promise<void> => {
    const at = (id: string, name: string): string => join(home, 'campaigns', id, name);
    for (const name of names) {
      const isBundle = name === 'bundle';
      const theirs = isBundle ? `${B.sealed.bundle.sha256}.age` : name;
      const ours = isBundle ? `${A.sealed.bundle.sha256}.age` : name;
      await writeFile(at(A.sealed.id, ours), await readFile(at(B.sealed.id, theirs)));
    }
  };
