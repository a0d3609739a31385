import { z } from 'zod';
import { instant, safeCount } from '../encoding/shape.ts';
import { envelopeJson } from './exchange.ts';

// What somebody signed, as it is handed in and handed out again.

export const statementRequest = z.strictObject({ envelope: envelopeJson });
export const statementsResponse = z.strictObject({
  statements: z.array(
    z.strictObject({ seq: safeCount, acceptedAt: instant, envelope: envelopeJson }),
  ),
});

export const reviewRequest = z.strictObject({ envelope: envelopeJson });
export const reviewsResponse = z.strictObject({ reviews: z.array(envelopeJson) });

export const endorsementRequest = z.strictObject({ envelope: envelopeJson });

/** The latest of each endorser. */
export const endorsementsResponse = z.strictObject({ endorsements: z.array(envelopeJson) });

export const shareRequest = z.strictObject({ envelope: envelopeJson });
export const sharesResponse = z.strictObject({ shares: z.array(envelopeJson) });
export const releaseKeyRequest = z.strictObject({ envelope: envelopeJson });
export const releaseKeyResponse = z.strictObject({ envelope: envelopeJson });
