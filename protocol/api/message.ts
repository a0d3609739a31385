import { z } from 'zod';
import { armored, instant, safeCount, stakeText } from '../encoding/shape.ts';
import { publicKeyHex } from '../signature/key-shape.ts';

/** Notice, any later turn, disclosure. */
export const messageKind = z.enum(['notice', 'turn', 'closing']);

export const messagesRequest = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        operator: publicKeyHex,
        kind: messageKind,
        /** Number of the directive that it tells of; by default the last one. */
        directive: safeCount.optional(),
        armored,
      }),
    )
    .min(1)
    .max(64),
});
export const messagesAccepted = z.strictObject({ queued: safeCount, known: safeCount });
export const deliveryState = z.enum(['queued', 'sent', 'deferred', 'bounced']);
export const messagesResponse = z.strictObject({
  messages: z.array(
    z.strictObject({
      operator: publicKeyHex,
      kind: messageKind,
      directive: safeCount,
      state: deliveryState,
      attempts: safeCount,
      updatedAt: instant,
    }),
  ),
});

/** What an officer sees of every operator: who has to be called next. */
export const contactsResponse = z.strictObject({
  contacts: z.array(
    z.strictObject({
      operator: publicKeyHex,
      validators: z.array(z.string().max(44)),
      stake: stakeText,
      delivery: deliveryState.nullable(),
      state: z.enum([
        'unreached',
        'sent',
        'acknowledged',
        'declined',
        'ready',
        'attested',
        'reverted',
      ]),
    }),
  ),
});
