import { Router } from 'express';

import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { dummyKeysBelow, formatDummyKeys } from '../../protocol/log/dummy.ts';
import type { DummyStore } from '../services/disclosure/accounting.ts';
import { sendBytes, TEXT } from './answer.ts';

/** What opens the dummies that the log says are dummies, and none of those that may still hide something. */
export function dummyRoutes(deps: {
  readonly dummies: DummyStore;
  /** The log's one secret for all dummies. */
  readonly seed: Uint8Array;
}): Router {
  const router = Router({ caseSensitive: true, strict: true });

  // Derived once a disclosure: anybody may ask, as often as he likes.
  let answer: { below: number; bytes: Uint8Array } = { below: 0, bytes: new Uint8Array() };

  router.get('/v1/dummies', async (_req, res) => {
    const below = await deps.dummies.openedBelow();
    if (below !== answer.below) {
      const text = formatDummyKeys(dummyKeysBelow(deps.seed, below));
      answer = { below, bytes: utf8Encode(text) };
    }
    sendBytes(res, answer.bytes, TEXT);
  });

  return router;
}
