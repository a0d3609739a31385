import type { Plan } from '../../../protocol/plan/plan.ts';
import {
  checkServerShares,
  serverCustodyText,
  serverHoldersOf,
} from '../../../protocol/plan/server-custody.ts';
import type { FindBeacon } from '../../../protocol/embargo/beacon.ts';
import { openCustody, signShare } from '../../../protocol/embargo/custody.ts';
import { fromBase64 } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf, storedPlanOf } from '../campaign/campaign.ts';
import type { Publications } from '../publications/publications.ts';
import type { CustodyShare, Registry } from '../campaign/registry.ts';
import { ServiceError } from '../error.ts';
import { describeFailure } from '../failure.ts';
import type { Logger } from '../logger.ts';
import type { Evidence } from './due.ts';
import { isTurn, requireTurn } from './due.ts';
import { sideBySide } from './side-by-side.ts';

/** With which the server holds shares; apart from its other keys and from its data. */
export interface CustodyKey {
  /** age identity, and the recipient that belongs to it. */
  readonly identity: string;
  readonly recipient: string;
  /** Signs the shares that it publishes. */
  readonly signer: Signer;
}

/** A share that the server keeps for itself. */
interface OwnShare {
  /** Digest of the plan. */
  readonly plan: string;
  readonly holder: string;
  /** Base64 of an age file to the custody key. */
  readonly sealed: string;
}

export interface CustodyStore {
  listOwnShares(): Promise<readonly OwnShare[]>;
  forgetShare(share: OwnShare): Promise<void>;
}

/** The server as one of the holders of release keys. */
export interface Custodian {
  /**
   * Check, before a plan is taken in, that what it gives to the server is there and can be opened.
   *
   * @throws {@link ServiceError} `refused`
   */
  takeIn(plan: Plan, custody: readonly CustodyShare[]): Promise<void>;
  /**
   * The same before a plan that was taken in is armed: key or share may have gone since, and others
   * may decide.
   *
   * @param digest - Of the plan.
   * @throws {@link ServiceError} `refused`; {@link ProtocolError} `plan_invalid`
   */
  checkKept(plan: Plan, digest: string): Promise<void>;
  /**
   * Begin to publish what is due by now and to forget what is of no use any more, each share by itself:
   * one whose beacon hangs keeps no other waiting.
   */
  tend(): Promise<void>;
  /** Resolves when no share is being looked after. */
  settle(): Promise<void>;
  /** Say of every campaign what this server holds, and that it cannot where it cannot. */
  announce(): Promise<void>;
}

interface Deps extends Evidence {
  readonly key: CustodyKey | undefined;
  readonly store: CustodyStore;
  readonly registry: Registry;
  readonly publications: Pick<Publications, 'publishOwn'>;
  readonly findBeacon: FindBeacon;
  readonly logger: Logger;
}

/** Shares that are looked after at a time. Nearly always it is one, and what takes long is waiting. */
const MAX_AT_ONCE = 32;
/** How soon what failed is tried again. */
const RETRY_MS = 5_000;

/**
 * Hold shares and publish them as an officer's agent does, but last: not before as many officers have
 * published theirs as it takes besides. A share of the server opens nothing sooner than that, and so its clock
 * alone decides nothing; that T0 has come, those officers' machines have found by theirs. In an exercise in
 * which it takes no officer there is only its own clock.
 *
 * @see docs/adr/0020-the-server-speaks-last.md
 */
export function custodian(deps: Deps): Custodian {
  const { key, store, registry, trust, logger, now } = deps;
  const failedAt = new Map<string, number>();
  const hands = sideBySide(MAX_AT_ONCE);

  /** The key, while the root in force names it. */
  const ownKey = (): CustodyKey | undefined => {
    const listed = trust.current.custodian;
    const isListed = key?.recipient === listed?.age && key?.signer.publicKey === listed?.key;
    return isListed ? key : undefined;
  };

  const nameOf = ({ plan, holder }: OwnShare): string => `${plan} ${holder}`;

  const tendShare = async (share: OwnShare): Promise<void> => {
    const campaign = registry.all().find(({ plans }) => plans.has(share.plan));
    if (campaign === undefined) return;
    const name = nameOf(share);
    try {
      if (!isOver(share, campaign)) {
        if (share.plan !== campaign.state.plan || !isTurn(campaign, now())) return;
        if (Math.abs(now() - (failedAt.get(name) ?? -Infinity)) < RETRY_MS) return;
        await publish(share, campaign);
      }
      await store.forgetShare(share);
    } catch (error) {
      failedAt.set(name, now());
      const fields = { campaign: campaign.state.campaign, ...describeFailure(error) };
      logger.error(fields, 'a share of the server cannot be published');
    }
  };

  const publish = async ({ holder, sealed }: OwnShare, campaign: Campaign): Promise<void> => {
    const own = ownKey();
    if (own === undefined) throw new ProtocolError('key_invalid', 'no custody key of the root');
    await requireTurn(deps, campaign);
    const plan = planOf(campaign);
    const file = await openCustody(fromBase64(sealed), own.identity, plan, 'release', holder);
    const envelope = await signShare(own.signer, plan, 'release', holder, file, deps.findBeacon);
    await deps.publications.publishOwn(holder, plan.campaign, envelope);
  };

  const checkShares = async (
    plan: Plan,
    sealedFor: (holder: string) => string | undefined,
  ): Promise<void> => {
    const own = ownKey();
    if (own === undefined) {
      throw new ServiceError('refused', 'this server has no custody key of the root of trust');
    }
    for (const holder of serverHoldersOf(plan)) {
      try {
        const sealed = fromBase64(sealedFor(holder) ?? '');
        await openCustody(sealed, own.identity, plan, 'release', holder);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        throw new ServiceError('refused', `the share of ${holder} is not that of the plan`);
      }
    }
  };

  return {
    async takeIn(plan, custody) {
      if (serverHoldersOf(plan).length === 0) return;
      await checkShares(
        plan,
        (holder) => custody.find((it) => it.key === 'release' && it.officer === holder)?.sealed,
      );
      const { campaign } = plan;
      logger.warn({ campaign, says: serverCustodyText(plan) }, 'this server is a custodian');
    },

    async checkKept(plan, digest) {
      if (serverHoldersOf(plan).length === 0) return;
      checkServerShares(plan, trust.current);
      const shares = (await store.listOwnShares()).filter((it) => it.plan === digest);
      await checkShares(plan, (holder) => shares.find((it) => it.holder === holder)?.sealed);
    },

    async tend() {
      for (const share of await store.listOwnShares()) {
        hands.begin(nameOf(share), () => tendShare(share));
      }
    },
    settle: () => hands.settle(),

    async announce() {
      const held = new Set((await store.listOwnShares()).map(({ plan }) => plan));
      for (const campaign of registry.all()) {
        const { plan } = storedPlanOf(campaign);
        if (!held.has(campaign.state.plan)) continue;
        const fields = { campaign: plan.campaign, says: serverCustodyText(plan) };
        logger.warn(fields, 'this server is a custodian');
      }
      const isNamed = trust.current.custodian !== undefined;
      if ((isNamed || held.size > 0 || key !== undefined) && ownKey() === undefined) {
        logger.error({ code: 'custody_key' }, 'the custody key is not that of the root of trust');
      }
    },
  };
}

/** Whether nothing is left for a share to do, or what it was for will not happen any more. */
function isOver({ plan, holder }: OwnShare, campaign: Campaign): boolean {
  const { state, releaseShares, openedAt } = campaign;
  const { status, released } = state;
  if (status === 'aborted') return true;
  if (status === 'disclosed' && (!released || openedAt !== null)) return true;
  if (plan !== state.plan) return storedPlanOf(campaign, plan).plan.revision <= state.revision;
  return status === 'withdrawn' || releaseShares.includes(holder);
}
