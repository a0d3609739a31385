import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { ciphertextsOf } from '../../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { encodeTuf, parseTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildTargets, verifyTargets, type Targets } from '../../../protocol/trust/tuf.ts';
import { refreshTargets, type TrustedTargets } from '../../client/targets.ts';
import type { OfficerSession } from '../session.ts';

/** Operators may fetch ciphertext this long after the campaign has to be over. */
const KEEP_MS = 90 * 86_400_000;

/** No honest proposal is good for longer. */
const MAX_LIFETIME_MS = 3 * 366 * 86_400_000;

/** The TUF targets that `arm`, `supersede` or another wording brings, signed by us alone. */
export async function proposeTargets(session: OfficerSession, plan: Plan): Promise<Uint8Array> {
  const current = await refreshTargets(
    session.home,
    session.client,
    session.trust,
    session.context.now(),
  );
  const expires = Math.max(parseTime(current.expires), parseTime(plan.latestDisclosure) + KEEP_MS);
  const signed = buildTargets({
    version: current.version + 1,
    expires: formatTime(expires),
    bundles: [...wantedBundles(current, plan)].map(([sha256, size]) => ({ sha256, size })),
  });
  return encodeTuf(signed, signTuf(signed, session.keys.signer));
}

/**
 * Check the targets that another officer proposed with a move: they keep what is there, add this
 * campaign's ciphertexts, and nothing else.
 *
 * @returns The same content, signed by us.
 * @throws {@link ProtocolError} `trust_invalid`, `signature_invalid`.
 */
export async function cosignTargets(
  session: OfficerSession,
  plan: Plan,
  proposed: Uint8Array | undefined,
): Promise<Uint8Array> {
  if (proposed === undefined)
    throw new ProtocolError('trust_invalid', 'no TUF targets came with the move');
  const { context, home, client, keys, trust } = session;
  const { targets } = verifyTargets(proposed, trust.root, verifyEd25519, 1);
  const now = context.now();
  checkTargets(targets, await refreshTargets(home, client, trust, now), plan, now);
  const { signed } = parseTuf(proposed);
  return encodeTuf(signed, signTuf(signed, keys.signer));
}

function checkTargets(proposed: Targets, current: TrustedTargets, plan: Plan, now: number): void {
  const wanted = wantedBundles(current, plan);
  const isSame =
    proposed.bundles.length === wanted.size &&
    proposed.bundles.every(({ sha256, size }) => wanted.get(sha256) === size);
  const expires = parseTime(proposed.expires);
  demand(proposed.version === current.version + 1, `version ${current.version + 1} is next`);
  demand(isSame, 'they list other ciphertexts than those there and those of this plan');
  demand(expires >= parseTime(plan.latestDisclosure), 'they expire before the last date');
  demand(expires <= now + MAX_LIFETIME_MS, 'they never expire');
}

function wantedBundles(current: TrustedTargets, plan: Plan): ReadonlyMap<string, number> {
  return new Map([
    ...current.bundles,
    ...ciphertextsOf(plan).map(({ sha256, size }): [string, number] => [sha256, size]),
  ]);
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('trust_invalid', `targets: ${otherwise}`);
}
