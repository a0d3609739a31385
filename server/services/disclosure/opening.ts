import type { Plan } from '../../../protocol/plan/plan.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import { openClosing } from '../../../protocol/embargo/closing-bundle.ts';
import { combineShares } from '../../../protocol/embargo/planned-shares.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { parsePublication } from '../../../protocol/statement/share.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import { changeOf } from '../campaign/change.ts';
import type { PublicationStore } from '../publications/publications.ts';
import { isOpenable } from '../publications/consequences.ts';
import type { Registry } from '../campaign/registry.ts';
import { describeFailure } from '../failure.ts';
import type { Logger } from '../logger.ts';

export interface ClosingBundles {
  /** The ciphertext's bytes. */
  readBlob(blob: { readonly sha256: string; readonly size: number }): Promise<Uint8Array>;
}

interface Disclosure {
  /** Open a campaign, if that is due. Never fails: what did not work is logged, and tried again. */
  open(campaign: Campaign): Promise<void>;
}

/**
 * Open what was committed to, once the closing key is out.
 *
 * Until that moment the server has held nothing but ciphertext. Every document is checked against
 * the commitment before it is stored; a bundle that does not hold what was promised stays closed,
 * and the log says so.
 */
export function disclosure(deps: {
  readonly publications: PublicationStore;
  readonly bundles: ClosingBundles;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly now: () => number;
}): Disclosure {
  const { publications, bundles, registry, logger, now } = deps;

  const closingKeyOf = async (campaign: string, plan: Plan): Promise<string> => {
    const stored = await publications.listPublications(campaign);
    const planned = new Set(plan.shares.map(({ sha256 }) => sha256));
    const shares = stored
      .filter(({ kind, subject }) => kind === 'closing' && planned.has(subject))
      .map(({ officer, envelope }) => {
        const { sealed } = parsePublication(parseEnvelope(utf8Encode(envelope)).payload);
        return { officer, document: sealed };
      });
    const { key, bad } = await combineShares(shares, plan, 'closing');
    for (const { officer } of bad) {
      logger.warn({ code: 'bad_share', campaign, officer }, 'a closing share did not count');
    }
    return key;
  };

  const open = async (campaign: Campaign): Promise<void> => {
    const plan = planOf(campaign);
    const id = campaign.state.campaign;
    const key = await closingKeyOf(id, plan);
    const documents = await openClosing(await bundles.readBlob(plan.closingBundle), key, plan);
    const at = now();
    const patch = { openedAt: formatInstant(at), closingKey: key };
    await registry.apply(
      changeOf(campaign, at, patch, [['opened', `commitment ${plan.commitment}`]], {
        documents,
        disclosure: { type: 'disclosure', campaign: id, commitment: plan.commitment },
      }),
    );
  };

  return {
    open: (campaign) =>
      registry.exclusively(campaign.state.campaign, async (current) => {
        if (current === undefined || !isOpenable(current)) return;
        try {
          await open(current);
        } catch (error) {
          // The shares stay published, and so everybody can see for themselves what is wrong.
          const { campaign: id } = current.state;
          const fields = { campaign: id, ...describeFailure(error) };
          if (error instanceof ProtocolError) {
            logger.error(fields, 'the closing bundle does not open to what was committed to');
          } else {
            logger.error(fields, 'the closing bundle could not be opened now');
          }
        }
      }),
  };
}
