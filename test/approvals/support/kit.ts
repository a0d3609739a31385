import { generateSeed, signerFromSeed, type KeyedSigner } from '../../../platform/ed25519.ts';
import { encodeDirective, type Directive } from '../../../protocol/campaign/directive.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { HOUR_MS } from '../../support/clock.ts';
import { envelopeJson } from '../../support/story.ts';
import type { Court, OfficerName } from './court.ts';
import type { Approval } from './judges.ts';

export interface EnvelopeJson {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

/** What a case makes its approval from. */
export interface Kit {
  /** The next directive, as honest officers would sign it. */
  readonly directive: Directive;
  /** Completed ones of this campaign and of the other. */
  readonly completed: readonly EnvelopeJson[];
  readonly completedElsewhere: readonly EnvelopeJson[];
  readonly now: number;
  readonly keys: Readonly<Record<OfficerName, KeyedSigner>>;
  readonly rootKeys: Readonly<Record<OfficerName, KeyedSigner>>;
  readonly stranger: KeyedSigner;
  /** Sign the directive, with changes, by alice, bob and carol unless told otherwise. */
  readonly sign: (changes?: Partial<Directive>, ...signers: readonly KeyedSigner[]) => EnvelopeJson;
  /** Sign any payload, also one that is no directive. */
  readonly signPayload: (payload: Uint8Array, ...signers: readonly KeyedSigner[]) => EnvelopeJson;
}

type Completed = readonly { readonly envelope: EnvelopeJson }[];

/** @param name - Of the case, so that no two sign the same directive. */
export async function openKit(
  { story, officers, root, outpost }: Court,
  name: string,
  completed: readonly unknown[],
  elsewhere: readonly unknown[],
): Promise<Kit> {
  const { clock } = outpost;
  const directive = await story.directive('reschedule', {
    rootVersion: root.version,
    reason: name,
    releaseTime: formatTime(clock.now() + 3 * HOUR_MS),
  });
  const pick = (key: 'signing' | 'root'): Record<OfficerName, KeyedSigner> =>
    Object.fromEntries(Object.entries(officers).map(([id, it]) => [id, it[key]])) as never;
  const keys = pick('signing');
  const threshold = [keys.alice, keys.bob, keys.carol];
  const signPayload: Kit['signPayload'] = (payload, ...signers) =>
    envelopeJson(
      signEnvelope(payload, ...(signers.length === 0 ? threshold : signers)),
    ) as EnvelopeJson;
  return {
    directive,
    completed: (completed as Completed).map(({ envelope }) => envelope),
    completedElsewhere: (elsewhere as Completed).map(({ envelope }) => envelope),
    now: clock.now(),
    keys,
    rootKeys: pick('root'),
    stranger: signerFromSeed(generateSeed()),
    signPayload,
    sign: (changes = {}, ...signers) =>
      signPayload(encodeDirective({ ...directive, ...changes }), ...signers),
  };
}

/** What judges are shown. */
export function approvalOf(envelope: EnvelopeJson | string, now: number): Approval {
  return {
    envelope: typeof envelope === 'string' ? envelope : JSON.stringify(envelope),
    completedAt: new Date(now).toISOString(),
  };
}
