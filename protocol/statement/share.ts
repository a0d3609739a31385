import { z } from 'zod';
import type { Plan } from '../plan/plan.ts';
import { fromBase64, sha256Hex, toBase64, utf8Encode } from '../encoding/bytes.ts';
import { keyName } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';
import { isServerHolder } from '../trust/server-holder.ts';
import { campaignId, networkId, personId, safeCount } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { holderKey, type TrustRoot } from '../trust/root.ts';
import { encodeStatement, parseStatement, parseStatementAbout } from './statement.ts';

/** What both publications say about themselves. */
interface Publication {
  readonly campaign: string;
  readonly network: string;
  readonly revision: number;
  /** Who holds the share; the server, by its names, of shares of the release key alone. */
  readonly officer: string;
  readonly sealed: Uint8Array;
}

/** An officer's share, published at T0, on disclosure, or when the embargo is broken. */
export interface SharePublication extends Publication {
  readonly kind: 'share';
  readonly key: KeyName;
  /** SHA-256 of the share document, as the plan commits to it. */
  readonly commitment: string;
  /**
   * For `release` and `break-glass` an age file of the share document to the plan's access
   * recipient; for `closing` the share document itself.
   */
  readonly sealed: Uint8Array;
}

/** The combined release key, published once enough shares are out. */
export interface ReleaseKeyPublication extends Publication {
  readonly kind: 'release-key';
  /** SHA-256 of the text of the release recipient. */
  readonly recipient: string;
  /** An age file of the key's line to the plan's access recipient. */
  readonly sealed: Uint8Array;
}

/** The largest share or key, sealed or not, in bytes. */
const MAX_SEALED_BYTES = 16 * 1024;
const MAX_SEALED_CHARACTERS = Math.ceil(MAX_SEALED_BYTES / 3) * 4;

const common = {
  campaign: campaignId,
  network: networkId,
  revision: safeCount.min(1),
  officer: personId,
  sealed: z.string().min(4).max(MAX_SEALED_CHARACTERS),
};
const sharePredicate = z.strictObject({ ...common, key: keyName });
const releaseKeyPredicate = z.strictObject(common);

/**
 * Write a publication as the payload that its officer signs.
 *
 * @throws {@link ProtocolError} as {@link parsePublication} does.
 */
export function encodePublication(it: SharePublication | ReleaseKeyPublication): Uint8Array {
  const { campaign, network, revision, officer } = it;
  const predicate = { campaign, network, revision, officer, sealed: toBase64(it.sealed) };
  const payload =
    it.kind === 'share'
      ? encodeStatement('share', [{ name: 'share', sha256: it.commitment }], {
          ...predicate,
          key: it.key,
        })
      : encodeStatement(
          'release-key',
          [{ name: 'release-recipient', sha256: it.recipient }],
          predicate,
        );
  parsePublication(payload);
  return payload;
}

/** @throws {@link ProtocolError} `statement_invalid`, also for any other kind of statement. */
export function parsePublication(payload: Uint8Array): SharePublication | ReleaseKeyPublication {
  const { kind } = parseStatement(payload);
  if (kind === 'release-key') {
    const { sha256, predicate } = parseStatementAbout(
      payload,
      kind,
      'release-recipient',
      releaseKeyPredicate,
    );
    return { kind, recipient: sha256, ...predicate, sealed: fromBase64(predicate.sealed) };
  }
  const { sha256, predicate } = parseStatementAbout(payload, 'share', 'share', sharePredicate);
  return { kind: 'share', commitment: sha256, ...predicate, sealed: fromBase64(predicate.sealed) };
}

/**
 * Verify that an officer published this share or key for this plan.
 *
 * What is inside `sealed` is for those who can open it to check against the commitment or recipient.
 *
 * @throws {@link ProtocolError} `signature_invalid` or `threshold_unmet` unless signed by that
 *   officer's signing key alone; `statement_invalid` for another campaign or network, a later
 *   revision, an unknown officer, or a release key for another recipient; `share_invalid` when the
 *   share is not the one that the plan lists for this officer and key.
 */
export function verifyPublication(
  envelope: Envelope,
  verify: VerifyEd25519,
  root: TrustRoot,
  plan: Plan,
): SharePublication | ReleaseKeyPublication {
  return verifyPublicationUnder(envelope, verify, [root], plan);
}

/**
 * The same for a campaign during which officers were exchanged.
 *
 * The plan pins who holds which share, so a key that the officer had in any of these roots will do:
 * what was published before somebody left stays published, and a new key of the same person counts.
 *
 * @param roots - That under which the plan was put in force, and every later one.
 * @throws {@link ProtocolError} as {@link verifyPublication}.
 * @see docs/spec/trust.md, "Officers exchanged during a campaign"
 */
export function verifyPublicationUnder(
  envelope: Envelope,
  verify: VerifyEd25519,
  roots: Iterable<TrustRoot>,
  plan: Plan,
): SharePublication | ReleaseKeyPublication {
  const publication = parsePublication(envelope.payload);
  const id = publication.officer;
  const keys = [...roots].flatMap((root) => holderKey(root, id) ?? []);
  const isServers = publication.kind === 'release-key' && isServerHolder(id);
  if (keys.length === 0 || isServers) {
    throw new ProtocolError('statement_invalid', 'the share is from nobody in the root of trust');
  }
  verifyEnvelope(envelope, verify, new Map(keys.map((key) => [key, id])), 1);
  for (const field of ['campaign', 'network'] as const) {
    if (publication[field] !== plan[field]) {
      throw new ProtocolError('statement_invalid', `the share is for another ${field}`);
    }
  }
  // What is in it binds it: a later plan with this very share or recipient goes on with it.
  if (publication.revision > plan.revision) {
    throw new ProtocolError('statement_invalid', 'the share is for another revision');
  }
  if (isPlanned(publication, plan)) return publication;
  throw publication.kind === 'release-key'
    ? new ProtocolError('statement_invalid', 'the key is for another recipient')
    : new ProtocolError('share_invalid', `${id} was given another share`);
}

/** Whether a publication is, by what it says, of the very share or key that a plan commits to. */
export function isPlanned(
  publication: SharePublication | ReleaseKeyPublication,
  plan: Plan,
): boolean {
  return publication.kind === 'release-key'
    ? publication.recipient === sha256Hex(utf8Encode(plan.releaseRecipient))
    : plan.shares.some((share) => isListed(share, publication));
}

function isListed(share: Plan['shares'][number], publication: SharePublication): boolean {
  return (
    share.key === publication.key &&
    share.officer === publication.officer &&
    share.sha256 === publication.commitment
  );
}
