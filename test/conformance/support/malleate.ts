/** Order of the group that Ed25519 works in. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same signature with S + L: the same equation, other bytes. */
export function addGroupOrder(signature: Uint8Array): Uint8Array {
  let s = 0n;
  for (const byte of signature.slice(32).reverse()) s = (s << 8n) | BigInt(byte);
  let sum = s + L;
  const bytes = Uint8Array.from(signature);
  for (let index = 32; index < 64; index += 1) {
    bytes[index] = Number(sum & 0xffn);
    sum >>= 8n;
  }
  return bytes;
}
