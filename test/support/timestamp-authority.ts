import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import assert from 'node:assert/strict';

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

/** `openssl ts -reply` behind HTTP, with a CA of its own. */
export interface TimestampAuthority extends AsyncDisposable {
  readonly url: string;
  /** Certificate of the CA. */
  readonly ca: string;
  /** Questions so far. */
  readonly posts: number;
  /** What it answers instead. */
  instead: ((reply: Buffer) => Buffer) | undefined;
  /** The last question and answer. */
  readonly query: string;
  readonly reply: string;
}

/** @param folder - An empty one, for its keys. */
export async function startTimestampAuthority(folder: string): Promise<TimestampAuthority> {
  const openssl = (...parameters: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync('openssl', parameters, { cwd: folder, encoding: 'utf8' });
  const make = (...parameters: readonly string[]): void => {
    const { status, stderr } = openssl(...parameters);
    assert.equal(status, 0, stderr);
  };
  writeFileSync(join(folder, 'tsa.cnf'), CONFIG);
  writeFileSync(join(folder, 'serial'), '01\n');
  const own = ['-newkey', 'ed25519', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem'];
  make('req', '-x509', ...own, '-subj', '/CN=test ca');
  const signers = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr'];
  make('req', ...signers, '-subj', '/CN=test tsa');
  const issuing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  const purpose = ['-extfile', 'tsa.cnf', '-extensions', 'ts'];
  make('x509', '-req', '-in', 'tsa.csr', ...issuing, ...purpose, '-out', 'tsa.pem');

  const query = join(folder, 'query');
  const reply = join(folder, 'reply');
  let posts = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      posts += 1;
      writeFileSync(query, Buffer.concat(parts));
      openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', query, '-out', reply);
      const answer = readFileSync(reply);
      response.setHeader('content-type', 'application/timestamp-reply');
      response.end(authority.instead === undefined ? answer : authority.instead(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const authority: TimestampAuthority = {
    url: `http://127.0.0.1:${address.port}/`,
    ca: join(folder, 'ca.pem'),
    get posts() {
      return posts;
    },
    instead: undefined,
    query,
    reply,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
  return authority;
}
