import type { Plan } from './body.ts';

/** A ciphertext as a plan lists it. */
export interface PlannedCiphertext {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Every ciphertext of a plan: the bundle of each variant, and the closing bundle. */
export function ciphertextsOf({
  bundles,
  closingBundle,
}: Pick<Plan, 'bundles' | 'closingBundle'>): readonly PlannedCiphertext[] {
  return [...bundles, closingBundle];
}

/** Those of several plans, each once. */
export function ciphertextsOfAll(plans: readonly Plan[]): readonly PlannedCiphertext[] {
  return [...new Map(plans.flatMap(ciphertextsOf).map((it) => [it.sha256, it])).values()];
}
