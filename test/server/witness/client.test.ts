import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import { verifyCosignatures } from '../../../protocol/log/cosignature.ts';
import { parseAddCheckpoint } from '../../../protocol/log/witness-request.ts';
import type { AddCheckpoint } from '../../../protocol/log/witness-request.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { formatVerifierKey, NOTE_COSIGNATURE } from '../../../protocol/signature/verifier-key.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import { LogAheadError } from '../../../server/services/log/witnesses.ts';
import { witnessEndpoints } from '../../../server/services/witness/endpoint.ts';
import { witnessClient, type WitnessClient } from '../../../server/services/witness/witnesses.ts';
import { submittedLog } from '../../support/witnesses.ts';

const SIGNER = noteSigner('log.example/one', signerFromSeed(new Uint8Array(32).fill(3)));
const KEY = cosigner('w.example', signerFromSeed(new Uint8Array(32).fill(4)));
const OTHER = cosigner('other.example', signerFromSeed(new Uint8Array(32).fill(5)));
const VKEY = formatVerifierKey(KEY.name, NOTE_COSIGNATURE, KEY.publicKey);
const LOG = submittedLog(SIGNER, 100);
const SIZE = 60;
const NOTE = LOG.note(SIZE);
const TEXT = NOTE.slice(0, NOTE.lastIndexOf('\n\n') + 1);
const seconds = (): number => Math.floor(Date.now() / 1000);
const STRANGERS = Array.from(
  { length: 90 },
  (_, n) => `— w${n} ${Buffer.alloc(200, n).toString('base64')}\n`,
);
const good = (): string => KEY.cosign(TEXT, seconds());

type Answer = readonly [status: number, body?: string, headers?: Record<string, string>];
type Script = (request: AddCheckpoint, nth: number, res: ServerResponse) => Answer | undefined;

interface Scripted extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly AddCheckpoint[];
}

/** A witness that answers whatever a test wants. */
async function scripted(script: Script): Promise<Scripted> {
  const requests: AddCheckpoint[] = [];
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const request = parseAddCheckpoint(await readText(req));
    requests.push(request);
    const answer = script(request, requests.length, res);
    if (answer === undefined) return;
    const [status, body = '', headers = {}] = answer;
    res.writeHead(status, headers).end(body);
  };
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function clientOf(
  ...urls: readonly string[]
): WitnessClient & { readonly logged: readonly Record<string, unknown>[] } {
  const keys = [KEY, OTHER].slice(0, urls.length);
  const lines = keys.map(
    (it, n) =>
      `witness ${it.name} ${formatVerifierKey(it.name, NOTE_COSIGNATURE, it.publicKey)} ${urls[n] ?? ''}`,
  );
  const policy = parsePolicy([...lines, 'quorum w.example', ''].join('\n'));
  const logged: Record<string, unknown>[] = [];
  const log = (fields: object): void => void logged.push({ ...fields });
  const client = witnessClient({
    inForce: { policy: () => policy, endpoints: () => witnessEndpoints(policy, SIGNER.name) },
    deadlineMs: 400,
    fetch,
    verify: verifyEd25519,
    logger: { info: log, warn: log, error: log },
    now: Date.now,
  });
  return { ...client, logged };
}

const cosign = (client: WitnessClient, size = SIZE): Promise<string> =>
  client.cosign(LOG.note(size), size, (from) => Promise.resolve(LOG.proof(from, size)));

describe('asking a witness', () => {
  it('proves from the size that it names, and remembers it', async () => {
    await using witness = await scripted(({ oldSize, note }, nth) => {
      if (nth === 1) return [409, '17\n', { 'content-type': 'text/x.tlog.size' }];
      assert.equal(oldSize, nth === 2 ? 17 : SIZE);
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
      return [200, KEY.cosign(text, seconds())];
    });
    const client = clientOf(witness.url);
    const cosigned = await cosign(client);
    assert.equal(verifyCosignatures(cosigned, [KEY], verifyEd25519).length, 1);
    assert.ok(cosigned.startsWith(NOTE));
    await cosign(client, 100);
    assert.deepEqual(
      witness.requests.map(({ oldSize, proof }) => [oldSize, proof.length]),
      [
        [0, 0],
        [17, LOG.proof(17, SIZE).length],
        [SIZE, LOG.proof(SIZE, 100).length],
      ],
    );
  });

  const stops: Record<string, Script> = {
    'knows a larger size': () => [409, '61\n'],
    'knows a much larger size after a first conflict': (_, nth) => [
      409,
      nth === 1 ? '5\n' : '99\n',
    ],
    'has another root for the size that it names': (_, nth) => (nth === 1 ? [409, '60\n'] : [422]),
    'has another root and answers with a conflict': () => [409, '60\n'],
    'has another history of an older size': (_, nth) => (nth === 1 ? [409, '17\n'] : [422]),
  };
  for (const [what, script] of Object.entries(stops)) {
    it(`stops the log when a witness ${what}`, async () => {
      await using witness = await scripted(script);
      await using fine = await scripted(({ note }) => [
        200,
        OTHER.cosign(note.slice(0, note.lastIndexOf('\n\n') + 1), seconds()),
      ]);
      const client = clientOf(witness.url, fine.url);
      await assert.rejects(cosign(client), LogAheadError);
      assert.match(client.contradiction() ?? '', /^witness w\.example has seen/);
      assert.ok(client.logged.some(({ code }) => code === 'log_ahead'));
    });
  }

  const failures: Record<string, { script: Script; reason: string }> = {
    'it does not know the log': { script: () => [404, 'unknown log\n'], reason: 'unknown_log' },
    'it trusts another key': { script: () => [403], reason: 'untrusted' },
    'it is overloaded': { script: () => [429], reason: 'busy' },
    'it is broken': { script: () => [500], reason: 'busy' },
    'it redirects': { script: () => [307, '', { location: '/' }], reason: 'unreachable' },
    'it refuses a proof from nothing': { script: () => [422], reason: 'contradictory' },
    'it names a size for ever': {
      script: (_, nth) => [409, `${nth}\n`],
      reason: 'contradictory',
    },
    'it asks again from where we proved': {
      script: (_, n) => [409, n < 3 ? '9\n' : '8\n'],
      reason: 'contradictory',
    },
    'its size is none': { script: () => [409, 'many\n'], reason: 'malformed' },
    'its size has no newline': { script: () => [409, '17'], reason: 'malformed' },
    'its size is beyond 2^53': {
      script: () => [409, '99999999999999999999\n'],
      reason: 'malformed',
    },
    'it says nothing': { script: () => [200], reason: 'malformed' },
    'it answers 204': { script: () => [204], reason: 'malformed' },
    'it talks without end': {
      // Ninety lines, as anybody may have signed them, and its own good one.
      script: () => [200, good() + STRANGERS.join('')],
      reason: 'malformed',
    },
    'it cosigns with another key': {
      script: () => [200, OTHER.cosign(TEXT, seconds())],
      reason: 'malformed',
    },
    'it cosigns another checkpoint': {
      script: () => [200, KEY.cosign(LOG.note(59).split('\n\n')[0] ?? '', seconds())],
      reason: 'malformed',
    },
    'it adds a line that forges its own': {
      script: () => [200, good() + KEY.cosign(`${TEXT}x\n`, seconds())],
      reason: 'malformed',
    },
    'it never answers': { script: () => undefined, reason: 'timeout' },
    'it never ends its answer': {
      script: (_, __, res) => {
        res.writeHead(200);
        res.write('—');
        return undefined;
      },
      reason: 'timeout',
    },
  };
  for (const [what, { script, reason }] of Object.entries(failures)) {
    it(`goes on without a cosignature when ${what}`, async () => {
      await using witness = await scripted(script);
      const client = clientOf(witness.url);
      const started = performance.now();
      assert.equal(await cosign(client), NOTE);
      assert.ok(performance.now() - started < 2000);
      assert.ok(witness.requests.length <= 3);
      const codes = client.logged.map((it) => it['reason'] ?? it['code']);
      assert.deepEqual(codes, [reason, 'witness_quorum']);
      assert.equal(client.contradiction(), undefined);
    });
  }

  it('goes on when nobody listens, and tells of it once', async () => {
    const witness = await scripted(() => [200, good()]);
    const client = clientOf(witness.url);
    await cosign(client);
    await witness[Symbol.asyncDispose]();
    assert.equal(await cosign(client), NOTE);
    assert.equal(await cosign(client), NOTE);
    assert.deepEqual(
      client.logged.map((it) => it['reason'] ?? it['code']),
      ['unreachable', 'witness_quorum'],
    );
  });

  it('publishes no line but that of the witness itself', async () => {
    await using witness = await scripted(() => [200, OTHER.cosign(TEXT, seconds()) + good()]);
    const cosigned = await cosign(clientOf(witness.url));
    assert.equal(cosigned.split('\n').length, NOTE.split('\n').length + 1);
    assert.equal(verifyCosignatures(cosigned, [OTHER], verifyEd25519).length, 0);
  });

  it('asks all at once, so that the slowest alone decides', async () => {
    const slow: Script = ({ note }, _, res) => {
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
      setTimeout(() => res.end(KEY.cosign(text, seconds()) + OTHER.cosign(text, seconds())), 250);
      return undefined;
    };
    await using one = await scripted(slow);
    await using two = await scripted(slow);
    const cosigned = await cosign(clientOf(one.url, two.url));
    assert.equal(verifyCosignatures(cosigned, [KEY, OTHER], verifyEd25519).length, 2);
  });

  it('does not bother witnesses with an empty log', async () => {
    await using witness = await scripted(() => [500]);
    const empty = submittedLog(SIGNER, 0).note(0);
    const client = clientOf(witness.url);
    assert.equal(await client.cosign(empty, 0, () => Promise.resolve([])), empty);
    assert.equal(witness.requests.length, 0);
  });
});

describe('the addresses in a policy', () => {
  const endpoints = (url: string, ...lines: readonly string[]): readonly { url: URL }[] =>
    witnessEndpoints(
      parsePolicy([...lines, `witness w ${VKEY} ${url}`, 'quorum w', ''].join('\n')),
      SIGNER.name,
    );

  it('are prefixes, with or without a path and a final slash', () => {
    for (const [prefix, expected] of [
      ['https://w.example', 'https://w.example/add-checkpoint'],
      ['http://127.0.0.1:80/a/b/', 'http://127.0.0.1/a/b/add-checkpoint'],
    ] as const) {
      assert.deepEqual(
        endpoints(prefix).map(({ url }) => url.href),
        [expected],
      );
    }
    assert.deepEqual(endpoints(''), []);
  });

  it('are refused with anything else in them, and for another log', () => {
    for (const url of [
      'ftp://w.example',
      'w.example',
      'https://user:secret@w.example',
      'https://w.example/?q',
      'https://w.example/#f',
      'file:///etc',
    ]) {
      assert.throws(() => endpoints(url), { code: 'policy_invalid' }, url);
    }
    const other = formatVerifierKey('log.example/two', 1, OTHER.publicKey);
    assert.throws(() => endpoints('https://w.example', `log ${other}`), { code: 'policy_invalid' });
  });
});
