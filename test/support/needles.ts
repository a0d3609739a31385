/** Finds any of many byte strings in one pass. */
export interface Needles {
  /** Names of those that are in there, each once. */
  findIn(haystack: Uint8Array): ReadonlySet<string>;
}

/** Of each needle only so much decides where to look closer. */
const WINDOW = 32;
const TABLE_BITS = 16;

/**
 * Look for all of them at once, after Wu and Manber: three bytes say how far the next place is where
 * any needle could end, so that most of a haystack is never looked at.
 *
 * @param needles - Each at least 32 bytes long; several may have one name.
 */
export function needlesOf(
  needles: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Needles {
  const shifts = new Uint8Array(2 ** TABLE_BITS).fill(WINDOW - 2);
  // By the slot of their window's end: where one of them may be is, by chance, also all of an empty page.
  const candidates = Map.groupBy(needles, ({ bytes }) => slotAt(bytes, WINDOW - 1));
  for (const { bytes } of needles) {
    if (bytes.length < WINDOW) throw new RangeError(`a needle has ${WINDOW} bytes or more`);
    for (let end = 2; end < WINDOW; end++) {
      const slot = slotAt(bytes, end);
      shifts[slot] = Math.min(shifts[slot] ?? 0, WINDOW - 1 - end);
    }
  }
  return {
    findIn(haystack) {
      const found = new Set<string>();
      const text = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.length);
      for (let end = WINDOW - 1; end < haystack.length;) {
        const slot = slotAt(haystack, end);
        const shift = shifts[slot] ?? 1;
        if (shift === 0) {
          const start = end - WINDOW + 1;
          for (const { name, bytes } of candidates.get(slot) ?? []) {
            if (bytes[0] !== haystack[start]) continue;
            if (text.subarray(start, start + bytes.length).equals(bytes)) found.add(name);
          }
        }
        end += shift || 1;
      }
      return found;
    },
  };
}

function slotAt(bytes: Uint8Array, end: number): number {
  const [a, b, c] = [bytes[end - 2] ?? 0, bytes[end - 1] ?? 0, bytes[end] ?? 0];
  return (a ^ (b << 4) ^ (c << 8)) & (2 ** TABLE_BITS - 1);
}
