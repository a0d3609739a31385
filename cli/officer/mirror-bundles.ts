import { ProtocolError } from '../../protocol/errors.ts';
import { ciphertextsOf } from '../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { checkBundle } from '../client/check-bundle.ts';
import type { Mirror, PlannedBundle } from '../client/mirror.ts';
import { ProblemError } from '../errors.ts';
import { keepCiphertext } from '../operator/ciphertext.ts';
import type { OfficerSession } from './session.ts';

/** How many ciphertexts of a plan a mirror had, and how many it was brought. */
export interface BroughtBundles {
  readonly mirror: string;
  readonly there: number;
  readonly put: number;
}

/**
 * Bring every ciphertext of a plan to a mirror that has not got it whole, and read it back: what a
 * mirror says it has taken is not believed either.
 *
 * @throws {@link ProtocolError} when a mirror hands out other bytes than it was given; {@link CliError}
 *   when it takes none, or nobody has the ciphertext.
 */
export async function bringBundles(
  session: OfficerSession,
  plan: Plan,
  mirror: Mirror,
): Promise<Pick<BroughtBundles, 'there' | 'put'>> {
  const { context, home } = session;
  const bundles = ciphertextsOf(plan);
  let put = 0;
  for (const bundle of bundles) {
    const name = `${bundle.sha256.slice(0, 12)}…`;
    const tell = (verb: string, length: number): void => {
      context.out.progress(`${mirror.name}: ${verb} ${name}, ${length} of ${bundle.size} bytes`);
    };
    if (await isThere(mirror, bundle, tell)) continue;
    const path = await keepCiphertext(session, home.campaign(plan.campaign), bundle, []);
    tell('putting', 0);
    await mirror.putBundle(bundle, path);
    await checkBundle(mirror, bundle, (length) => {
      tell('reading back', length);
    });
    put += 1;
  }
  return { there: bundles.length - put, put };
}

async function isThere(
  mirror: Mirror,
  bundle: PlannedBundle,
  tell: (verb: string, length: number) => void,
): Promise<boolean> {
  try {
    await checkBundle(mirror, bundle, (length) => {
      tell('checking', length);
    });
    return true;
  } catch (error) {
    // Another file under this name is replaced.
    if (error instanceof ProtocolError) return false;
    if (error instanceof ProblemError && error.status === 404) return false;
    throw error;
  }
}
