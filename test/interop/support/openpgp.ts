import { detachedSign, mergeDetached } from '../../../protocol/contact/detached.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { People } from '../../protocol/contact/people.ts';
import type { Workshop } from './tools.ts';

// The other programs read the machine's clock, so keys and signatures go by it too.
export const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);

export const SUMS = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);

/** `SHA256SUMS` and, in one block, alice's and bob's signatures: the paths of both. */
export async function twoSignatures(
  shop: Workshop,
  { alice, bob }: People,
): Promise<{ data: string; signature: string; blocks: readonly string[] }> {
  const blocks = await Promise.all(
    [alice, bob].map(({ privateKey }) => detachedSign(SUMS, privateKey, NOW)),
  );
  const signature = shop.write('SHA256SUMS.asc', await mergeDetached(blocks));
  return { data: shop.write('SHA256SUMS', SUMS), signature, blocks };
}
