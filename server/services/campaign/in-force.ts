import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { parseDirective } from '../../../protocol/campaign/directive.ts';
import type { DirectiveStore } from './directive-store.ts';

/** Digests of the plans that officers have put in force; no other is shown to operators. */
export async function plansInForce(
  store: Pick<DirectiveStore, 'listDirectives'>,
  campaign: string,
): Promise<ReadonlySet<string>> {
  const completed = await store.listDirectives(campaign);
  return new Set(
    completed.map(
      ({ envelope }) => parseDirective(parseEnvelope(utf8Encode(envelope)).payload).plan,
    ),
  );
}
