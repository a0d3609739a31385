import * as openpgp from 'openpgp';
import type { PrivateKey } from 'openpgp';
import { toHex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { requireArmor } from './armor.ts';
import {
  CLOCK_SKEW_MS,
  fingerprintOf,
  OPENPGP_CONFIG,
  readContactKey,
  readPublicKey,
} from './key.ts';

/** Full fingerprint of a pinned key → whose it is. The only signers that count. */
export type OfficerKeys = ReadonlyMap<
  string,
  { readonly person: string; readonly armoredKey: string }
>;

const MAX_SIGNATURES_CHARACTERS = 64 * 1024;
const MAX_SIGNATURES = 64;

/**
 * Pin officers' keys by their full fingerprints.
 *
 * @param officers - `id` is the person, `openpgp` the armoured public key, as a trust root has them.
 * @throws {@link ProtocolError} `key_invalid` for a bad key, or one key of two people.
 */
export async function officerKeys(
  officers: Iterable<{ readonly id: string; readonly openpgp: string }>,
): Promise<OfficerKeys> {
  const keys = new Map<string, { person: string; armoredKey: string }>();
  for (const { id, openpgp: armoredKey } of officers) {
    const fingerprint = fingerprintOf(await readPublicKey(armoredKey));
    if (keys.has(fingerprint)) throw new ProtocolError('key_invalid', 'one key of two officers');
    keys.set(fingerprint, { person: id, armoredKey });
  }
  return keys;
}

/**
 * Sign exact bytes, detached.
 *
 * @param privateKey - Armoured, or already read by {@link readContactKey}.
 * @param date - The time in the signature.
 * @returns One armoured block that `gpg --verify` and `sqv` read.
 * @throws {@link ProtocolError} `key_invalid` when the key cannot sign at that time.
 */
export async function detachedSign(
  bytes: Uint8Array,
  privateKey: string | PrivateKey,
  date: Date,
): Promise<string> {
  const key = typeof privateKey === 'string' ? await readContactKey(privateKey) : privateKey;
  const message = await openpgp.createMessage({ binary: bytes });
  const signature: unknown = await openpgp
    .sign({ message, signingKeys: key, detached: true, date, config: OPENPGP_CONFIG })
    .catch(() => undefined);
  if (typeof signature !== 'string')
    throw new ProtocolError('key_invalid', 'OpenPGP key cannot sign');
  return signature;
}

/**
 * Merge several signers' detached signatures into one armoured block.
 *
 * One block with several packets is read to its end by gpg, sqv and us; of concatenated blocks all
 * but gpg read the first only. A packet that is there twice is kept once.
 *
 * @throws {@link ProtocolError} `signature_invalid`, `too_large`. Nothing is verified here.
 */
export async function mergeDetached(armoredBlocks: readonly string[]): Promise<string> {
  const packets = new Map<string, openpgp.SignaturePacket>();
  for (const block of armoredBlocks) {
    for (const packet of await readSignatures(block)) {
      packets.set(toHex(packet.write()), packet);
    }
  }
  return new openpgp.Signature(packetList(...packets.values())).armor(OPENPGP_CONFIG);
}

/**
 * Verify detached signatures over exact bytes.
 *
 * Every signature must be a binary one by a pinned key and hold; one stranger refuses them all.
 *
 * @param keys - The pinned keys by full fingerprint, see {@link officerKeys}.
 * @param now - No signature may be from later, {@link CLOCK_SKEW_MS} allowed.
 * @returns The distinct people who signed, sorted; at least one.
 * @throws {@link ProtocolError} `signature_invalid`, also for a key that was expired when it signed
 *   or is revoked; `too_large`.
 */
export async function verifyDetached(
  bytes: Uint8Array,
  armored: string,
  keys: OfficerKeys,
  now: Date,
): Promise<string[]> {
  const people = new Set<string>();
  for (const packet of await readSignatures(armored)) {
    people.add(await verifySignature(bytes, packet, keys, now, 'signature_invalid'));
  }
  return [...people].sort();
}

/**
 * Verify one signature packet over exact bytes.
 *
 * @param packet - Untrusted. Whom it names as issuer only says which pinned key to try.
 * @returns The person whose pinned key made it.
 * @throws {@link ProtocolError} `code` unless it is a version 4 signature over binary data, by a
 *   pinned key that is not revoked and was valid when it signed, and not from the future.
 */
export async function verifySignature(
  bytes: Uint8Array,
  packet: openpgp.SignaturePacket,
  keys: OfficerKeys,
  now: Date,
  code: 'signature_invalid' | 'message_invalid',
): Promise<string> {
  const fingerprint = toHex(packet.issuerFingerprint ?? new Uint8Array()).toUpperCase();
  const officer = keys.get(fingerprint);
  const isBinary = packet.signatureType === openpgp.enums.signature.binary;
  if (officer === undefined || packet.version !== 4 || !isBinary) {
    throw new ProtocolError(code, 'OpenPGP signature is not by a key that has a say here');
  }
  const key = await readPublicKey(officer.armoredKey);
  if (fingerprintOf(key) !== fingerprint || key.revocationSignatures.length > 0) {
    throw new ProtocolError(code, `OpenPGP key of ${officer.person} is revoked or another`);
  }
  const { signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: bytes }),
    signature: new openpgp.Signature(packetList(packet)),
    verificationKeys: key,
    date: new Date(now.getTime() + CLOCK_SKEW_MS),
    config: OPENPGP_CONFIG,
  });
  // `verify` resolves whatever it finds; only awaiting `verified` tells.
  const [verdict, ...others] = signatures;
  const isGood = await verdict?.verified.catch(() => false);
  if (isGood !== true || others.length > 0) {
    throw new ProtocolError(code, `OpenPGP signature of ${officer.person} does not hold`);
  }
  return officer.person;
}

async function readSignatures(armored: string): Promise<openpgp.SignaturePacket[]> {
  const block = requireArmor(armored, 'SIGNATURE', MAX_SIGNATURES_CHARACTERS, 'signature_invalid');
  const signature = await openpgp
    .readSignature({ armoredSignature: block, config: OPENPGP_CONFIG })
    .catch(() => undefined);
  const packets = [...(signature?.packets ?? [])];
  // What the library cannot read it leaves in the list as another class of packet.
  const isReadable = packets.every((packet) => packet instanceof openpgp.SignaturePacket);
  if (!isReadable || packets.length === 0 || packets.length > MAX_SIGNATURES) {
    throw new ProtocolError('signature_invalid', `not 1 to ${MAX_SIGNATURES} OpenPGP signatures`);
  }
  return packets;
}

function packetList(
  ...packets: openpgp.SignaturePacket[]
): openpgp.PacketList<openpgp.SignaturePacket> {
  const list = new openpgp.PacketList<openpgp.SignaturePacket>();
  list.push(...packets);
  return list;
}
