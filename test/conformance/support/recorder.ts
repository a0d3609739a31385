import { urlOf } from '../../cli/operator/support/meddling.ts';
import type { Answer } from './answer.ts';

/** Headers that a simulator may repeat; the others are about one connection. */
const KEPT = ['content-type', 'cache-control', 'etag', 'access-control-allow-origin'];

/** `fetch` that writes down every answer it passes on. */
export function recordingFetch(answers: Map<string, Answer>): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const path = pathOf(urlOf(input));
    const body = new Uint8Array(await response.arrayBuffer());
    const headers = Object.fromEntries([...response.headers].filter(([it]) => KEPT.includes(it)));
    const { status } = response;
    answers.set(`${init?.method ?? 'GET'} ${path}`, { status, headers, body });
    return new Response(status === 204 ? null : body, { status, headers: response.headers });
  };
}

/**
 * Path and query, without the digest of a plan: whoever asks by digest holds the answer against it,
 * and a liar answers what he likes.
 */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url, 'http://localhost');
  return `${pathname}${search.replace(/^\?plan=[0-9a-f]{64}$/, '')}`;
}
