import { z } from 'zod';
import { base64, hex64, instant, safeCount } from '../encoding/shape.ts';

/** The next root and the targets its people signed: files as they are, base64. */
export const publishRootRequest = z.strictObject({ root: base64, targets: base64 });
export const publishRootResponse = z.strictObject({
  version: safeCount.min(1),
  sha256: hex64,
  /** False when this very root was in force already. */
  isNew: z.boolean(),
});

/** Every root that was ever in force, version 1 first, and where the log has it. */
export const rootsResponse = z.strictObject({
  roots: z.array(
    z.strictObject({
      version: safeCount.min(1),
      sha256: hex64,
      publishedAt: instant,
      leafIndex: safeCount.nullable(),
    }),
  ),
});
