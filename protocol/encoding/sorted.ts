/** Tell whether texts rise strictly by their bytes, so that none is there twice. ASCII only. */
export function isStrictlySorted(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || (texts[i - 1] ?? '') < text);
}
