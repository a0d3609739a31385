import { isDue } from '../../protocol/campaign/due.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import { type OfficerShare } from '../../protocol/embargo/share.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { rootsSince } from '../../protocol/trust/chain.ts';
import { sameClosingKey, type Chain } from '../client/chain.ts';
import type { Mirror } from '../client/mirror.ts';
import { onceEach, reasonOf } from '../client/trouble.ts';
import { NotReleasedError, TemporaryError } from '../errors.ts';
import { verifyPublications } from './release-key.ts';
import type { ReaderSession } from './session.ts';
import { findPublications, type Found } from './sources.ts';

/**
 * Require that the disclosure may be opened: by a completed `disclose` or `leaked`, or by the latest
 * disclosure date and our own clock. What the server calls the campaign does not matter.
 *
 * @throws {@link NotReleasedError}
 */
export function requireDisclosed({ state }: Chain, now: number): void {
  if (isDue('closing', state, now)) return;
  const { campaign, status, latestDisclosure } = state;
  throw new NotReleasedError(
    `${campaign} is ${status} by all that is known here; its latest disclosure date is ${latestDisclosure}`,
    'come back then, or once officers have disclosed it',
  );
}

/**
 * The closing key, from the shares that officers have published wherever they are.
 *
 * A bad share names its officer and blocks nobody. A server that refuses is as good as none.
 *
 * @throws {@link TemporaryError} while too few are out; {@link ProtocolError} `key_mismatch` when
 *   they do not make the key of the plan.
 */
export async function findClosingKey(
  session: ReaderSession,
  chain: Chain,
  mirrors: readonly Mirror[],
): Promise<string> {
  const { context, client } = session;
  const { plan } = chain;
  const warn = onceEach((text) => {
    context.out.warn(text);
  });
  const revisions = sameClosingKey(chain);
  const roots = rootsSince(chain.trust.roots, revisions[0]?.root.version ?? chain.root.version);
  const found = await findPublications(client, mirrors, revisions, ['closing'], warn).catch(
    (error: unknown): readonly Found[] => {
      warn(`going on without the server: ${reasonOf(error)}`);
      return [];
    },
  );
  const shares = verifyPublications(roots, plan, found, warn).flatMap((it): OfficerShare[] =>
    it.kind === 'share' && it.key === 'closing'
      ? [{ officer: it.officer, document: it.sealed }]
      : [],
  );
  try {
    const { key, bad } = await combineShares(shares, plan, 'closing');
    for (const { officer, reason } of bad) {
      warn(`what ${officer} published of the closing key is bad: ${reason}`);
    }
    return key;
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'threshold_unmet') throw error;
    throw new TemporaryError(
      `too few officers have published their shares: ${error.message}`,
      'repeat the command, name more mirrors with --mirror, and call an officer',
      { cause: error },
    );
  }
}
