import { z } from 'zod';
import { CAMPAIGN_STATUSES } from '../campaign/transitions.ts';
import { base64, instant, personId } from '../encoding/shape.ts';
import { envelopeJson, receiptResponse } from './exchange.ts';

export const directiveRequest = z.strictObject({
  envelope: envelopeJson,
  /** TUF targets metadata with this officer's signature; required with `arm` and `supersede`. */
  targets: base64.optional(),
  /** This officer's signatures over the plaintext, an age file to the release recipient; required with `commit` and `supersede`. */
  attachment: base64.optional(),
});
export const directiveResponse = z.strictObject({
  /** True when this signature made the move happen. */
  completed: z.boolean(),
  /** Distinct officers who have signed so far, and how many it takes. */
  signed: z.array(personId),
  threshold: z.int().positive(),
  status: z.enum(CAMPAIGN_STATUSES),
  /** For the directive with all its signatures; null until it is completed. */
  receipt: receiptResponse.nullable(),
});
export const directivesResponse = z.strictObject({
  completed: z.array(z.strictObject({ envelope: envelopeJson, completedAt: instant })),
  pending: z
    .strictObject({
      envelope: envelopeJson,
      targets: base64.nullable(),
    })
    .nullable(),
  /** Officers only, else empty: what accompanied the latest directive of each officer. */
  attachments: z.array(z.strictObject({ officer: personId, sealed: base64 })),
});
