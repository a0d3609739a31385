import type { Express, Router } from 'express';
import express from 'express';
import helmet from 'helmet';

import { authenticate } from './http/auth.ts';
import { bodyDeadline } from './http/deadline.ts';
import { notFound, problems } from './http/problem.ts';
import type { RateLimit } from './http/rate-limit.ts';
import { requestLog } from './http/request-log.ts';
import type { Logger } from './services/logger.ts';
import type { Sessions } from './services/session/session.ts';

/** From a request's first byte to its last; uploads are excepted. */
const BODY_MS = 30_000;

export interface AppDeps {
  readonly sessions: Sessions;
  /** Without trailing slash. */
  readonly publicUrl: string;
  /** Addresses of proxies, or their networks. */
  readonly trustedProxies: readonly string[];
  readonly addressLimit: RateLimit;
  readonly identityLimit: RateLimit;
  /** Routes that never look at who asks, and then those that may. */
  readonly publicRoutes: readonly Router[];
  readonly routes: readonly Router[];
  readonly logger: Logger;
}

/** Build the app from what it is given; opens nothing itself. */
export function buildApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  // Forwarded headers are believed from these alone.
  app.set('trust proxy', deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies]);

  app.use(requestLog(deps.logger));
  app.use(bodyDeadline(BODY_MS));
  app.use(securityHeaders(deps.publicUrl));
  for (const router of deps.publicRoutes) app.use(router);
  app.use(authenticate(deps));
  for (const router of deps.routes) app.use(router);
  app.use(notFound);
  app.use(problems(deps.logger));
  return app;
}

/** Nothing here is a page: no script, style, frame or form may come from any answer. */
function securityHeaders(publicUrl: string): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'none'"],
        baseUri: ["'none'"],
        sandbox: [],
      },
    },
    strictTransportSecurity: publicUrl.startsWith('https:')
      ? { maxAge: 31_536_000, includeSubDomains: false }
      : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}
