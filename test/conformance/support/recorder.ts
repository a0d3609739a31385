import { urlOf } from '../../cli/operator/support/meddling.ts';
import type { Answer } from './answer.ts';

/** Headers that a simulator may repeat; the others are about one connection. */
const KEPT = ['content-type', 'cache-control', 'etag', 'access-control-allow-origin'];

/** `fetch` that writes down every answer it passes on. */
export function recordingFetch(answers: Map<string, Answer>): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname, search } = new URL(urlOf(input));
    const body = new Uint8Array(await response.arrayBuffer());
    const headers = Object.fromEntries([...response.headers].filter(([it]) => KEPT.includes(it)));
    const { status } = response;
    answers.set(`${init?.method ?? 'GET'} ${pathname}${search}`, { status, headers, body });
    return new Response(status === 204 ? null : body, { status, headers: response.headers });
  };
}
