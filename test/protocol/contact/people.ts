import * as openpgp from 'openpgp';
import { generateContactKey } from '../../../protocol/contact/contact-key.ts';
import type { ContactKey } from '../../../protocol/contact/contact-key.ts';
import { officerKeys } from '../../../protocol/contact/detached.ts';
import type { OfficerKeys } from '../../../protocol/contact/detached.ts';

/** When every key of these tests is made. */
export const BEGIN = new Date('2026-11-01T00:00:00Z');

/** When the tests take place. */
export const NOW = new Date('2026-11-20T12:00:00Z');

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Two officers, an operator, and an attacker who calls himself as the first officer does. */
export interface People {
  readonly alice: ContactKey;
  readonly bob: ContactKey;
  readonly operator: ContactKey;
  readonly impostor: ContactKey;
  readonly officers: OfficerKeys;
}

export async function meet(date = BEGIN): Promise<People> {
  const aliceId = { name: 'Alice Officer', email: 'alice@foundation.example' };
  const alice = await generateContactKey(aliceId, date);
  const bob = await generateContactKey({ name: 'Bob', email: 'bob@foundation.example' }, date);
  const operator = await generateContactKey({ name: 'Val', email: 'ops@val.example' }, date);
  const impostor = await generateContactKey(aliceId, date);
  const officers = await officerKeys([
    { id: 'alice', openpgp: alice.publicKey },
    { id: 'bob', openpgp: bob.publicKey },
  ]);
  return { alice, bob, operator, impostor, officers };
}

/** A key that expires, in the one shape our own generator does not make. */
export const expiringKey = (keyExpirationTime: number): Promise<ContactKey> =>
  otherKey({ type: 'ecc', curve: 'ed25519Legacy', keyExpirationTime });

/** An RSA key of 3072 bits, for what Ed25519 does not even allow. */
export const rsaKey = (): Promise<ContactKey> => otherKey({ type: 'rsa', rsaBits: 3072 });

async function otherKey(
  options:
    | { readonly type: 'ecc'; readonly curve: 'ed25519Legacy'; readonly keyExpirationTime: number }
    | { readonly type: 'rsa'; readonly rsaBits: number },
): Promise<ContactKey> {
  const userIDs = { name: 'Alice Officer', email: 'alice@foundation.example' };
  const { privateKey, publicKey } = await openpgp.generateKey({
    userIDs,
    date: BEGIN,
    ...options,
    format: 'object',
  });
  return {
    fingerprint: publicKey.getFingerprint().toUpperCase(),
    publicKey: publicKey.armor(),
    privateKey: privateKey.armor(),
  };
}

/** The same key, carrying its own revocation as compromised. */
export async function revoked(
  key: ContactKey,
  properties: Partial<openpgp.SignaturePacket> = {},
): Promise<ContactKey> {
  const { keyPacket } = await openpgp.readPrivateKey({ armoredKey: key.privateKey });
  const publicKey = await openpgp.readKey({ armoredKey: key.publicKey });
  const revocation = await signPacket(
    keyPacket,
    { key: publicKey.keyPacket },
    {
      signatureType: openpgp.enums.signature.keyRevocation,
      reasonForRevocationFlag: openpgp.enums.reasonForRevocation.keyCompromised,
      reasonForRevocationString: '',
      ...properties,
    },
    new Date(NOW.getTime() - DAY_MS),
  );
  publicKey.revocationSignatures.push(revocation);
  return { ...key, publicKey: publicKey.armor() };
}

/** The same key, but allowed by its owner to certify only. */
export async function certifyOnly(key: ContactKey): Promise<ContactKey> {
  const { keyPacket } = await openpgp.readPrivateKey({ armoredKey: key.privateKey });
  const publicKey = await openpgp.readKey({ armoredKey: key.publicKey });
  const [user] = publicKey.users;
  const [own] = user?.selfCertifications ?? [];
  if (!user?.userID || !own) throw new Error('key without user id');
  const certification = await signPacket(
    keyPacket,
    { userID: user.userID, key: publicKey.keyPacket },
    {
      signatureType: openpgp.enums.signature.certPositive,
      keyFlags: Uint8Array.of(openpgp.enums.keyFlags.certifyKeys),
    },
    BEGIN,
  );
  user.selfCertifications = [certification];
  return { ...key, publicKey: publicKey.armor() };
}

/**
 * A detached signature by `key` that claims to be by `victim`'s, made without any of the checks
 * that an honest signer runs.
 */
export async function signAs(
  bytes: Uint8Array,
  key: ContactKey,
  victim: ContactKey,
  properties: Partial<openpgp.SignaturePacket> = {},
): Promise<string> {
  const own = (await openpgp.readPrivateKey({ armoredKey: key.privateKey })).keyPacket;
  const theirs = (await openpgp.readKey({ armoredKey: victim.publicKey })).keyPacket;
  const signer = new Proxy(own, {
    get: (target, name) => {
      if (name === 'getFingerprintBytes') return () => theirs.getFingerprintBytes();
      if (name === 'getKeyID') return () => theirs.getKeyID();
      return Reflect.get(target, name) as unknown;
    },
  });
  const [literal] = (await openpgp.createMessage({ binary: bytes })).packets;
  if (!literal) throw new Error('message without packet');
  const packet = await signPacket(signer, literal, properties, NOW);
  const list = new openpgp.PacketList<openpgp.SignaturePacket>();
  list.push(packet);
  return new openpgp.Signature(list).armor();
}

async function signPacket(
  key: openpgp.SecretKeyPacket | openpgp.PublicKeyPacket,
  data: object,
  properties: Partial<openpgp.SignaturePacket>,
  date: Date,
): Promise<openpgp.SignaturePacket> {
  const packet = Object.assign(new openpgp.SignaturePacket(), {
    signatureType: openpgp.enums.signature.binary,
    publicKeyAlgorithm: key.algorithm,
    hashAlgorithm: openpgp.enums.hash.sha512,
    ...properties,
  });
  // The library takes a configuration here that its types do not know.
  const sign = packet.sign.bind(packet) as (...args: unknown[]) => Promise<void>;
  const config = { ...openpgp.config, nonDeterministicSignaturesViaNotation: false };
  await sign(key, data, date, true, config);
  return packet;
}
