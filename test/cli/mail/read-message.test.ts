import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import * as openpgp from 'openpgp';
import { buildMessage } from '../../../cli/mail/message.ts';
import type { OutgoingMail } from '../../../cli/mail/message.ts';
import { buildEncryptedMail } from '../../../server/jobs/mime.ts';
import { readMessage } from '../../../cli/mail/read-message.ts';
import type { ReceivedMail } from '../../../cli/mail/read-message.ts';
import { readContactKey, readPublicKey } from '../../../protocol/contact/key.ts';
import { officerKeys } from '../../../protocol/contact/detached.ts';
import type { OfficerKeys } from '../../../protocol/contact/detached.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { DAY_MS, expiringKey, meet, NOW, revoked } from '../../protocol/contact/people.ts';
import type { People } from '../../protocol/contact/people.ts';
import { encryptPackets, encryptRaw, peek, wrapMail } from './hostile-mail.ts';

const NOTICE = utf8Encode('sealdrop-document/v1\n…\n');

let people: People;
let mail: OutgoingMail;
let genuine: string;
let entity: string;

before(async () => {
  people = await meet();
  mail = {
    from: { name: 'Example Foundation', address: 'security@foundation.example' },
    signingKey: people.alice.privateKey,
    recipient: people.operator.publicKey,
    subject: 'Coordinated update on 20 November, 14:00 UTC',
    text: 'Please be ready at 14:00 UTC.\nGrüße\n',
    attachments: [
      { name: 'notice.txt', bytes: NOTICE },
      { name: 'COMMITMENT', bytes: utf8Encode(`${'a'.repeat(64)}  notice.txt\n`) },
    ],
    messageId: '<SDX-2026-7KQ4.notice.1@foundation.example>',
    date: NOW,
    exercise: false,
  };
  genuine = await buildMessage(mail);
  entity = await peek(genuine, people.operator);
});

const read = (
  bytes: Uint8Array | string,
  officers: OfficerKeys = people.officers,
  now = NOW,
): Promise<ReceivedMail> =>
  readMessage(
    typeof bytes === 'string' ? utf8Encode(bytes) : bytes,
    people.operator.privateKey,
    officers,
    now,
  );

const refuses = async (bytes: Uint8Array | string, officers?: OfficerKeys): Promise<void> => {
  const code = 'message_invalid';
  await assert.rejects(officers ? read(bytes, officers) : read(bytes), { code });
};

/** A message that an officer did sign, with something in it that our builder never writes. */
async function resign(change: (text: string) => string): Promise<string> {
  const changed = change(entity);
  assert.notEqual(changed, entity, 'the test changed nothing');
  const { alice, operator } = people;
  const content = utf8Encode(changed);
  return encryptRaw({ content, signers: [alice], recipient: operator, date: NOW });
}

const rawMessage = (): Parameters<typeof encryptRaw>[0] => ({
  content: utf8Encode(entity),
  signers: [people.alice],
  recipient: people.operator,
  date: NOW,
});

describe('readMessage', () => {
  it('opens what an officer built, from the armoured block and from a saved mail', async () => {
    const expected: ReceivedMail = {
      from: 'alice',
      subject: mail.subject,
      text: mail.text,
      attachments: new Map(mail.attachments.map(({ name, bytes }) => [name, bytes])),
      messageId: mail.messageId,
      date: NOW,
      exercise: false,
    };
    const saved = wrapMail(genuine);
    const crlf = utf8Encode(new TextDecoder().decode(saved).replaceAll('\n', '\r\n'));
    const relayed = buildEncryptedMail(
      {
        from: 'notices@relay.example',
        to: 'ops@val.example',
        messageId: mail.messageId,
        date: NOW,
      },
      genuine,
    );
    for (const bytes of [genuine, relayed, `\n${genuine}\n`.trim(), saved, crlf]) {
      assert.deepEqual(await read(bytes), expected);
    }
    const parsed = await readContactKey(people.operator.privateKey);
    assert.deepEqual(
      await readMessage(utf8Encode(genuine), parsed, people.officers, NOW),
      expected,
    );
  });

  it('gives back any text, subject and attachment (property)', async () => {
    const signingKey = await readContactKey(people.alice.privateKey);
    const line = fc
      .string({ unit: 'grapheme', maxLength: 120 })
      .filter((text) => !/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(text));
    const tricky = fc.constantFrom(
      '',
      '.',
      'From x',
      ' ',
      '=',
      '=20',
      'a\tb',
      '--=_sealdrop_mail_part',
    );
    const lines = fc.array(fc.oneof(line, tricky, fc.string({ maxLength: 300 }).map(ascii)));
    const attachments = fc.uniqueArray(
      fc.record(
        {
          name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
          bytes: fc.uint8Array({ maxLength: 3000 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 4, selector: ({ name }) => name },
    );
    const subject = fc
      .stringMatching(/^[!-~](?:[ -~]{0,150}[!-~])?$/)
      .filter((text) => !text.includes('=?') && !text.toUpperCase().startsWith('EXERCISE'));
    const from = fc.record(
      {
        name: fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9 -]{0,62}[A-Za-z0-9-])?$/),
        address: fc.stringMatching(
          /^[a-z0-9_+-]{1,9}(\.[a-z0-9_+-]{1,9}){0,3}@[a-z0-9][a-z0-9-]{0,9}(\.[a-z0-9]{1,9}){0,3}$/,
        ),
      },
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(lines, attachments, subject, from, async (texts, files, title, sender) => {
        const text = texts.map((one) => `${one}\n`).join('') || '\n';
        const sent = {
          ...mail,
          signingKey,
          from: sender,
          subject: title,
          text,
          attachments: files,
        };
        const received = await read(await buildMessage(sent));
        assert.equal(received.text, text);
        assert.equal(received.subject, title);
        assert.deepEqual(
          [...received.attachments].map(([name, bytes]) => ({ name, bytes })),
          files,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('opens a valid old message: which campaign it is about is for the caller to see', async () => {
    const later = new Date(NOW.getTime() + 300 * DAY_MS);
    const received = await read(genuine, people.officers, later);
    assert.equal(received.messageId, mail.messageId);
    assert.deepEqual(received.date, NOW);
  });

  it('tells an exercise by the subject that only the builder can write', async () => {
    const drill = await read(await buildMessage({ ...mail, exercise: true }));
    assert.equal(drill.exercise, true);
    assert.match(drill.subject, /^EXERCISE: /);
    assert.match(drill.text, /^EXERCISE: /);
    for (const subject of ['EXERCISE: x', 'exercise: x', 'Exercise: x']) {
      await assert.rejects(buildMessage({ ...mail, subject }), { code: 'message_invalid' });
    }
  });

  it('pads short mails to one size, and their blocks too', async () => {
    const sizes = await Promise.all(
      ['x\n', 'long '.repeat(1000) + '\n'].map(async (text) => {
        const block = await buildMessage({ ...mail, text, attachments: [] });
        return [block.length, (await peek(block, people.operator)).length];
      }),
    );
    assert.deepEqual(sizes[0], sizes[1]);
    assert.equal(sizes[0]?.[1], 16 * 1024);
    const large = { name: 'disclosure.md', bytes: new Uint8Array(20_000) };
    const block = await buildMessage({ ...mail, attachments: [large] });
    assert.equal((await peek(block, people.operator)).length, 32 * 1024);
  });

  it('shows nothing of subject, sender or names outside the encryption', () => {
    const outside = Buffer.from(genuine.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    for (const word of ['Coordinated', 'Foundation', 'notice', '14:00']) {
      assert.ok(!outside.includes(word) && !genuine.includes(word));
    }
  });
});

describe('readMessage refuses a forgery:', () => {
  it('the same user id with another key', async () => {
    await refuses(await buildMessage({ ...mail, signingKey: people.impostor.privateKey }));
  });

  it('a message signed by a validator', async () => {
    await refuses(await buildMessage({ ...mail, signingKey: people.operator.privateKey }));
  });

  it('a message nobody signed', async () => {
    await refuses(await encryptRaw({ ...rawMessage(), signers: [] }));
  });

  it('an officer’s signature beside an attacker’s, in either order', async () => {
    for (const signers of [
      [people.alice, people.impostor],
      [people.impostor, people.alice],
      [people.alice, people.bob],
    ]) {
      await refuses(await encryptRaw({ ...rawMessage(), signers }));
    }
  });

  it('no officers at all', () => refuses(genuine, new Map()));

  it('a signature whose text was exchanged', async () => {
    const other = (await openpgp.createMessage({ binary: utf8Encode('evil') })).packets[0];
    assert.ok(other);
    const swap = (packets: openpgp.AnyPacket[]): openpgp.AnyPacket[] => packets.with(1, other);
    assert.equal((await read(await encryptPackets(rawMessage(), (all) => all))).from, 'alice');
    await refuses(await encryptPackets(rawMessage(), swap));
  });

  it('a second literal packet before, between or behind', async () => {
    const other = (await openpgp.createMessage({ binary: utf8Encode('evil') })).packets[0];
    assert.ok(other);
    for (const at of [0, 1, 2, 3]) {
      await refuses(await encryptPackets(rawMessage(), (all) => all.toSpliced(at, 0, other)));
    }
  });

  it('a signature without its text, a text without its signature, half a signature', async () => {
    for (const missing of [0, 1, 2]) {
      await refuses(await encryptPackets(rawMessage(), (all) => all.toSpliced(missing, 1)));
    }
  });

  it('a signed message that is not encrypted, and a cleartext-signed one', async () => {
    const signingKeys = await openpgp.readPrivateKey({ armoredKey: people.alice.privateKey });
    const message = await openpgp.createMessage({ binary: utf8Encode(entity) });
    const signed: unknown = await openpgp.sign({ message, signingKeys, date: NOW });
    await refuses(String(signed));
    await refuses(wrapMail(String(signed)));
    const clear: unknown = await openpgp.sign({
      message: await openpgp.createCleartextMessage({ text: mail.text }),
      signingKeys,
      date: NOW,
    });
    await refuses(String(clear));
    await refuses(wrapMail(String(clear)));
  });

  it('a message under a passphrase, also one that asks for a lot of memory', async () => {
    const encrypted: unknown = await openpgp.encrypt({
      message: await openpgp.createMessage({ binary: utf8Encode(entity) }),
      passwords: 'guess',
      signingKeys: await readContactKey(people.alice.privateKey),
      date: NOW,
      encryptionKeys: await readPublicKey(people.operator.publicKey),
      config: { s2kType: openpgp.enums.s2k.argon2 },
    });
    await refuses(String(encrypted));
  });

  it('a message to another key, and one cut or changed on the way', async () => {
    const { impostor } = people;
    await refuses(await encryptRaw({ ...rawMessage(), recipient: impostor }));
    const lines = genuine.split('\n');
    await refuses(lines.toSpliced(20, 1).join('\n'));
    const changed = lines[30] ?? '';
    const letter = changed.startsWith('A') ? 'B' : 'A';
    await refuses(lines.with(30, letter + changed.slice(1)).join('\n'));
  });

  it('a genuine message passed on to us by another recipient', async () => {
    const theirs = await buildMessage({ ...mail, recipient: people.bob.publicKey });
    const content = utf8Encode(await peek(theirs, people.bob));
    await refuses(await encryptRaw({ ...rawMessage(), content }));
  });

  it('a compression bomb, within a second', async () => {
    const bomb = await encryptRaw({
      ...rawMessage(),
      content: new Uint8Array(100 * 1024 * 1024),
      signers: [],
      config: { preferredCompressionAlgorithm: openpgp.enums.compression.zlib },
    });
    assert.ok(bomb.length < 1024 * 1024);
    const begin = performance.now();
    await assert.rejects(read(bomb), {
      message: 'OpenPGP message: cannot be decrypted with this key, or was changed',
    });
    assert.ok(performance.now() - begin < 1000);
  });

  it('more than 16 MiB of anything', async () => {
    const bytes = new Uint8Array(16 * 1024 * 1024 + 1).fill(65);
    await assert.rejects(read(bytes), { code: 'too_large' });
  });
});

describe('readMessage refuses an officer’s key', () => {
  it('that had expired when it signed', async () => {
    const key = await expiringKey(3600);
    const officers = await officerKeys([{ id: 'alice', openpgp: key.publicKey }]);
    const ageless = await openpgp.readPrivateKey({ armoredKey: key.privateKey });
    const date = new Date(ageless.getCreationTime().getTime() + 1000);
    const early = await buildMessage({ ...mail, signingKey: key.privateKey, date });
    assert.equal((await read(early, officers)).from, 'alice');
    await assert.rejects(buildMessage({ ...mail, signingKey: key.privateKey }), {
      code: 'key_invalid',
    });
  });

  it('that is revoked', async () => {
    const { publicKey } = await revoked(people.alice);
    await refuses(genuine, await officerKeys([{ id: 'alice', openpgp: publicKey }]));
  });

  it('whose signature is from the future, or of another time than the mail says', async () => {
    const date = new Date(NOW.getTime() + DAY_MS);
    await refuses(await buildMessage({ ...mail, date }));
    await refuses(
      await resign((text) => text.replace('20 Nov 2026 12:00:00', '19 Nov 2026 12:00:00')),
    );
    await refuses(await encryptRaw({ ...rawMessage(), date: new Date(NOW.getTime() - 1000) }));
  });
});

describe('readMessage refuses text around what was signed:', () => {
  const text = 'URGENT: download http://evil.example/patch now';

  it('before or behind the armoured block, and in its headers', async () => {
    await refuses(`${text}\n${genuine}`);
    await refuses(`${genuine}\n${text}`);
    await refuses(genuine.replace('-----\n', `-----\nComment: ${text}\n`));
    await refuses(genuine + genuine);
  });

  it('anywhere in a saved mail around it', async () => {
    const part = '\n--b1\nContent-Type: text/plain\n\n';
    const flaws = [
      { preamble: text },
      { preamble: `This is an OpenPGP/MIME encrypted message (RFC 3156). ${text}` },
      { between: `${text}\n` },
      { extraPart: `\n${text}` },
      { extraPart: `${part}${text}` },
      { extraPart: `\n${genuine}` },
      { after: text },
      { after: `--b1\n\n${text}` },
      { version: `Version: 1\n${text}` },
      { version: 'Version: 2' },
      { payloadHeader: 'Content-Transfer-Encoding: base64' },
      { payloadHeader: 'Content-Type: text/html' },
      { payloadType: 'Content-Type: text/html' },
      { extraHeader: 'Content-Type: text/html' },
      { contentType: 'multipart/mixed; boundary="b1"' },
      { contentType: 'multipart/encrypted; boundary="b1"' },
      { contentType: 'multipart/encrypted; protocol="application/pgp-encrypted"' },
      { contentType: 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b2"' },
      { contentType: 'text/html' },
    ];
    for (const flaw of flaws) await refuses(wrapMail(genuine, flaw));
  });

  it('in bytes that are no ASCII mail', async () => {
    await refuses(Uint8Array.of(0xff, 0xfe));
    for (const extraHeader of ['X-Note: a\0b', 'X-Note: a\rSubject: b', 'X-Note: ä']) {
      await refuses(wrapMail(genuine, { extraHeader }));
    }
    await refuses('');
    await refuses('no mail at all');
  });
});

describe('readMessage refuses what our builder never writes, though an officer signed it:', () => {
  const insertPart = (part: string) => (text: string) =>
    text.replace(/\r\n--=_sealdrop_mail_part--/, `\r\n--=_sealdrop_mail_part\r\n${part}$&`);
  const attachment = (disposition: string, body = 'AAAA'): string =>
    [
      'Content-Type: application/octet-stream',
      `Content-Disposition: ${disposition}`,
      'Content-Transfer-Encoding: base64',
      '',
      body,
    ].join('\r\n');

  const flaws: Readonly<Record<string, (text: string) => string>> = {
    'an HTML part instead of the text': (text) => text.replace('text/plain', 'text/html'),
    'an HTML part beside the text': insertPart('Content-Type: text/html\r\n\r\n<b>evil</b>'),
    'a second text': insertPart(
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nevil',
    ),
    'an alternative': (text) => text.replace('multipart/mixed', 'multipart/alternative'),
    'another charset': (text) => text.replace('charset=utf-8', 'charset=utf-7'),
    'an attachment with a path': insertPart(attachment('attachment; filename="../x"')),
    'an attachment with a hidden name': insertPart(attachment('attachment; filename=".bashrc"')),
    'an attachment with a long name': insertPart(
      attachment(`attachment; filename="${'a'.repeat(101)}"`),
    ),
    'an attachment without a name': insertPart(attachment('attachment')),
    'an attachment with two names': insertPart(
      attachment('attachment; filename="a"; filename="b"'),
    ),
    'an attachment with an encoded name': insertPart(
      attachment("attachment; filename*=utf-8''a.patch"),
    ),
    'an attachment of the same name': insertPart(attachment('attachment; filename="notice.txt"')),
    'an inline attachment': insertPart(attachment('inline; filename="a"')),
    'base64 that is not canonical': insertPart(attachment('attachment; filename="a"', 'AAB=')),
    'base64 with spaces': insertPart(attachment('attachment; filename="a"', 'AA AA')),
    'a header twice': (text) => text.replace('Subject:', 'Subject: other\r\nSubject:'),
    'an unknown header': (text) => text.replace('Subject:', 'Bcc: x@y.example\r\nSubject:'),
    'two unknown headers': (text) => text.replace('Subject:', 'Bcc: x\r\nBcc: y\r\nSubject:'),
    'a header exchanged for another': (text) => text.replace('MIME-Version:', 'Reply-To:'),
    'a missing header': (text) => text.replace(/Message-ID: .*\r\n/, ''),
    'an encoded subject': (text) => text.replace(/Subject: .*/, 'Subject: =?utf-8?Q?x?='),
    'a subject that is not ASCII': (text) => text.replace(/Subject: .*/, 'Subject: Grüße'),
    'a sender with a comma': (text) => text.replace(/From: .*/, 'From: "a, b" <b@c.example>'),
    'two senders': (text) => text.replace(/From: .*/, 'From: A <a@b.example>, C <c@d.example>'),
    'a date that is none': (text) =>
      text.replace(/Date: .*/, 'Date: Tue, 31 Nov 2026 12:00:00 +0000'),
    'a date of another weekday': (text) => text.replace('Fri, 20 Nov', 'Mon, 20 Nov'),
    'other protected headers': (text) => text.replace('hp=cipher', 'hp=clear'),
    'no protected headers': (text) => text.replace('; hp=cipher', ''),
    'another boundary': (text) => text.replaceAll('=_sealdrop_mail_part', '=_other'),
    'text before the first part': (text) => text.replace('\r\n\r\n--=_', '\r\n\r\nevil\r\n--=_'),
    'text behind the last part': (text) => `${text.trimEnd()}\r\nevil\r\n`,
    'a last boundary that is none': (text) => text.replace('_part--', '_part  '),
    'no last boundary': (text) => text.replace('--=_sealdrop_mail_part--', ''),
    'a terminal escape in the text': (text) => text.replace('Please', '=1B[2J'),
    'a reversed text': (text) => text.replace('Please', '=E2=80=AE'),
    'text that is not UTF-8': (text) => text.replace('Gr=C3=BC', 'Gr=FC'),
    'text with raw bytes': (text) => text.replace('Please', 'Pléase'),
    'a lower-case escape': (text) => text.replace('=C3=BC', '=c3=bc'),
    'bare line feeds': (text) => text.replaceAll('\r\n', '\n'),
    'another recipient’s key': (text) =>
      text.replace(/Sealdrop-Recipient-Key: .*/, `Sealdrop-Recipient-Key: ${'A'.repeat(40)}`),
  };
  for (const [flaw, change] of Object.entries(flaws)) {
    it(flaw, async () => {
      await refuses(await resign(change));
    });
  }
});

describe('readMessage fails', () => {
  it('with nothing but its own error, however a signed text is damaged (property)', async () => {
    const text = entity.trimEnd();
    const damage = fc.record({
      at: fc.nat(text.length),
      remove: fc.nat(20),
      insert: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('\r\n', '--', '=', ';', '"')),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
        let changed = text;
        for (const { at, remove, insert } of damages) {
          changed = changed.slice(0, at) + insert + changed.slice(at + remove);
        }
        const armored = await encryptRaw({ ...rawMessage(), content: utf8Encode(changed) });
        await read(armored).catch((error: unknown) => {
          assert.ok(error instanceof ProtocolError && error.code === 'message_invalid');
        });
      }),
      { numRuns: 100 },
    );
  });

  it('with nothing but its own error, however a saved mail is damaged (property)', async () => {
    const saved = wrapMail(genuine);
    const change = fc.record({ at: fc.nat(1200), byte: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const changed = saved.slice();
        for (const { at, byte } of changes) changed[at] = byte ^ (changed[at] ?? 0);
        const received = await read(changed).catch((error: unknown) => {
          assert.ok(error instanceof ProtocolError && error.code === 'message_invalid');
        });
        // A relay may change its own headers; never what was signed.
        if (received) assert.equal(received.text, mail.text);
      }),
      { numRuns: 200 },
    );
  });
});

describe('buildMessage', () => {
  it('refuses content that readMessage would refuse', async () => {
    const file = { name: 'a', bytes: new Uint8Array() };
    const flaws: readonly Partial<OutgoingMail>[] = [
      { subject: 'two\r\nBcc: x@y.example' },
      { subject: '' },
      { subject: 'Grüße' },
      { text: 'no newline' },
      { text: 'carriage return\r\n' },
      { text: '\x1b[2J\n' },
      { text: 'lone \ud800\n' },
      { attachments: [{ ...file, name: '../a' }] },
      { attachments: [file, file] },
      { attachments: Array.from({ length: 17 }, (_, index) => ({ ...file, name: `f${index}` })) },
      { messageId: 'm1@foundation.example' },
      { messageId: '<m1@foundation.example>\r\nX: y' },
      { from: { name: 'A, B', address: 'a@b.example' } },
      { from: { name: 'A', address: 'a@b.example\r\nX: y' } },
      { from: { name: 'A', address: 'a..b@c.example' } },
      { from: { name: 'A', address: 'a@b@c.example' } },
      { date: new Date(NOW.getTime() + 1) },
      { date: new Date(NaN) },
    ];
    for (const flaw of flaws) {
      await assert.rejects(buildMessage({ ...mail, ...flaw }), { code: 'message_invalid' });
    }
    const attachments = [{ name: 'a', bytes: new Uint8Array(8 * 1024 * 1024) }];
    await assert.rejects(buildMessage({ ...mail, attachments }), { code: 'too_large' });
  });

  it('refuses to send when it cannot encrypt, instead of sending in clear', async () => {
    const expired = await expiringKey(3600);
    for (const recipient of ['', expired.publicKey, people.operator.privateKey]) {
      await assert.rejects(buildMessage({ ...mail, recipient }), { code: 'key_invalid' });
    }
  });
});

/** Printable ASCII of any text. */
function ascii(text: string): string {
  return text.replaceAll(/[^ -~]/g, '=');
}
