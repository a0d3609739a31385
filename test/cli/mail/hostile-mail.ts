import * as openpgp from 'openpgp';
import type { ContactKey } from '../../../protocol/contact/contact-key.ts';
import { readPublicKey } from '../../../protocol/contact/key.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';

/** What an attacker puts into a message. Each part that is missing is left out of it. */
export interface RawMessage {
  readonly content: Uint8Array;
  readonly signers: readonly ContactKey[];
  readonly recipient: ContactKey;
  readonly date: Date;
  readonly config?: openpgp.PartialConfig;
}

/** Sign and encrypt whatever is given, as any OpenPGP program can. */
export async function encryptRaw(raw: RawMessage): Promise<string> {
  const signingKeys = await Promise.all(
    raw.signers.map(({ privateKey }) => openpgp.readPrivateKey({ armoredKey: privateKey })),
  );
  const encrypted: unknown = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: raw.content }),
    encryptionKeys: await readPublicKey(raw.recipient.publicKey),
    ...(signingKeys.length > 0 ? { signingKeys } : {}),
    date: raw.date,
    ...(raw.config ? { config: raw.config } : {}),
  });
  return String(encrypted);
}

/** Sign, change the packets of the signed message, then encrypt what came of it. */
export async function encryptPackets(
  raw: RawMessage,
  change: (packets: openpgp.AnyPacket[]) => openpgp.AnyPacket[],
): Promise<string> {
  const [signer] = raw.signers;
  if (!signer) throw new Error('nobody signs');
  const signed: openpgp.Message<Uint8Array> = await openpgp.sign({
    message: await openpgp.createMessage({ binary: raw.content }),
    signingKeys: await openpgp.readPrivateKey({ armoredKey: signer.privateKey }),
    date: raw.date,
    format: 'object',
  });
  const list = new openpgp.PacketList<openpgp.AnyPacket>();
  list.push(...change([...signed.packets]));
  const changed = new openpgp.Message(list);
  const encrypted = await changed.encrypt([await readPublicKey(raw.recipient.publicKey)]);
  return encrypted.armor();
}

/** Open a message without any check, to see or change what is inside. */
export async function peek(armored: string, recipient: ContactKey): Promise<string> {
  const decrypted: openpgp.DecryptMessageResult = await openpgp.decrypt({
    message: await openpgp.readMessage({ armoredMessage: armored }),
    decryptionKeys: await openpgp.readPrivateKey({ armoredKey: recipient.privateKey }),
    format: 'binary',
  });
  const data: unknown = decrypted.data;
  if (!(data instanceof Uint8Array)) throw new Error('not bytes');
  return utf8Decode(data);
}

/** A saved mail as a server sends it around an armoured block, with changes to it. */
export function wrapMail(
  armored: string,
  changes: {
    readonly preamble?: string;
    readonly between?: string;
    readonly extraPart?: string;
    readonly after?: string;
    readonly contentType?: string;
    readonly extraHeader?: string;
    readonly payloadHeader?: string;
    readonly version?: string;
    readonly payloadType?: string;
  } = {},
): Uint8Array {
  const type = 'multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="b1"';
  return utf8Encode(
    [
      'Received: from mx.example (mx.example [192.0.2.1]) by mail.val.example',
      'Received: from localhost by mx.example',
      'From: Coordinator <notices@relay.example>',
      'To: ops@val.example',
      'Subject: [...]',
      'Message-ID: <m1@foundation.example>',
      'MIME-Version: 1.0',
      ...(changes.extraHeader === undefined ? [] : [changes.extraHeader]),
      `Content-Type: ${changes.contentType ?? type}`,
      '',
      changes.preamble ?? '',
      '--b1',
      'Content-Type: application/pgp-encrypted',
      'Content-Transfer-Encoding: 7bit',
      '',
      changes.version ?? 'Version: 1',
      '',
      '--b1',
      changes.payloadType ?? 'Content-Type: application/octet-stream; name="encrypted.asc"',
      'Content-Disposition: inline; filename="encrypted.asc"',
      ...(changes.payloadHeader === undefined ? [] : [changes.payloadHeader]),
      '',
      `${changes.between ?? ''}${armored}${changes.extraPart ?? ''}`,
      '--b1--',
      changes.after ?? '',
    ].join('\n'),
  );
}
