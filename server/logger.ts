import { pino } from 'pino';
import type { Logger as Pino } from 'pino';

import type { Config } from './config.ts';

/** JSON lines on standard output. Redaction is the second line of defence: nobody logs these. */
export function createLogger(level: Config['logLevel']): Pino {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['authorization', 'dpop', '*.authorization', '*.dpop', '*.headers', 'headers', 'body'],
      censor: '(redacted)',
    },
  });
}
