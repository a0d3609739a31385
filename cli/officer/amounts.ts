/** `part` of `whole` in percent with two decimals, rounded down: for people, never for a decision. */
export function percent(part: bigint, whole: bigint): string {
  if (whole <= 0n) return '0.00 %';
  const hundredths = (part * 10_000n) / whole;
  return `${String(hundredths / 100n)}.${String(hundredths % 100n).padStart(2, '0')} %`;
}

/**
 * A bar of `width` cells with the lines at one third and two thirds drawn in.
 *
 * ```
 * ████████|███████·····|············
 * ```
 */
export function bar(part: bigint, whole: bigint, width = 60): string {
  const filled = whole <= 0n ? 0 : Number((part * BigInt(width)) / whole);
  const lines = new Set([Math.floor(width / 3), Math.floor((2 * width) / 3)]);
  return Array.from({ length: width }, (_, cell) =>
    lines.has(cell) ? '|' : cell < filled ? '#' : '.',
  ).join('');
}

/** Time to go, or since: `2 d 03:04:05`, with a minus sign before the moment has come. */
export function countdown(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const pad = (n: number): string => String(n).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `T${ms > 0 ? '-' : '+'}${days > 0 ? `${days} d ` : ''}${clock.map(pad).join(':')}`;
}
