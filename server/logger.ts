import { pino } from 'pino';
import type { Logger as Pino } from 'pino';

import { formatInstant } from '../protocol/encoding/time.ts';
import type { Config } from './config.ts';

/**
 * JSON lines on standard output. Redaction is the second line of defence: nobody logs these.
 *
 * @param now - Unix ms. The server's own clock, so that the times of lines do not go back either.
 */
export function createLogger(level: Config['logLevel'], now: () => number): Pino {
  return pino({
    level,
    base: null,
    timestamp: () => `,"time":"${formatInstant(now())}"`,
    redact: {
      paths: ['authorization', 'dpop', '*.authorization', '*.dpop', '*.headers', 'headers', 'body'],
      censor: '(redacted)',
    },
  });
}
