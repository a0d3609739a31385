import { MAX_CLOCK_SKEW_MS } from '../../../protocol/campaign/campaign.ts';
import { sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { encodeEnvelope } from '../../../protocol/signature/dsse.ts';
import { NO_CAMPAIGN } from '../../../protocol/log/opening.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import { verifyEndorsement } from '../../../protocol/statement/endorsement.ts';
import type { Registry } from '../campaign/registry.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Acceptance, Receipted } from '../sealing.ts';
import { sealWithReceipt } from '../sealing.ts';
import type { Serial } from '../serial.ts';
import type { Trust } from '../trust/trust.ts';

/** An endorsement on its way into the database. */
export interface NewEndorsement {
  readonly commitment: string;
  readonly endorser: string;
  readonly issuedAt: string;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly envelope: string;
  readonly entry: Receipted;
}

export interface EndorsementStore {
  /** Whose commitment it is; `undefined` for one that nobody made. */
  findCampaign(commitment: string): Promise<string | undefined>;
  /** What one endorser has said of a commitment, by `issuedAt`. */
  listByEndorser(
    commitment: string,
    endorser: string,
  ): Promise<readonly (Acceptance & Pick<NewEndorsement, 'digest' | 'issuedAt'>)[]>;
  addEndorsement(endorsement: NewEndorsement): Promise<void>;
  /** The latest envelope of each endorser. */
  listLatest(commitment: string): Promise<readonly string[]>;
}

export interface Endorsements {
  /** @throws {@link ServiceError} `not_found` for a commitment that nobody made. */
  submit(commitment: string, envelope: Envelope): Promise<Acceptance>;
  /** @throws {@link ServiceError} `not_found` */
  list(commitment: string): Promise<readonly string[]>;
}

/** By one endorser of one commitment: an address can be added, or a wrong one mended. */
const MAX_ENDORSEMENTS = 8;

/**
 * Take in endorsements of public commitments. Nobody logs in: each speaks for itself, under a key in
 * the root of trust, about something that is public already. Whose campaign that is stays hidden: the
 * receipt's opening, which anybody gets who sends a known endorsement again, names none.
 */
export function endorsements(deps: {
  readonly store: EndorsementStore;
  readonly registry: Registry;
  readonly trust: Trust;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly serial: Serial;
  readonly now: () => number;
}): Endorsements {
  const { store, registry, trust, now } = deps;

  const getCampaign = async (commitment: string): Promise<string> => {
    const campaign = await store.findCampaign(commitment);
    if (campaign === undefined) throw new ServiceError('not_found', 'no such resource');
    return campaign;
  };

  const accept = async (commitment: string, envelope: Envelope): Promise<Acceptance> => {
    const campaign = await getCampaign(commitment);
    const endorsement = verifyEndorsement(envelope, deps.verify, trust.current);
    const { endorser, issuedAt } = endorsement;
    refuseUnless(endorsement.commitment === commitment, 'the endorsement is of another commitment');
    const content = encodeEnvelope(envelope);
    const digest = sha256Hex(content);
    const before = await store.listByEndorser(commitment, endorser);
    const known = before.find((it) => it.digest === digest);
    if (known !== undefined) return { receipt: known.receipt, opening: known.opening };
    if (registry.find(campaign)?.state.status === 'disclosed') {
      throw new ServiceError('conflict', 'what was committed to is disclosed');
    }
    if (before.length >= MAX_ENDORSEMENTS) {
      throw new ServiceError('too_many_requests', `${MAX_ENDORSEMENTS} endorsements are enough`);
    }
    const at = now();
    const time = parseTime(issuedAt);
    refuseUnless(time <= at + MAX_CLOCK_SKEW_MS, 'the endorsement is from the future');
    const latest = before.at(-1);
    refuseUnless(
      latest === undefined || time > parseTime(latest.issuedAt),
      'a later endorsement is here already',
    );
    const entry = sealWithReceipt(deps.log, at, NO_CAMPAIGN, 'endorsement', content);
    const added = { commitment, endorser, issuedAt, digest, envelope: utf8Decode(content), entry };
    await store.addEndorsement(added);
    return { receipt: entry.receipt, opening: entry.opening };
  };

  return {
    submit: (commitment, envelope) =>
      deps.serial.run(commitment, () => accept(commitment, envelope)),
    async list(commitment) {
      await getCampaign(commitment);
      return store.listLatest(commitment);
    },
  };
}
