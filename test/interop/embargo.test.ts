import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildMessage } from '../../cli/mail/message.ts';
import { detachedSign, mergeDetached, readRecipientKey } from '../../protocol/contact/openpgp.ts';
import { decryptAndVerify, signAndEncrypt } from '../../protocol/contact/message.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { generateKey, open, seal } from '../../protocol/embargo/age.ts';
import { encodeSums } from '../../protocol/embargo/sums.ts';
import { packFiles } from '../../protocol/embargo/tar.ts';
import { DAY_MS, meet } from '../protocol/contact/people.ts';
import type { People } from '../protocol/contact/people.ts';
import { sealCampaign } from '../protocol/embargo/sealed-campaign.ts';
import type { SealedCampaign } from '../protocol/embargo/sealed-campaign.ts';

// What operators may use instead of our CLI has to accept what we make, and refuse it once changed.

const missing = (tool: string): string | false =>
  spawnSync(tool, ['--version']).error ? `${tool} is not on this machine's PATH` : false;

// The other programs read the machine's clock, so these keys and signatures go by it too.
const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);

let folder = '';
let people: People;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-interop-'));
  mkdirSync(join(folder, 'gnupg'), { mode: 0o700 });
  people = await meet(new Date(NOW.getTime() - DAY_MS));
});

after(() => {
  if (!missing('gpgconf')) run('gpgconf', ['--kill', 'all']);
  rmSync(folder, { recursive: true });
});

function run(
  tool: string,
  parameters: readonly string[],
  cwd = folder,
): { status: number | null; stdout: Buffer; text: string } {
  const env = { ...process.env, GNUPGHOME: join(folder, 'gnupg'), LC_ALL: 'C' };
  const { status, stdout, stderr } = spawnSync(tool, parameters, { cwd, env });
  return { status, stdout, text: stdout.toString() + stderr.toString() };
}

function write(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('age', { skip: missing('age') }, () => {
  it('opens what we seal, and we open what it seals', async () => {
    const { identity, recipient } = await generateKey();
    const plaintext = new Uint8Array(200_000).fill(7);
    const key = write('release.key', `${identity}\n`);
    const sealed = write('bundle.age', await seal(plaintext, [recipient]));
    const { status, stdout } = run('age', ['-d', '-i', key, sealed]);
    assert.equal(status, 0);
    assert.ok(stdout.equals(plaintext));

    const theirs = join(folder, 'theirs.age');
    const plain = write('plain', plaintext);
    assert.equal(run('age', ['-r', recipient, '-o', theirs, plain]).status, 0);
    assert.deepEqual(await open(Uint8Array.from(readFileSync(theirs)), identity), plaintext);
  });

  it('refuses a bundle with one byte changed', async () => {
    const { identity, recipient } = await generateKey();
    const sealed = await seal(new Uint8Array(1000), [recipient]);
    sealed[500] = 1 ^ (sealed[500] ?? 0);
    const key = write('other.key', `${identity}\n`);
    assert.notEqual(run('age', ['-d', '-i', key, write('changed.age', sealed)]).status, 0);
  });
});

describe('tar', { skip: missing('tar') }, () => {
  it('lists and unpacks our archive without a warning', async () => {
    const files = new Map([
      ['release.txt', utf8Encode('text\n')],
      ['empty', new Uint8Array()],
      [`${'a'.repeat(99)}z`, new Uint8Array(1234).fill(1)],
    ]);
    const archive = write('bundle.tar', await packFiles(files));
    const listed = run('tar', ['-tvf', archive]);
    assert.equal(listed.status, 0);
    assert.equal(listed.text.match(/^-rw-r--r-- .* 1970-01-01 /gm)?.length, 3);
    mkdirSync(join(folder, 'unpacked'));
    const unpacked = run('tar', ['-xf', archive, '-C', 'unpacked']);
    assert.deepEqual([unpacked.status, unpacked.text], [0, '']);
    for (const [name, bytes] of files) {
      assert.ok(readFileSync(join(folder, 'unpacked', name)).equals(bytes));
    }
  });
});

describe('sha256sum', { skip: missing('sha256sum') }, () => {
  it('checks our SHA256SUMS strictly, and finds the file that changed', () => {
    const cwd = join(folder, 'sums');
    mkdirSync(cwd);
    const digestOfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    writeFileSync(join(cwd, 'hello.txt'), 'hello');
    const sums = encodeSums([
      { name: 'hello.txt', sha256: digestOfHello },
      { name: 'other.txt', sha256: 'a'.repeat(64) },
    ]);
    writeFileSync(join(cwd, 'SHA256SUMS'), sums);
    const check = ['--strict', '--ignore-missing', '-c', 'SHA256SUMS'];
    const checked = run('sha256sum', check, cwd);
    assert.deepEqual([checked.status, checked.text], [0, 'hello.txt: OK\n']);
    writeFileSync(join(cwd, 'hello.txt'), 'hello!');
    assert.notEqual(run('sha256sum', check, cwd).status, 0);
  });
});

describe('age, tar and sha256sum in a row', () => {
  const skip = missing('age') || missing('tar') || missing('sha256sum');
  let sealed: SealedCampaign;

  before(async () => {
    sealed = await sealCampaign();
  });

  it('open a bundle with nothing of ours but the released key', { skip }, () => {
    const cwd = join(folder, 'by-hand');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'key'), `${sealed.keys.release.identity}\n`);
    writeFileSync(join(cwd, 'b.age'), sealed.ciphertexts.bundles.get('agave') ?? '');
    const steps: readonly (readonly [string, ...string[]])[] = [
      ['age', '-d', '-i', 'key', '-o', 'b.tar', 'b.age'],
      ['tar', '-xf', 'b.tar'],
      ['sha256sum', '--strict', '--ignore-missing', '-c', 'SHA256SUMS'],
    ];
    for (const [tool, ...parameters] of steps) {
      const { status, text } = run(tool, parameters, cwd);
      assert.equal(status, 0, text);
    }
    assert.deepEqual(
      readdirSync(cwd).filter((name) => !/^(key|b\..*)$/.test(name)),
      ['INSTRUCTIONS.md', 'SHA256SUMS', 'agave.patch', 'agave.tar.gz', 'release.txt'],
    );
  });
});

const SUMS = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);

async function twoSignatures(): Promise<{ data: string; signature: string }> {
  const blocks = [people.alice, people.bob].map(({ privateKey }) =>
    detachedSign(SUMS, privateKey, NOW),
  );
  const signature = write('SHA256SUMS.asc', await mergeDetached(await Promise.all(blocks)));
  return { data: write('SHA256SUMS', SUMS), signature };
}

describe('gpg', { skip: missing('gpg') }, () => {
  const gpg = (...parameters: string[]): ReturnType<typeof run> =>
    run('gpg', ['--batch', '--no-tty', '--trust-model', 'always', ...parameters]);

  before(() => {
    for (const { publicKey } of [people.alice, people.bob]) {
      const { status, text } = gpg('--import', write('key.asc', publicKey));
      assert.equal(status, 0, text);
    }
    const { status, text } = gpg('--import', write('key.asc', people.operator.privateKey));
    assert.equal(status, 0, text);
  });

  it('reads every signature of one merged block, and refuses other bytes', async () => {
    const { data, signature } = await twoSignatures();
    const good = gpg('--status-fd', '1', '--verify', signature, data);
    assert.equal(good.status, 0, good.text);
    const valid = [...good.text.matchAll(/^\[GNUPG:\] VALIDSIG ([0-9A-F]{40}) /gm)];
    const fingerprints = [people.alice.fingerprint, people.bob.fingerprint];
    assert.deepEqual(valid.map(([, fingerprint]) => fingerprint).sort(), fingerprints.sort());
    writeFileSync(data, 'changed\n');
    assert.notEqual(gpg('--verify', signature, data).status, 0);
  });

  it('decrypts a mail, says who signed it, and shows text and attachment', async () => {
    const armored = await buildMessage({
      from: { name: 'Example Foundation', address: 'security@foundation.example' },
      signingKey: people.alice.privateKey,
      recipient: people.operator.publicKey,
      subject: 'Coordinated update',
      text: 'Please be ready.\n',
      attachments: [{ name: 'notice.txt', bytes: utf8Encode('notice') }],
      messageId: '<m1@foundation.example>',
      date: NOW,
      exercise: false,
    });
    const { status, text } = gpg('--status-fd', '1', '--decrypt', write('mail.asc', armored));
    assert.equal(status, 0, text);
    assert.match(text, new RegExp(`VALIDSIG ${people.alice.fingerprint}`));
    assert.match(text, /DECRYPTION_OKAY/);
    assert.match(text, /Subject: Coordinated update\r\n/);
    assert.match(text, /Please be ready\.\r\n/);
    assert.match(text, /filename="notice.txt"/);
  });

  it('signs and encrypts a mail that we open', async () => {
    const { fingerprint, publicKey, privateKey } = people.operator;
    const out = join(folder, 'theirs.asc');
    const plain = write('theirs.txt', 'hello\n');
    const flags = ['--armor', '--compress-algo', 'none', '--digest-algo', 'SHA512', '--yes'];
    const { status, text } = gpg(...flags, '-r', fingerprint, '-o', out, '-se', plain);
    assert.equal(status, 0, text);
    const keys = new Map([[fingerprint, { person: 'ops', armoredKey: publicKey }]]);
    const armored = readFileSync(out, 'utf8');
    const { person, content } = await decryptAndVerify(armored, privateKey, keys, NOW);
    assert.deepEqual([person, Buffer.from(content).toString()], ['ops', 'hello\n']);
  });

  it('exports a key that we accept', async () => {
    const exported = gpg('--armor', '--export', people.operator.fingerprint).stdout.toString();
    const { fingerprint } = await readRecipientKey(exported, NOW);
    assert.equal(fingerprint, people.operator.fingerprint);
  });
});

describe('sqv', { skip: missing('sqv') }, () => {
  it('counts two signers in one merged block, and no third', async () => {
    const { data, signature } = await twoSignatures();
    const keys = [people.alice, people.bob].flatMap(({ publicKey }, index) => [
      '--keyring',
      write(`sqv${index}.asc`, publicKey),
    ]);
    const count = (n: number): number | null =>
      run('sqv', [...keys, '-n', String(n), signature, data]).status;
    assert.equal(count(2), 0);
    assert.notEqual(count(3), 0);
    writeFileSync(data, 'changed\n');
    assert.notEqual(count(1), 0);
  });
});

const oldSq = !missing('sq') && run('sq', ['--version'], '.').text.startsWith('sq 0.');

describe('sq', { skip: missing('sq') || (!oldSq && 'sq 1.x has other options') }, () => {
  it('decrypts and verifies a mail of ours', async () => {
    const { alice, operator } = people;
    const keys = { signing: alice.privateKey, recipient: operator.publicKey };
    const armored = await signAndEncrypt(utf8Encode('hello\n'), keys, NOW);
    const parameters = [
      'decrypt',
      '--recipient-key',
      write('operator.asc', operator.privateKey),
      '--signer-cert',
      write('alice.asc', alice.publicKey),
      write('sq.asc', armored),
    ];
    const { status, stdout, text } = run('sq', parameters);
    assert.equal(status, 0, text);
    assert.equal(stdout.toString(), 'hello\n');
  });
});
