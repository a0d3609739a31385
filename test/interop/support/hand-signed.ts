import {
  signSums,
  officerKeysBeside,
  officerSignatureFiles,
} from '../../../protocol/embargo/sums-signatures.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { rootOf, signerNamed } from '../../protocol/trust/network.ts';
import type { Workshop } from './tools.ts';

export const SUMS = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);
export const SUBJECT = { campaign: 'SDX-2026-7KQ4', revision: 1 };

/** `SHA256SUMS`, ada's and bo's signatures over it, and all officers' keys, as `fetch` leaves them. */
export function handSign(shop: Workshop): void {
  const pairs = new Map(
    ['ada', 'bo'].map((id) => [id, signSums(SUMS, SUBJECT, signerNamed(`${id} signing`))]),
  );
  const files = [...officerSignatureFiles(pairs), ...officerKeysBeside(rootOf())];
  for (const [name, bytes] of [['SHA256SUMS', SUMS] as const, ...files]) shop.write(name, bytes);
}
