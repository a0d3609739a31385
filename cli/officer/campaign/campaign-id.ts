/** Crockford's letters: none that is taken for another when read out on the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A new campaign id, `SDX-2026-7KQ4`. Random, so that ids tell nothing about how many there were.
 *
 * @param now - Unix ms.
 */
export function generateCampaignId(now: number, random: (length: number) => Uint8Array): string {
  const year = String(new Date(now).getUTCFullYear()).padStart(4, '0');
  const letters = [...random(4)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '');
  return `SDX-${year}-${letters.join('')}`;
}
