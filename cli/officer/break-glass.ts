import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/** Why shares of the second split are out, or are about to be; `undefined` when they are not. */
export function breakGlassText({
  plan,
  state,
  view,
}: Pick<Standing, 'plan' | 'state' | 'view'>): string | undefined {
  const { published } = view.breakGlass;
  const isBroken = state.breakGlass === 'broken';
  if (!isBroken && published.length === 0) return undefined;
  const why = isBroken
    ? 'officers broke the time-lock by `leaked`'
    : 'officers used the second split by hand';
  const names = published.length === 0 ? '' : `: ${published.join(', ')}`;
  return `BREAK-GLASS: ${why}; ${published.length} of ${plan.breakGlassThreshold ?? 0} shares are out${names}`;
}

/** Said by every officer's command about such a campaign. */
export function warnOfBreakGlass({ context }: OfficerSession, standing: Standing): void {
  const text = breakGlassText(standing);
  if (text !== undefined) context.out.warn(`${standing.plan.campaign}: ${text}`);
}
