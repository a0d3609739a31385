import { z } from 'zod';
import { ageRecipient, armored, personId, printableName } from '../encoding/shape.ts';
import { publicKeyHex } from '../signature/key-shape.ts';

// Files in which a party hands over its public keys, for the root of trust.

/** Printed by `npm start -- card`: the server's public keys, for `trust init --server`. */
export const serverCard = z.strictObject({
  format: z.literal('sealdrop-server-card/v1'),
  /** Log origin: the public URL's host and path without scheme, e.g. `patches.example.org/log`. */
  origin: z.string().max(128),
  logKey: z.string().max(256),
  tokenKey: publicKeyHex,
  snapshotKey: publicKeyHex,
  timestampKey: publicKeyHex,
  /** Where the server was given a custody key: what it signs shares with, and its age recipient. */
  custodian: z.strictObject({ key: publicKeyHex, age: ageRecipient }).optional(),
});

/** Printed by `endorser init`, for `trust init --endorser`. */
export const endorserCard = z.strictObject({
  format: z.literal('sealdrop-endorser-card/v1'),
  id: personId,
  name: printableName,
  key: publicKeyHex,
});

/** Printed by `reviewer init`, for `trust init --reviewer`. */
export const reviewerCard = endorserCard.extend({
  format: z.literal('sealdrop-reviewer-card/v1'),
  age: ageRecipient,
});

/** Printed by `officer init`: one officer's public keys, for `trust init --officer`. */
export const officerCard = z.strictObject({
  format: z.literal('sealdrop-officer-card/v1'),
  id: personId,
  root: publicKeyHex,
  signing: publicKeyHex,
  age: ageRecipient,
  openpgp: armored,
});
