import { z } from 'zod';
import { CAMPAIGN_STATUSES } from './campaign/transitions.ts';
import { keyName } from './embargo/key-name.ts';
import {
  ageRecipient,
  campaignId,
  hex64,
  instant,
  networkId,
  personId,
  printableName,
  publicKeyHex,
  safeCount,
  stakeText,
  time,
} from './encoding/shape.ts';

/**
 * Every JSON body that server and CLI exchange, in one place, so that the two cannot drift apart.
 *
 * A reader trusts none of it: what matters is signed inside the envelopes and checked there.
 *
 * @see docs/spec/http.md
 */

/** Bytes as canonical base64 (RFC 4648 §4). The length is bounded again where they are decoded. */
const base64 = z
  .string()
  .max(8_388_608)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/);

/** A DSSE envelope as transmitted; `parseEnvelope` judges it. */
export const envelopeJson = z.strictObject({
  payloadType: z.string().max(128),
  payload: base64,
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(64), sig: z.string().max(128) }))
    .min(1)
    .max(64),
});

/** A PGP MESSAGE or PUBLIC KEY block. */
const armored = z.string().min(1).max(1_048_576);

/** Notice, any later turn, disclosure. */
export const messageKind = z.enum(['notice', 'turn', 'closing']);

/** One plain address; the strict grammar is the server's (`server/services/contact/address.ts`). */
const email = z.string().min(3).max(254);

// Sessions -----------------------------------------------------------------------------------

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

// The root of trust ----------------------------------------------------------------------------

/** The next root and the targets its people signed: files as they are, base64. */
export const publishRootRequest = z.strictObject({ root: base64, targets: base64 });
export const publishRootResponse = z.strictObject({
  version: safeCount.min(1),
  sha256: hex64,
  /** False when this very root was in force already. */
  isNew: z.boolean(),
});
/** Every root that was ever in force, version 1 first, and where the log has it. */
export const rootsResponse = z.strictObject({
  roots: z.array(
    z.strictObject({
      version: safeCount.min(1),
      sha256: hex64,
      publishedAt: instant,
      leafIndex: safeCount.nullable(),
    }),
  ),
});

// Receipts -----------------------------------------------------------------------------------

/** What answers whatever was accepted: the log's signed promise and how to open its leaf. */
export const receiptResponse = z.strictObject({
  /** Signed note, see `protocol/log/receipt.ts`. */
  receipt: z.string().max(4096),
  /** Base64 of the exact opening document whose SHA-256 the sealed leaf holds. */
  opening: base64,
});

// Enrolment ----------------------------------------------------------------------------------

export const enrolmentRequest = z.strictObject({
  envelope: envelopeJson,
  contact: z.strictObject({ email, openpgp: armored }),
});
export const enrolmentsResponse = z.strictObject({
  enrolments: z.array(z.strictObject({ envelope: envelopeJson, email, openpgp: armored })),
});

// Stake snapshots ----------------------------------------------------------------------------

/** Answers a posted snapshot, whose body is the canonical file itself. */
export const snapshotResponse = z.strictObject({ sha256: hex64 });

// Commitments --------------------------------------------------------------------------------

export const commitmentView = z.strictObject({
  sha256: hex64,
  committedAt: instant,
  /** Index of its `open/v1 commitment` leaf; null until the log's next checkpoint covers it. */
  leafIndex: safeCount.nullable(),
});
export const commitmentsResponse = z.strictObject({ commitments: z.array(commitmentView) });

export const endorsementRequest = z.strictObject({ envelope: envelopeJson });
/** The latest of each endorser. */
export const endorsementsResponse = z.strictObject({ endorsements: z.array(envelopeJson) });

// Campaigns ----------------------------------------------------------------------------------

const campaignStatus = z.enum(CAMPAIGN_STATUSES);

export const createCampaignRequest = z.strictObject({
  /** Exact bytes of plan.txt. */
  plan: base64,
  /** Each officer's share documents, each an age file to that officer. */
  custody: z
    .array(z.strictObject({ key: keyName, officer: personId, sealed: base64 }))
    .min(1)
    .max(192),
});
export const createCampaignResponse = z.strictObject({ campaign: campaignId, plan: hex64 });

/** What a caller who may see a campaign is told of it. Titles and counts are never part of it. */
export const campaignView = z.strictObject({
  campaign: campaignId,
  network: networkId,
  exercise: z.boolean(),
  status: campaignStatus,
  revision: safeCount,
  sequence: safeCount,
  /** SHA-256 of plan.txt. */
  plan: hex64,
  /** SHA-256 of COMMITMENT. */
  commitment: hex64,
  /** T0 as the latest completed directive has it. */
  releaseTime: time,
  latestDisclosure: time,
  releasedAt: instant.nullable(),
  supermajorityAt: instant.nullable(),
  disclosedAt: instant.nullable(),
  /** True once the documents have been opened and checked against the commitment. */
  opened: z.boolean(),
  /** Officers whose release share is out, and how many it takes. */
  shares: z.strictObject({ published: z.array(personId), threshold: z.int().positive() }),
  /** The same of the second split; `broken` by `leaked`, and `threshold` null when there is none. */
  breakGlass: z.strictObject({
    state: z.enum(['none', 'sealed', 'broken']),
    published: z.array(personId),
    threshold: z.int().positive().nullable(),
  }),
});
export const campaignsResponse = z.strictObject({ campaigns: z.array(campaignView) });

export const custodyResponse = z.strictObject({
  custody: z.array(z.strictObject({ key: keyName, officer: personId, sealed: base64 })),
});

// Directives ---------------------------------------------------------------------------------

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
  status: campaignStatus,
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

// Reviews ------------------------------------------------------------------------------------

export const reviewRequest = z.strictObject({ envelope: envelopeJson });
export const reviewsResponse = z.strictObject({ reviews: z.array(envelopeJson) });

// Operators ----------------------------------------------------------------------------------

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

export const statementRequest = z.strictObject({ envelope: envelopeJson });
export const statementsResponse = z.strictObject({
  statements: z.array(
    z.strictObject({ seq: safeCount, acceptedAt: instant, envelope: envelopeJson }),
  ),
});

// Release ------------------------------------------------------------------------------------

export const shareRequest = z.strictObject({ envelope: envelopeJson });
export const sharesResponse = z.strictObject({ shares: z.array(envelopeJson) });
export const releaseKeyRequest = z.strictObject({ envelope: envelopeJson });
export const releaseKeyResponse = z.strictObject({ envelope: envelopeJson });

// Adoption -----------------------------------------------------------------------------------

export const milestoneView = z.strictObject({
  name: z.string().max(32),
  num: z.int().positive(),
  den: z.int().positive(),
  strict: z.boolean(),
  action: z.enum(['record', 'gate']),
  reachedAt: instant.nullable(),
});
export const tallyResponse = z.strictObject({
  revision: safeCount,
  snapshot: hex64,
  /** Whole snapshot, silent and delinquent stake included. */
  totalStake: stakeText,
  /** Exact for officers and after disclosure; null for operators while the campaign runs. */
  attestedStake: stakeText.nullable(),
  /** Rounded down to a tenth of a percent. */
  attestedPercent: z.number().min(0).max(100),
  milestones: z.array(milestoneView),
  /** Per validator; null unless the caller is an officer or the campaign is disclosed. */
  validators: z
    .array(
      z.strictObject({
        identity: z.string().max(44),
        stake: stakeText,
        state: z.enum(['attested', 'reverted', 'unknown']),
        operator: publicKeyHex.nullable(),
      }),
    )
    .nullable(),
});

// Messages -----------------------------------------------------------------------------------

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

// Events, disclosure -------------------------------------------------------------------------

export const eventsResponse = z.strictObject({
  events: z.array(
    z.strictObject({
      seq: safeCount,
      at: instant,
      type: z.enum([
        'created',
        'committed',
        'notified',
        'armed',
        'rescheduled',
        'share',
        'released',
        'milestone',
        'adopted',
        'superseded',
        'withdrawn',
        'aborted',
        'leaked',
        'disclosed',
        'opened',
      ]),
      detail: z.string().max(256),
    }),
  ),
});
export const closingKeyResponse = z.strictObject({ key: z.string().max(128) });
export const openingsResponse = z.strictObject({
  openings: z.array(z.strictObject({ index: safeCount, opening: base64 })),
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

/** Printed by `npm start -- card`: the server's public keys, for `trust init --server`. */
export const serverCard = z.strictObject({
  format: z.literal('sealdrop-server-card/v1'),
  /** Log origin: the public URL's host and path without scheme, e.g. `patches.example.org/log`. */
  origin: z.string().max(128),
  logKey: z.string().max(256),
  tokenKey: publicKeyHex,
  snapshotKey: publicKeyHex,
  timestampKey: publicKeyHex,
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
