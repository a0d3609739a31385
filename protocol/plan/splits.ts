import { ProtocolError } from '../errors.ts';
import type { Plan } from './body.ts';
import type { KeyName } from './key-name.ts';

/** The splits that a plan has. */
export function keysOf({ breakGlassThreshold }: Plan): readonly KeyName[] {
  return breakGlassThreshold === undefined
    ? ['release', 'closing']
    : ['release', 'closing', 'break-glass'];
}

/**
 * How many shares of one split make its key.
 *
 * @throws {@link ProtocolError} `plan_invalid` for a split that the plan does not have.
 */
export function thresholdOf({ shareThreshold, breakGlassThreshold }: Plan, key: KeyName): number {
  if (key !== 'break-glass') return shareThreshold;
  if (breakGlassThreshold !== undefined) return breakGlassThreshold;
  throw new ProtocolError('plan_invalid', 'the plan has no break-glass split');
}
