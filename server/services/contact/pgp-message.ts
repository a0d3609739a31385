import { requireArmor } from '../../../protocol/contact/armor.ts';
import { ProtocolError } from '../../../protocol/errors.ts';

const SESSION_KEY = 1;
const ENCRYPTED_DATA = 18;

interface Packet {
  readonly tag: number;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * Require an armored OpenPGP message that is encrypted to public keys, and nothing else.
 *
 * Only packet headers are looked at: session keys for recipients, then one integrity-protected
 * packet up to the end. A signed or literal message, which anybody could read, is refused, so that
 * an officer's slip does not end in our outbox.
 *
 * @throws {@link ProtocolError} `message_invalid`, `too_large`
 * @see RFC 9580, sections 4.2 and 6.2
 */
export function requireEncryptedMessage(armored: string, maxCharacters: number): string {
  const block = requireArmor(armored, 'MESSAGE', maxCharacters, 'message_invalid');
  const bytes = dearmor(block);
  const tags: number[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const packet = readPacket(bytes, offset);
    tags.push(packet.tag);
    offset = packet.end;
  }
  const isEncrypted =
    tags.length >= 2 && tags.pop() === ENCRYPTED_DATA && tags.every((tag) => tag === SESSION_KEY);
  if (!isEncrypted) throw refused('not encrypted to a public key');
  return block;
}

/** The base64 between the armor lines, without the checksum line that older tools add. */
function dearmor(block: string): Buffer {
  const lines = block.split(/\r?\n/).slice(1, -1);
  return Buffer.from(lines.filter((line) => !line.startsWith('=')).join(''), 'base64');
}

function readPacket(bytes: Buffer, offset: number): Packet {
  const header = byteAt(bytes, offset);
  if ((header & 0x80) === 0) throw refused('malformed packet');
  const isNewFormat = (header & 0x40) !== 0;
  if (isNewFormat) return { tag: header & 0x3f, end: endOfNewPacket(bytes, offset + 1) };
  return { tag: (header >> 2) & 0x0f, end: endOfOldPacket(bytes, offset + 1, header & 0x03) };
}

/** New-format lengths; data may come in several parts, each with its own length. */
function endOfNewPacket(bytes: Buffer, start: number): number {
  let offset = start;
  for (;;) {
    const first = byteAt(bytes, offset);
    if (first < 192) return checked(bytes, offset + 1 + first);
    if (first < 224) {
      const length = ((first - 192) << 8) + byteAt(bytes, offset + 1) + 192;
      return checked(bytes, offset + 2 + length);
    }
    if (first === 255) return checked(bytes, offset + 5 + numberAt(bytes, offset + 1, 4));
    offset = checked(bytes, offset + 1 + 2 ** (first & 0x1f));
  }
}

function endOfOldPacket(bytes: Buffer, offset: number, lengthType: number): number {
  if (lengthType === 3) return bytes.length;
  const octets = 2 ** lengthType;
  return checked(bytes, offset + octets + numberAt(bytes, offset, octets));
}

function numberAt(bytes: Buffer, offset: number, octets: number): number {
  checked(bytes, offset + octets);
  return bytes.readUIntBE(offset, octets);
}

function byteAt(bytes: Buffer, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw refused('cut off');
  return byte;
}

function checked(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw refused('cut off');
  return end;
}

function refused(reason: string): ProtocolError {
  return new ProtocolError('message_invalid', `OpenPGP message: ${reason}`);
}
