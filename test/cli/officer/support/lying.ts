/** A server whose answers of success, where the path matches, are changed on the way to us. */
export function lying(path: RegExp, change: (body: string) => string): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(input instanceof Request ? input.url : input.toString());
    if (!path.test(pathname) || !response.ok) return response;
    return new Response(change(await response.text()), response);
  };
}

/** A network that fails once, at the first request whose method and path match. */
export function failingOnce(request: RegExp): typeof fetch {
  let failed = false;
  return (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input.toString());
    if (!failed && request.test(`${init?.method ?? 'GET'} ${pathname}`)) {
      failed = true;
      return Promise.reject(new TypeError('fetch failed'));
    }
    return fetch(input, init);
  };
}
