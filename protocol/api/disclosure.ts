import { z } from 'zod';
import { base64, hex64, instant, safeCount } from '../encoding/shape.ts';

// What was committed to, and what opens it.

export const commitmentView = z.strictObject({
  sha256: hex64,
  committedAt: instant,
  /** Index of its `open/v1 commitment` leaf; null until the log's next checkpoint covers it. */
  leafIndex: safeCount.nullable(),
});
export const commitmentsResponse = z.strictObject({ commitments: z.array(commitmentView) });

export const closingKeyResponse = z.strictObject({ key: z.string().max(128) });
export const openingsResponse = z.strictObject({
  openings: z.array(z.strictObject({ index: safeCount, opening: base64 })),
});
