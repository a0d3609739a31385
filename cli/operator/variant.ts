import type { Plan } from '../../protocol/plan/plan.ts';
import { UsageError } from '../errors.ts';

/**
 * The client variant that is meant.
 *
 * @param wanted - As typed; may be missing when there is only one.
 */
export function chooseVariant({ bundles }: Plan, wanted: string | undefined): string {
  const names = bundles.map(({ variant }) => variant);
  const chosen = wanted ?? (names.length === 1 ? names[0] : undefined);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw new UsageError(
    wanted === undefined ? 'there are several variants' : `there is no variant ${wanted}`,
    `give --variant with one of: ${names.join(', ')}`,
  );
}
