import { serverCustodyText } from '../../protocol/plan/server-custody.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import type { Output } from '../output.ts';

/** Said by every command about a campaign that gives shares to the server, once. */
export function warnOfServerCustody(out: Output, plan: Plan): void {
  const text = serverCustodyText(plan);
  if (text !== undefined) out.warnOnce(`${plan.campaign}: ${text}`);
}
