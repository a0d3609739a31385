import { Router } from 'express';

/** A route as Express keeps it. */
interface KnownRoute {
  readonly path: string | RegExp;
  readonly methods: Readonly<Record<string, boolean>>;
}

/**
 * Record every route that any router makes from now on, wherever in the code: all verbs go through
 * this one method.
 */
export function recordRoutes(): { readonly routes: () => string[]; readonly stop: () => void } {
  const { prototype } = Router as unknown as {
    prototype: { route: (path: string | RegExp) => KnownRoute };
  };
  const original = prototype.route;
  const made: KnownRoute[] = [];
  prototype.route = function record(path) {
    const route = original.call(this, path);
    made.push(route);
    return route;
  };
  return {
    routes: () =>
      made.flatMap(({ path, methods }) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${String(path)}`),
      ),
    stop: () => {
      prototype.route = original;
    },
  };
}
