import type { IncomingMessage, ServerResponse } from 'node:http';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { Answer, Answers } from './answer.ts';
import { pathOf } from './recorder.ts';
import type { Repository } from './repository.ts';
import { letTimePass } from './time.ts';

/** Answers one request by hand. `answer` is what would have been said; absent for a 404. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer | undefined,
) => void | Promise<void>;

/**
 * What one server says during one case: the recorded answers, and what was changed about them.
 *
 * Paths are those of docs/spec/http.md; `{A}`, `{B}` and the other names of
 * {@link Repository.names} stand for what is only known once the campaigns exist.
 */
export interface Site {
  readonly repository: Repository;
  /** The bytes of an answer of success. */
  read(path: string): Uint8Array;
  /** Answer with other bytes; a POST's path begins with `POST `. */
  put(path: string, body: Uint8Array | string): void;
  /** Answer with anything. */
  answer(path: string, answer: Partial<Answer>): void;
  edit(path: string, change: (body: Uint8Array) => Uint8Array | string): void;
  /** Change a JSON answer; the caller knows its shape. */
  editJson(path: string, change: (json: never) => unknown): void;
  /** @param after - Paths to be answered before time passes, when the case is slow: they are not. */
  handle(path: string, handler: Handler, after?: readonly string[]): void;
  remove(path: string): void;
  /** Take over all answers of another time. */
  turnBackTo(answers: Answers): void;
  /** Whether any answer that was changed has been asked for. */
  wasTouched(): boolean;
  respond(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** @param answers - What an honest server says at this time. */
export function openSite(repository: Repository, answers: Answers): Site {
  const said = new Map(answers);
  const handlers = new Map<
    string,
    { readonly handler: Handler; readonly after: readonly string[] }
  >();
  const changed = new Set<string>();
  const asked = new Set<string>();
  const answered = new Set<string>();
  let isTurnedBack = false;

  const keyOf = (path: string): string => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = repository.names.get(name);
      if (value === undefined) throw new Error(`nothing is called {${name}}`);
      return value;
    });
    return /^[A-Z]+ /.test(filled) ? filled : `GET ${filled}`;
  };
  const find = (path: string): Answer => {
    const found = said.get(keyOf(path));
    if (found?.status !== 200) throw new Error(`${keyOf(path)} was not answered in the recording`);
    return found;
  };
  const site: Site = {
    repository,
    read: (path) => find(path).body,
    put(path, body) {
      site.answer(path, { body: typeof body === 'string' ? utf8Encode(body) : body });
    },
    answer(path, { status = 200, headers = {}, body = new Uint8Array() }) {
      said.set(keyOf(path), { status, headers, body });
      changed.add(keyOf(path));
    },
    edit(path, change) {
      site.put(path, change(find(path).body));
    },
    editJson(path, change) {
      const json = JSON.parse(utf8Decode(find(path).body)) as never;
      site.put(path, JSON.stringify(change(json)));
    },
    handle(path, handler, after = []) {
      handlers.set(keyOf(path), { handler, after: after.map(keyOf) });
      changed.add(keyOf(path));
    },
    remove(path) {
      said.delete(keyOf(path));
      changed.add(keyOf(path));
    },
    turnBackTo(earlier) {
      said.clear();
      for (const [key, answer] of earlier) said.set(key, answer);
      isTurnedBack = true;
    },
    wasTouched: () => isTurnedBack || [...changed].some((key) => asked.has(key)),
    async respond(request, response) {
      const key = `${request.method ?? ''} ${pathOf(request.url ?? '/')}`;
      asked.add(key);
      const answer = said.get(key);
      const handled = handlers.get(key);
      if (handled === undefined) {
        response.on('close', () => answered.add(key));
        send(response, answer);
        return;
      }
      const { handler, after } = handled;
      const isOpen = (): boolean => !response.closed && !response.writableEnded;
      const waiting = (): boolean => after.some((other) => !answered.has(other));
      letTimePass(isOpen, after.length > 0 ? waiting : undefined);
      await handler(request, response, answer);
    },
  };
  return site;
}

const NOT_FOUND: Answer = {
  status: 404,
  headers: { 'content-type': 'application/problem+json' },
  body: utf8Encode('{"type":"urn:sealdrop:problem:not_found","title":"no such","status":404}'),
};

/** Answer a request plainly. */
export function send(response: ServerResponse, answer: Answer = NOT_FOUND): void {
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}
