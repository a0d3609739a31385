import { z } from 'zod';
import { base64 } from '../encoding/shape.ts';

/*
 * The files of this folder hold every JSON body that server and CLI exchange, so that the two cannot
 * drift apart; here is what most routes have in common. A reader trusts none of it: what matters is
 * signed inside the envelopes and checked there. See docs/spec/http.md.
 */

/** A DSSE envelope as transmitted; `parseEnvelope` judges it. */
export const envelopeJson = z.strictObject({
  payloadType: z.string().max(128),
  payload: base64,
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(64), sig: z.string().max(128) }))
    .min(1)
    .max(64),
});

/** What answers whatever was accepted: the log's signed promise and how to open its leaf. */
export const receiptResponse = z.strictObject({
  /** Signed note, see `protocol/log/receipt.ts`. */
  receipt: z.string().max(4096),
  /** Base64 of the exact opening document whose SHA-256 the sealed leaf holds. */
  opening: base64,
});

/** RFC 9457 problem, as every error is answered. */
export const problemJson = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  /** {@link ProtocolErrorCode} when a protocol rule was broken. */
  code: z.string().optional(),
});
