import { Router } from 'express';

import { sendBytes, TEXT } from './answer.ts';

/** For supervisors and load balancers; tells nothing about what goes on. */
export function healthRoutes({ isReady }: { readonly isReady: () => boolean }): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const answer = new TextEncoder().encode('ok\n');

  router.get('/healthz', (_req, res) => {
    sendBytes(res, answer, TEXT);
  });

  router.get('/readyz', (_req, res) => {
    const ready = isReady();
    res.status(ready ? 200 : 503);
    sendBytes(res, ready ? answer : new TextEncoder().encode('draining\n'), TEXT);
  });

  return router;
}
