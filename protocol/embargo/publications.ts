import { utf8Decode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { KeyName } from '../plan/key-name.ts';
import type { Plan } from '../plan/plan.ts';
import { keysOf, thresholdOf } from '../plan/splits.ts';
import type { ReleaseKeyPublication, SharePublication } from '../statement/share.ts';
import { open, recipientOf } from './age.ts';
import { verifyPlannedShare } from './planned-shares.ts';
import { type OfficerShare } from './share.ts';

export type Publication = SharePublication | ReleaseKeyPublication;

/** What officers published, unwrapped and held against the plan. */
export interface OpenedPublications {
  /** Good shares, one an officer. */
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  /** The release key, if an officer published the right one. */
  readonly releaseKey: string | undefined;
  /** Publications that are theirs by signature and hold something else than they should. */
  readonly bad: readonly BadPublication[];
}

export interface BadPublication {
  readonly officer: string;
  readonly of: KeyName | 'release-key';
  readonly reason: string;
}

/**
 * Unwrap what officers published. One bad publication names its officer and blocks nobody.
 *
 * @param publications - Verified with `verifyPublication`, so that the named officer is to blame.
 * @param accessKey - From the notice; release shares of the release key and the key are sealed to it.
 */
export async function openPublications(
  publications: readonly Publication[],
  plan: Plan,
  accessKey: string,
): Promise<OpenedPublications> {
  const shares: Record<KeyName, Map<string, Uint8Array>> = {
    release: new Map(),
    closing: new Map(),
    'break-glass': new Map(),
  };
  const bad: BadPublication[] = [];
  let releaseKey: string | undefined;
  for (const it of publications) {
    const { officer } = it;
    try {
      if (it.kind === 'release-key') {
        const key = await openReleaseKey(it, plan, accessKey);
        releaseKey ??= key;
      } else {
        const document = it.key === 'closing' ? it.sealed : await open(it.sealed, accessKey);
        verifyPlannedShare(document, plan, it.key, officer);
        shares[it.key].set(officer, document);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const of = it.kind === 'share' ? it.key : it.kind;
      bad.push({ officer, of, reason: error.message });
    }
  }
  const listOf = (key: KeyName): OfficerShare[] =>
    [...shares[key]].map(([officer, document]) => ({ officer, document }));
  const lists = {
    release: listOf('release'),
    closing: listOf('closing'),
    'break-glass': listOf('break-glass'),
  };
  return { shares: lists, releaseKey, bad };
}

/** Through which split the release key is out: the first with enough good shares, if any. */
export function releasedThrough(
  shares: OpenedPublications['shares'],
  plan: Plan,
): KeyName | undefined {
  const splits = keysOf(plan).filter((key) => key !== 'closing');
  return splits.find((key) => shares[key].length >= thresholdOf(plan, key));
}

/** What everybody is told when the release key came out through the second split. */
export const BREAK_GLASS_TEXT =
  'BREAK-GLASS: officers use the second split of the release key, not the time-locked one';

async function openReleaseKey(
  { sealed }: ReleaseKeyPublication,
  plan: Plan,
  accessKey: string,
): Promise<string> {
  const key = utf8Decode(await open(sealed, accessKey)).replace(/\n$/, '');
  if ((await recipientOf(key)) !== plan.releaseRecipient) {
    throw new ProtocolError('key_mismatch', 'the key is not that of the release recipient');
  }
  return key;
}
