/** What a server might answer instead; `undefined` leaves the answer as it is. */
export type Meddle = (
  path: string,
  body: Uint8Array,
) => Uint8Array | string | undefined | Promise<Uint8Array | string | undefined>;

/** `fetch` through somebody who changes answers of success on their way. */
export function meddlingFetch(meddle: Meddle, from: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const response = await from(input, init);
    if (!response.ok) return response;
    const url = new URL(urlOf(input));
    const body = new Uint8Array(await response.arrayBuffer());
    const changed = (await meddle(url.pathname, body)) ?? body;
    const bytes = typeof changed === 'string' ? new TextEncoder().encode(changed) : changed;
    const headers = new Headers(response.headers);
    headers.delete('content-length');
    headers.delete('content-encoding');
    return new Response(new Uint8Array(bytes), { status: response.status, headers });
  };
}

/** Where a request goes. */
export function urlOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : input.toString();
}

/** Change a JSON answer of one path. The caller knows what the server answers there. */
export function meddleJson(suffix: string, change: (json: never) => unknown): Meddle {
  return (path, body) => {
    if (!path.endsWith(suffix)) return undefined;
    return JSON.stringify(change(JSON.parse(new TextDecoder().decode(body)) as never));
  };
}
