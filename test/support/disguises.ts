import { base32, base58 } from '@scure/base';

/**
 * Everything that a canary of random bytes could look like where somebody keeps it: as bytes, or as
 * its hex text, each of them as it is or encoded once more.
 */
export function disguises(canary: Buffer): Buffer[] {
  const hex = canary.toString('hex');
  const bytes = [...canary];
  return [
    canary,
    Buffer.from(canary.toReversed()),
    Buffer.from(hex),
    Buffer.from(hex.toUpperCase()),
    Buffer.from(hex, 'utf16le'),
    Buffer.from(hex, 'utf16le').swap16(),
    ...base64Of(canary),
    ...base64Of(Buffer.from(hex)),
    Buffer.from(canary.toString('base64url').slice(0, 40)),
    Buffer.from(base32.encode(canary).slice(0, 48)),
    Buffer.from(base58.encode(canary)),
    Buffer.from(bytes.join(',')),
    Buffer.from(bytes.join(', ')),
    Buffer.from(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')),
    Buffer.from(bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')),
    Buffer.from(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
  ];
}

/** Where it begins in a longer text is not known; characters that depend on neighbours are cut off. */
function base64Of(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((padding) => {
    const shifted = Buffer.concat([Buffer.alloc(padding), bytes]).toString('base64');
    return Buffer.from(shifted.slice(padding === 0 ? 0 : 4, -4).replace(/=+$/, ''));
  });
}
