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
    // As a string of one character a byte, in what strings are kept and sent as.
    Buffer.from(canary.toString('latin1')),
    Buffer.from(canary.toString('latin1'), 'utf16le'),
    ...[canary, Buffer.from(hex)].flatMap(base64Of),
    // What is base64 inside JSON that travels as base64, like everything in an envelope.
    ...base64Of(canary).flatMap(base64Of),
    ...base64Of(canary).map((it) =>
      Buffer.from(it.toString('utf8').replace(/\+/g, '-').replace(/\//g, '_')),
    ),
    Buffer.from(base32.encode(canary).slice(0, 48)),
    Buffer.from(base58.encode(canary)),
    Buffer.from(bytes.join(',')),
    Buffer.from(bytes.join(', ')),
    Buffer.from(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')),
    Buffer.from(bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')),
    Buffer.from(bytes.map((byte) => `\\u00${byte.toString(16).padStart(2, '0')}`).join('')),
    ...['', 'upper'].map((letters) => {
      const digits = letters === '' ? hex : hex.toUpperCase();
      return Buffer.from(digits.replace(/../g, '%$&'));
    }),
  ];
}

/** Where it begins in a longer text is not known; characters that depend on neighbours are cut off. */
function base64Of(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((padding) => {
    const shifted = Buffer.concat([Buffer.alloc(padding), bytes]).toString('base64');
    return Buffer.from(shifted.slice(padding === 0 ? 0 : 4, -4).replace(/=+$/, ''));
  });
}
