import { listen } from '../../cli/support/static-server.ts';
import type { Site } from './site.ts';

/** An HTTP server that says what the case at hand wants it to say. */
export interface Simulator extends AsyncDisposable {
  readonly url: string;
  /** Speak for this site from now on. */
  serve(site: Site): void;
}

export async function startSimulator(): Promise<Simulator> {
  let current: Site | undefined;
  const server = await listen((request, response) => {
    // No connection outlives a request, so that no case meets what another one left behind.
    response.setHeader('connection', 'close');
    response.on('error', () => undefined);
    request.resume();
    request.on('end', () => {
      if (current === undefined) throw new Error('asked before there was anything to say');
      current.respond(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  });
  return {
    url: server.url,
    serve(site) {
      current = site;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
