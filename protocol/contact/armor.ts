import { ProtocolError } from '../errors.ts';
import type { ProtocolErrorCode } from '../errors.ts';

/** The kinds of armoured block we read. A cleartext-signed message is none of them, on purpose. */
export type ArmorLabel = 'MESSAGE' | 'SIGNATURE' | 'PUBLIC KEY BLOCK' | 'PRIVATE KEY BLOCK';

const DASHES = '-----';
const BODY = /^\r?\n\r?\n[A-Za-z0-9+/=\r\n]+$/;
const KEY_BODY = /^\r?\n(?:[A-Za-z]+: [ -~]*\r?\n)*\r?\n[A-Za-z0-9+/=\r\n]+$/;

/**
 * Require that `text` is one armoured OpenPGP block and nothing else.
 *
 * Readers of OpenPGP skip whatever stands around a block, so a mail could say more than was signed.
 * Armour headers, which are unsigned text too, are allowed on keys only, where tools put a version.
 *
 * @param maxCharacters - Checked first.
 * @param code - What to throw: the caller's `key_invalid`, `signature_invalid` …
 * @returns The block without the whitespace around it.
 * @throws {@link ProtocolError} `too_large`, `code`.
 * @see RFC 9580, section 6.2
 */
export function requireArmor(
  text: string,
  label: ArmorLabel,
  maxCharacters: number,
  code: ProtocolErrorCode,
): string {
  if (text.length > maxCharacters) throw new ProtocolError('too_large', 'armoured block too long');
  const block = text.trim();
  const begin = `${DASHES}BEGIN PGP ${label}${DASHES}`;
  const end = `${DASHES}END PGP ${label}${DASHES}`;
  const body = block.slice(begin.length, -end.length);
  const grammar = label.endsWith('KEY BLOCK') ? KEY_BODY : BODY;
  if (!block.startsWith(begin) || !block.endsWith(end) || !grammar.test(body)) {
    throw new ProtocolError(code, `not one armoured PGP ${label} and nothing else`);
  }
  return block;
}
