import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { parseDirective } from '../../../protocol/statement/directive.ts';
import type { DirectiveStore } from './directive-store.ts';

/** Whether officers have put a plan in force, now or earlier: whoever sees their directives needs it. */
export async function hasBeenInForce(
  store: Pick<DirectiveStore, 'listDirectives'>,
  campaign: string,
  digest: string,
): Promise<boolean> {
  const completed = await store.listDirectives(campaign);
  return completed.some(
    ({ envelope }) => parseDirective(parseEnvelope(utf8Encode(envelope)).payload).plan === digest,
  );
}
