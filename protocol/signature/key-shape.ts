import { z } from 'zod';
import { succeeds } from '../encoding/shape.ts';
import { parseEd25519PublicKey, type Ed25519PublicKey } from './ed25519.ts';

/** A public key that {@link parseEd25519PublicKey} accepts. */
export const publicKeyHex: z.ZodType<Ed25519PublicKey, string> = z
  .string()
  .refine(succeeds(parseEd25519PublicKey))
  .transform((text) => text as Ed25519PublicKey);
