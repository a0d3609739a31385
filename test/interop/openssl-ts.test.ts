import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { logFiles } from '../../server/store/log/files.ts';
import { timestamper } from '../../server/jobs/timestamper.ts';
import { startTestServer } from '../support/test-server.ts';
import { writeLog, type LogOnDisk } from './support/log.ts';
import { flipped, missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const CONFIG = `
[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[ts]
extendedKeyUsage = critical,timeStamping
`;

describe('openssl ts', { skip: missing('openssl') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;
  let authority: Server;
  let url = '';
  /** What the authority answers instead. */
  let instead: ((reply: Buffer) => Buffer) | undefined;
  let posts = 0;

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), [600]);
    shop.write('tsa.cnf', CONFIG);
    shop.write('serial', '01\n');
    const made: readonly (readonly string[])[] = [
      ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem'],
      ['req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr'],
    ];
    for (const [index, parameters] of made.entries()) {
      const { status, text } = shop.run('openssl', [...parameters, '-subj', `/CN=test ${index}`]);
      assert.equal(status, 0, text);
    }
    const issue = ['x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'];
    const issued = [
      '-CAcreateserial',
      '-extfile',
      'tsa.cnf',
      '-extensions',
      'ts',
      '-out',
      'tsa.pem',
    ];
    const { status, text } = shop.run('openssl', [...issue, ...issued]);
    assert.equal(status, 0, text);

    authority = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        posts += 1;
        shop.write('query', Buffer.concat(parts));
        const reply = ['-config', 'tsa.cnf', '-queryfile', 'query', '-out', 'reply'];
        shop.run('openssl', ['ts', '-reply', ...reply]);
        const { stdout } = shop.run('cat', ['reply']);
        response.setHeader('content-type', 'application/timestamp-reply');
        response.end(instead === undefined ? stdout : instead(stdout));
      });
    }).listen(0, '127.0.0.1');
    await once(authority, 'listening');
    const address = authority.address();
    assert.ok(address !== null && typeof address === 'object');
    url = `http://127.0.0.1:${address.port}/`;
  });

  after(async () => {
    authority.close();
    await once(authority, 'close');
    shop.remove();
  });

  const stamper = (name: string): (() => Promise<void>) =>
    timestamper({
      url,
      fetch,
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      files: logFiles(log.path),
      folder: join(shop.path, name),
      signal: new AbortController().signal,
    });
  const verify = (token: string, data: string): Outcome =>
    shop.run('openssl', ['ts', '-verify', '-in', token, '-data', data, '-CAfile', 'ca.pem']);

  it('verifies the token over a checkpoint, and over no other', async () => {
    const stamp = stamper('tokens');
    await stamp();
    await stamp();
    assert.equal(posts, 1, 'one checkpoint is stamped once');
    assert.deepEqual(readdirSync(join(shop.path, 'tokens')), ['600.checkpoint', '600.tsr']);
    const good = verify('tokens/600.tsr', 'tokens/600.checkpoint');
    assert.match(good.text, /Verification: OK/);
    assert.equal(verify('tokens/600.tsr', 'log/checkpoint').status, 0);
    const other = shop.write('other', flipped(Buffer.from(log.checkpoints.get(600) ?? '')));
    assert.doesNotMatch(verify('tokens/600.tsr', other).text, /Verification: OK/);
    const query = shop.run('openssl', ['ts', '-query', '-in', 'query', '-text']).text;
    assert.match(query, /Hash Algorithm: sha256/);
    assert.match(query, /Certificate required: yes/);
  });

  it('keeps no answer that is for something else, refused, broken or endless', async () => {
    instead = (reply) => reply;
    await stamper('first')();
    const { stdout: old } = shop.run('cat', ['reply']);
    const refusals: readonly ((reply: Buffer) => Buffer)[] = [
      () => old,
      () => Buffer.from('30053003020102', 'hex'),
      (reply) => reply.subarray(0, 40),
      () => Buffer.alloc(0),
      () => Buffer.alloc(100_000, 0x30),
    ];
    for (const [index, refusal] of refusals.entries()) {
      instead = refusal;
      await assert.rejects(stamper(`refused-${index}`)(), { name: 'TimestampError' });
    }
    instead = undefined;
    assert.ok(!readdirSync(shop.path).some((name) => name.startsWith('refused')));
  });

  it('verifies the token that a server keeps, which goes on without its authority', async () => {
    await using server = await startTestServer({ env: { TSA_URL: url } });
    const folder = join(server.dataDirectory, 'log', 'timestamps');
    const deadline = Date.now() + 20_000;
    const token = (): string | undefined =>
      existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith('.tsr')) : undefined;
    while (token() === undefined && Date.now() < deadline) await setImmediate();
    const path = join(folder, token() ?? 'none');
    assert.match(verify(path, path.replace('.tsr', '.checkpoint')).text, /Verification: OK/);

    const before = (await server.client().get('/log/checkpoint')).text();
    await server.restartWith({ TSA_URL: 'http://127.0.0.1:1/' });
    await server.sequence();
    assert.notEqual((await server.client().get('/log/checkpoint')).text(), before);
    assert.ok(server.logged.every(({ level, job }) => level !== 'error' || job === 'timestamp'));
  });
});
