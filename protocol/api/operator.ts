import { z } from 'zod';
import { armored, safeCount } from '../encoding/shape.ts';
import { campaignView } from './campaign.ts';
import { envelopeJson } from './exchange.ts';
import { messageKind } from './message.ts';

/** One plain address; the strict grammar is the server's (`server/services/contact/address.ts`). */
const email = z.string().min(3).max(254);

export const enrolmentRequest = z.strictObject({
  envelope: envelopeJson,
  contact: z.strictObject({ email, openpgp: armored }),
});
export const enrolmentsResponse = z.strictObject({
  enrolments: z.array(z.strictObject({ envelope: envelopeJson, email, openpgp: armored })),
});

export const inboxResponse = z.strictObject({
  campaigns: z.array(
    z.strictObject({
      campaign: campaignView,
      messages: z.array(z.strictObject({ kind: messageKind, directive: safeCount, armored })),
      /** Kinds of the caller's own accepted statements, oldest first, with the highest counter. */
      statements: z.array(z.string().max(16)),
      counter: safeCount,
    }),
  ),
});
