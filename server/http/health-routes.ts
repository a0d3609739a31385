import { Router } from 'express';

import { sendBytes, TEXT } from './answer.ts';

/**
 * For supervisors and load balancers; tells nothing about what goes on.
 *
 * @param alarms - About the log, one line each: read by people, and no reason to be taken out of
 *   service, because everything but the log goes on.
 */
export function healthRoutes({
  isReady,
  alarms,
}: {
  readonly isReady: () => boolean;
  readonly alarms: () => Promise<readonly string[]>;
}): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const answer = new TextEncoder().encode('ok\n');

  router.get('/healthz', (_req, res) => {
    sendBytes(res, answer, TEXT);
  });

  router.get('/readyz', async (_req, res) => {
    const ready = isReady();
    const lines = [ready ? 'ok' : 'draining', ...(await alarms()).map((it) => `alarm: ${it}`)];
    res.status(ready ? 200 : 503);
    sendBytes(res, new TextEncoder().encode(`${lines.join('\n')}\n`), TEXT);
  });

  return router;
}
