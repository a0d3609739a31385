import { z } from 'zod';

/**
 * The name of a Sealdrop service and of its log, such as `sealdrop.example.org/solana`.
 *
 * Printable ASCII without spaces and plus signs, so that it fits a signed note and one word of an
 * enrolment text. Compared whole, never by parts.
 *
 * @see https://c2sp.org/tlog-checkpoint
 */
export const originText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:/_~-]{0,199}$/, 'an origin');
