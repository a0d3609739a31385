import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { memoryPath } from '../../../cli/witness/identity.ts';
import { createMemory, openMemory } from '../../../cli/witness/memory.ts';
import { originHashOf } from '../../../cli/witness/service.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { toBase64, toHex } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyCosignatures } from '../../../protocol/log/cosignature.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { formatAddCheckpoint, readAnyCheckpoint } from '../../../protocol/log/witness-request.ts';
import { noteSigner, parseNote, signNote } from '../../../protocol/signature/note.ts';
import { temporaryFolder } from '../../support/log.ts';
import { startWitness, submit, submittedLog } from '../../support/witnesses.ts';
import type { TestWitness } from '../../support/witnesses.ts';

const LOG = noteSigner('log.example/l', signerFromSeed(new Uint8Array(32).fill(99)));
let counter = 0;
/** Logs of their own keep the tests apart. */
const LOGS = Array.from({ length: 40 }, (_, n) =>
  noteSigner(`log-${n}.example/l`, signerFromSeed(new Uint8Array(32).fill(100 + n))),
);
function freshLog(): (typeof LOGS)[number] {
  const log = LOGS[counter];
  counter += 1;
  if (log === undefined) throw new Error('more logs needed');
  return log;
}

describe('a witness', () => {
  let witness: TestWitness;
  let time = Date.parse('2026-11-20T14:00:00Z');
  before(async () => {
    witness = await startWitness('w.example/one', LOGS, () => time);
  });
  after(() => witness[Symbol.asyncDispose]());

  const send = async (body: string): Promise<string> => {
    const { status, text } = await submit(witness.url, body);
    return status === 200 ? '200' : `${status} ${text.trimEnd()}`;
  };

  it('cosigns a log that grows, and the same checkpoint again', async () => {
    const log = submittedLog(freshLog(), 300);
    for (const [from, to] of [
      [0, 1],
      [1, 255],
      [255, 256],
      [256, 300],
      [300, 300],
    ] as const) {
      const { status, text } = await submit(witness.url, log.request(from, to));
      assert.equal(status, 200, text);
      const note = log.note(to) + text;
      const [cosignature] = verifyCosignatures(note, [witness.verifier], verifyEd25519);
      assert.equal(cosignature?.time, BigInt(time / 1000));
    }
  });

  it('names its size to a log that starts elsewhere, with the media type for it', async () => {
    const log = submittedLog(freshLog(), 20);
    assert.equal(await send(log.request(3, 10)), '409 0');
    assert.equal(await send(log.request(0, 10)), '200');
    const { status, type, text } = await submit(witness.url, log.request(5, 20));
    assert.deepEqual([status, type, text], [409, 'text/x.tlog.size', '10\n']);
    assert.equal(await send(log.request(0, 20)), '409 10');
  });

  it('does not go back', async () => {
    const log = submittedLog(freshLog(), 20);
    await send(log.request(0, 20));
    assert.equal(await send(log.request(0, 10)), '409 20');
    assert.equal(await send(log.request(20, 10)), '400 malformed');
    assert.equal(await send(log.request(10, 10)), '409 20');
  });

  it('refuses another history, be it as long, longer, or with a proof of its own', async () => {
    const signer = freshLog();
    const [log, fork] = [submittedLog(signer, 30), submittedLog(signer, 30, 'fork')];
    assert.equal(await send(log.request(0, 20)), '200');
    assert.equal(await send(fork.request(20, 20)), '422 inconsistent');
    assert.equal(await send(fork.request(20, 30)), '422 inconsistent');
    const grafted = { oldSize: 20, proof: log.proof(20, 30), note: fork.note(30) };
    assert.equal(await send(formatAddCheckpoint(grafted)), '422 inconsistent');
    const cut = { oldSize: 20, proof: log.proof(20, 30).slice(1), note: log.note(30) };
    assert.equal(await send(formatAddCheckpoint(cut)), '422 inconsistent');
    const proofFromNothing = { oldSize: 0, proof: log.proof(20, 30), note: log.note(30) };
    const other = submittedLog(freshLog(), 30);
    assert.equal(
      await send(formatAddCheckpoint({ ...proofFromNothing, note: other.note(30) })),
      '422 inconsistent',
    );
    const forked = witness.outcomes.find((it) => it.kind === 'inconsistent' && it.fork);
    if (forked?.kind !== 'inconsistent' || !forked.fork) throw new Error('no evidence');
    for (const note of [forked.fork.seen, forked.fork.shown]) {
      assert.equal(openCheckpoint(note, signer.name, [signer], verifyEd25519).size, 20);
    }
    assert.equal(await send(log.request(20, 30)), '200', 'the true history goes on');
  });

  it('refuses a log that it does not know, and a key that is not that of the log', async () => {
    const signer = freshLog();
    const stranger = signerFromSeed(new Uint8Array(32).fill(1));
    const elsewhere = submittedLog(noteSigner('elsewhere.example/l', stranger), 5);
    assert.equal(await send(elsewhere.request(0, 5)), '404 unknown log');
    const impostor = submittedLog(noteSigner(signer.name, stranger), 5);
    assert.equal(await send(impostor.request(0, 5)), '403 untrusted');
    const log = submittedLog(signer, 5);
    // A line by the known key that fails spoils the note, whatever else stands there.
    const spoilt = log
      .request(0, 5)
      .replace(
        /(— \S+ \S{20})(.)/,
        (_, head: string, one: string) => head + (one === 'A' ? 'B' : 'A'),
      );
    assert.equal(await send(spoilt), '403 untrusted');
    const twice = log.request(0, 5) + (impostor.note(5).split('\n\n')[1] ?? '');
    assert.equal(await send(twice), '200', 'lines by unknown keys are passed over');
  });

  it('takes extension lines along and the empty tree for what it is', async () => {
    const signer = freshLog();
    const log = submittedLog(signer, 5);
    const empty = `${signer.name}\n0\n${toBase64(EMPTY_ROOT)}\n`;
    const wrong = `${signer.name}\n0\n${toBase64(new Uint8Array(32))}\n`;
    const bodyOf = (text: string): string => `old 0\n\n${signNote(text, signer)}`;
    assert.equal(await send(bodyOf(wrong)), '422 inconsistent');
    assert.equal(await send(bodyOf(empty)), '200');
    const [text = ''] = log.note(5).split('\n\n');
    const extended = `${text}\nan extension\n`;
    const { status, text: line } = await submit(witness.url, bodyOf(extended));
    assert.equal(status, 200);
    const note = signNote(extended, signer) + line;
    assert.equal(verifyCosignatures(note, [witness.verifier], verifyEd25519).length, 1);
  });

  it('answers malformed requests with 400, and never with anything worse (property)', async () => {
    const log = submittedLog(freshLog(), 9);
    const good = log.request(0, 9);
    for (const body of [
      '',
      'old 0',
      good.replace('old 0', 'old 00'),
      good.replace('old 0', 'old -0'),
      good.replace('old 0', 'old 0 '),
      good.replace('old 0', 'Old 0'),
      good.replace('old 0', `old ${2 ** 53}`),
      good.replace('old 0\n', 'old 0\nnot base64\n'),
      good.replace('old 0\n', 'old 0\nAAAA\n'),
      good.replace('old 0\n', `old 0\n${`${toBase64(EMPTY_ROOT)}\n`.repeat(64)}`),
      good.slice(0, -1),
      good.replaceAll('\n', '\r\n'),
    ]) {
      assert.equal(await send(body), '400 malformed', JSON.stringify(body.slice(0, 40)));
    }
    const at = fc.nat({ max: good.length - 1 });
    await fc.assert(
      fc.asyncProperty(at, fc.string({ unit: 'binary', maxLength: 3 }), async (index, text) => {
        const status = await send(good.slice(0, index) + text + good.slice(index + 1));
        assert.match(status, /^(200|400|403|404|409|422)/);
        assert.doesNotMatch(status, /^5/);
      }),
      { numRuns: 60 },
    );
  });

  it('reads no body beyond its limit and waits for no slow one', { timeout: 30_000 }, async () => {
    assert.equal((await submit(witness.url, 'x'.repeat(70_000))).status, 413);
    const { port } = new URL(witness.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold');
    const started = Date.now();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 408 /);
    assert.ok(Date.now() - started < 15_000);
    socket.destroy();
  });

  it('serves what it cosigned last to monitors, without the lines of strangers', async () => {
    const signer = freshLog();
    const log = submittedLog(signer, 12);
    const path = `${witness.url}/${originHashOf(signer.name)}/checkpoint`;
    assert.equal((await fetch(path)).status, 404);
    const stray = submittedLog(noteSigner(signer.name, signerFromSeed(new Uint8Array(32))), 12);
    await send(log.request(0, 12) + (stray.note(12).split('\n\n')[1] ?? ''));
    const note = await (await fetch(path)).text();
    openCheckpoint(note, signer.name, [signer, witness.verifier], verifyEd25519);
    assert.equal(verifyCosignatures(note, [witness.verifier], verifyEd25519).length, 1);
    assert.equal(note.split('\n').length, 7, 'text, blank line, two signatures');
  });

  it('knows no other paths and methods', async () => {
    const ask = async (path: string, method: string): Promise<number> =>
      (await fetch(witness.url + path, { method })).status;
    assert.equal(await ask('/add-checkpoint', 'GET'), 405);
    assert.equal(await ask('/', 'GET'), 404);
    assert.equal(await ask('/add-checkpoint/', 'POST'), 404);
    assert.equal(await ask(`/${'A'.repeat(64)}/checkpoint`, 'GET'), 404);
    const raw = httpRequest(witness.url, { path: '/x/../add-checkpoint', method: 'POST' });
    raw.end();
    const [response] = (await once(raw, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    assert.equal(response.statusCode, 404);
  });

  it('cosigns with times that never go back', async () => {
    const signer = freshLog();
    const log = submittedLog(signer, 3);
    const timeOf = async (from: number, to: number): Promise<bigint | undefined> => {
      const { text } = await submit(witness.url, log.request(from, to));
      return verifyCosignatures(log.note(to) + text, [witness.verifier], verifyEd25519)[0]?.time;
    };
    const first = await timeOf(0, 1);
    time -= 3_600_000;
    assert.equal(await timeOf(1, 2), first);
    time += 3_600_000;
  });

  it('keeps its memory to itself while it runs', () => {
    assert.throws(() => openMemory(memoryPath(witness.directory)), {
      message: /another process holds/,
    });
  });

  it('has a memory that does not go back, whoever asks it to', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'memory.sqlite');
    createMemory(path);
    using memory = openMemory(path);
    const signer = freshLog();
    const log = submittedLog(signer, 20);
    const remember = (note: string, change: { root?: Uint8Array } = {}): void => {
      memory.update(signer.name, originHashOf(signer.name), () => {
        const checkpoint = { ...readAnyCheckpoint(parseNote(note).text), ...change };
        return { checkpoint, time: time / 1000, note };
      });
    };
    remember(log.note(10));
    const refused = { message: /does not go back/ };
    assert.throws(() => {
      remember(log.note(9));
    }, refused);
    assert.throws(() => {
      remember(log.note(10), { root: EMPTY_ROOT });
    }, refused);
    assert.equal(memory.find(signer.name)?.note, log.note(10));
    remember(log.note(11));
    assert.equal(memory.find(signer.name)?.checkpoint.size, 11);
  });

  it('does not go by a memory in which anything was changed', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'memory.sqlite');
    createMemory(path);
    const { name } = LOG;
    const note = submittedLog(LOG, 20).note(20);
    const checkpoint = readAnyCheckpoint(parseNote(note).text);
    {
      using memory = openMemory(path);
      memory.update(name, originHashOf(name), () => ({ checkpoint, time: time / 1000, note }));
    }
    const good = await readFile(path);
    for (const text of [
      toHex(checkpoint.root), // which the row says beside its note
      originHashOf(name), // in the table, and once more in its index
    ]) {
      const changed = Buffer.from(good);
      const at = changed.indexOf(text);
      changed.write(text.startsWith('0') ? '1' : '0', at);
      await writeFile(path, changed);
      assert.throws(() => openMemory(path), { message: /damaged/ });
    }
    await writeFile(path, good);
    using memory = openMemory(path);
    assert.equal(memory.find(name)?.note, note);
  });

  it('remembers over a restart', async () => {
    const log = submittedLog(freshLog(), 20);
    await send(log.request(0, 20));
    await witness.stop();
    await witness.start();
    assert.equal(await send(log.request(0, 10)), '409 20');
    assert.equal(await send(log.request(20, 20)), '200');
  });
});
