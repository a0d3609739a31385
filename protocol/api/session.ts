import { z } from 'zod';
import { hex64, instant } from '../encoding/shape.ts';
import { publicKeyHex } from '../signature/key-shape.ts';

export const challengeRequest = z.strictObject({ publicKey: publicKeyHex });
export const challengeResponse = z.strictObject({ nonce: hex64, expiresAt: instant });
export const tokenRequest = z.strictObject({ publicKey: publicKeyHex });
export const tokenResponse = z.strictObject({
  access_token: z.string().max(4096),
  token_type: z.literal('DPoP'),
  expires_in: z.int().positive(),
  role: z.enum(['officer', 'operator', 'reviewer']),
  /** Id of the officer or reviewer in the root, or the operator's public key. */
  id: z.string().max(64),
});
