import { isDue, mayDisclose } from '../../../protocol/campaign/due.ts';
import { verifyPlannedShare } from '../../../protocol/embargo/planned-shares.ts';
import { sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { encodeEnvelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import type { SharePublication } from '../../../protocol/statement/share.ts';
import { verifyPublication } from '../../../protocol/statement/share.ts';
import { requireAgeFile } from '../age-file.ts';
import type { Identity } from '../caller.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { Publication } from '../campaign/change.ts';
import { changeOf } from '../campaign/change.ts';
import type { Registry } from '../campaign/registry.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import type { Acceptance } from '../sealing.ts';
import { sealWithReceipt } from '../sealing.ts';
import type { Trust } from '../trust/trust.ts';
import { consequencesOf, isOpenable } from './consequences.ts';

/** A publication as it is read back. */
interface StoredPublication extends Acceptance {
  readonly kind: Publication['kind'];
  readonly officer: string;
  readonly subject: string;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly envelope: string;
}

export interface PublicationStore {
  /** In the order in which they were accepted. */
  listPublications(campaign: string): Promise<readonly StoredPublication[]>;
}

export interface Publications {
  publishShare(officer: Identity, id: string, envelope: Envelope): Promise<Acceptance>;
  publishReleaseKey(officer: Identity, id: string, envelope: Envelope): Promise<Acceptance>;
  /** The server's own share, by the same rules. */
  publishOwn(holder: string, id: string, envelope: Envelope): Promise<void>;
  /** Envelopes of the shares that may be out; none before. */
  listShares(campaign: Campaign): Promise<readonly string[]>;
  /** @throws {@link ServiceError} `not_released` */
  getReleaseKey(campaign: Campaign): Promise<string>;
}

/** Whose share it is. */
type Holder = Pick<Identity, 'id'>;

interface Deps {
  readonly store: PublicationStore;
  readonly registry: Registry;
  readonly trust: Trust;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly logger: Logger;
  readonly now: () => number;
  /** Called when enough closing shares are out. */
  readonly onClosingKey: (campaign: Campaign) => Promise<void>;
  /** Called after a share or a key was accepted. */
  readonly onShare: () => void;
}

/**
 * Relay officers' shares: of the release key from T0 on or, by break-glass, when the embargo was
 * broken; of the closing key once disclosed.
 *
 * Whether the time has come is decided by comparing clocks when a share is read. An early one is
 * refused and raises an alarm, whoever sent it.
 */
export function publications(deps: Deps): Publications {
  const { store, registry, trust, verify, logger, now } = deps;

  const accept = async (
    officer: Holder,
    campaign: Campaign,
    envelope: Envelope,
    expected: 'share' | 'release-key',
  ): Promise<{ acceptance: Acceptance; campaign: Campaign }> => {
    const id = campaign.state.campaign;
    const published = verifyPublication(envelope, verify, trust.current, planOf(campaign));
    refuseUnless(published.kind === expected, `expected a ${expected}`);
    refuseUnless(published.officer === officer.id, 'the share is of another officer');
    const kind = published.kind === 'share' ? published.key : 'release-key';
    const subject = published.kind === 'share' ? published.commitment : published.recipient;

    const content = encodeEnvelope(envelope);
    const digest = sha256Hex(content);
    const known = (await store.listPublications(id)).find(
      (it) => it.kind === kind && it.officer === officer.id && it.subject === subject,
    );
    if (known?.digest === digest) return { acceptance: known, campaign };
    if (known !== undefined) throw new ServiceError('conflict', 'already published by you');
    checkTime(kind, campaign, officer, now());
    checkContent(published, campaign);

    const at = now();
    const entry = sealWithReceipt(deps.log, at, id, expected, content);
    const publication: Publication = {
      kind,
      officer: officer.id,
      subject,
      digest,
      envelope: utf8Decode(content),
      entry,
    };
    const { patch, happened } = consequencesOf(kind, campaign, officer.id, at);
    const change = changeOf(campaign, at, patch, happened, { publication });
    const after = await registry.apply(change);
    return { acceptance: { receipt: entry.receipt, opening: entry.opening }, campaign: after };
  };

  /** @throws {@link ServiceError} `not_released` before the time, `conflict` when it never comes. */
  const checkTime = (
    kind: Publication['kind'],
    { state, releasedAt }: Campaign,
    officer: Holder,
    at: number,
  ): void => {
    const isOut = kind === 'release-key' ? releasedAt !== null : isDue(kind, state, at);
    const isStopped =
      kind === 'closing'
        ? state.status !== 'disclosed' && !mayDisclose(state)
        : state.status === 'aborted' || state.status === 'withdrawn';
    if (isStopped) throw new ServiceError('conflict', `the campaign is ${state.status}`);
    if (!isOut) {
      const { campaign, status } = state;
      const fields = { code: 'early_share', campaign, status, officer: officer.id, key: kind };
      logger.warn(fields, 'share refused before its time');
      throw new ServiceError('not_released', 'the time for this has not come');
    }
  };

  const share = async (
    officer: Identity,
    id: string,
    envelope: Envelope,
    expected: 'share' | 'release-key',
  ): Promise<Acceptance> => {
    registry.getVisible(id, officer);
    const { acceptance, campaign } = await acceptAlone(officer, id, envelope, expected);
    deps.onShare();
    if (isOpenable(campaign)) await deps.onClosingKey(campaign);
    return acceptance;
  };

  const acceptAlone = (
    holder: Holder,
    id: string,
    envelope: Envelope,
    expected: 'share' | 'release-key',
  ): ReturnType<typeof accept> =>
    registry.exclusively(id, (current) => {
      if (current === undefined) throw new ServiceError('not_found', 'no such resource');
      return accept(holder, current, envelope, expected);
    });

  return {
    publishShare: (officer, id, envelope) => share(officer, id, envelope, 'share'),
    publishReleaseKey: (officer, id, envelope) => share(officer, id, envelope, 'release-key'),
    async publishOwn(holder, id, envelope) {
      await acceptAlone({ id: holder }, id, envelope, 'share');
    },
    async listShares(campaign) {
      const { releasedAt, state } = campaign;
      const planned = new Set(planOf(campaign).shares.map(({ sha256 }) => sha256));
      const stored = await store.listPublications(state.campaign);
      return stored
        .filter(({ kind, subject }) => {
          if (!planned.has(subject)) return false;
          return kind === 'closing' ? state.status === 'disclosed' : releasedAt !== null;
        })
        .map(({ envelope }) => envelope);
    },
    async getReleaseKey(campaign) {
      const recipient = new TextEncoder().encode(planOf(campaign).releaseRecipient);
      const subject = sha256Hex(recipient);
      const stored = campaign.releasedAt && (await store.listPublications(campaign.state.campaign));
      const found = stored
        ? stored.find((it) => it.kind === 'release-key' && it.subject === subject)
        : undefined;
      if (found !== undefined) return found.envelope;
      throw new ServiceError('not_released', 'the release key is not out');
    },
  };
}

/** A closing share is no secret any more and can be checked; the others only operators can open. */
function checkContent(published: ReturnType<typeof verifyPublication>, campaign: Campaign): void {
  if (published.kind === 'share' && published.key === 'closing') {
    verifyClosingShare(published, campaign);
  } else {
    requireAgeFile(published.sealed, 'the share');
  }
}

function verifyClosingShare({ sealed, officer }: SharePublication, campaign: Campaign): void {
  verifyPlannedShare(sealed, planOf(campaign), 'closing', officer);
}
