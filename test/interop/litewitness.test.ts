import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { freePort } from '../../cli/drill/free-port.ts';
import { signerFromSeed, verifyEd25519 } from '../../platform/ed25519.ts';
import { fromBase64, toBase64 } from '../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../protocol/log/checkpoint.ts';
import {
  addCosignatures,
  verifyCosignatures,
  type Cosignature,
} from '../../protocol/log/cosignature.ts';
import { consistencyProof, EMPTY_ROOT, rootOf } from '../../protocol/log/merkle.ts';
import { parsePolicy } from '../../protocol/log/policy.ts';
import { formatAddCheckpoint } from '../../protocol/log/witness-request.ts';
import { noteSigner, signNote } from '../../protocol/signature/note.ts';
import { parseVerifierKey } from '../../protocol/signature/verifier-key.ts';
import { LogAheadError } from '../../server/services/log/witnesses.ts';
import { witnessEndpoints } from '../../server/services/witness/endpoint.ts';
import { consultation, type Consultation } from '../../server/services/witness/consult.ts';
import { LOG_SIGNER, LOG_VKEY, numberedLeaf, ORIGIN, writeLog } from './support/log.ts';
import type { LogOnDisk } from './support/log.ts';
import { findTool, missing, openWorkshop, type Workshop } from './support/tools.ts';

const SIZES = [1, 255, 600];
const skip = missing('litewitness', 'ssh-agent', 'ssh-add', 'ssh-keygen');

describe('litewitness of torchwood', { skip }, () => {
  let shop: Workshop;
  let log: LogOnDisk;
  let fork: LogOnDisk;
  let agent: ChildProcess;
  let witness: ChildProcess;
  let url = '';
  let vkey = '';

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), SIZES);
    fork = await writeLog(join(shop.path, 'fork'), [600, 700], (n) => numberedLeaf(n, 'f'));
    const socket = join(shop.path, 'agent');
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    assert.ok(agent.stdout);
    await once(agent.stdout, 'data');
    const key = join(shop.path, 'key');
    assert.equal(shop.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]).status, 0);
    const added = shop.run('env', [`SSH_AUTH_SOCK=${socket}`, 'ssh-add', '-q', key]);
    assert.equal(added.status, 0, added.text);
    const fingerprint = shop.run('ssh-keygen', ['-lf', `${key}.pub`]).text.split(' ')[1] ?? '';
    const database = join(shop.path, 'witness.db');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    witness = spawn(
      findTool('litewitness') ?? '',
      [
        ...['-name', 'witness.example.net', '-db', database, '-ssh-agent', socket],
        ...['-listen', `127.0.0.1:${port}`, '-key', fingerprint],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    assert.ok(witness.stderr);
    for await (const line of createInterface({ input: witness.stderr })) {
      vkey ||= /vkey=(\S+)/.exec(line)?.[1] ?? '';
      if (line.includes('msg=listening')) break;
    }
    witness.stderr.resume();
    // What its witnessctl does: make a log known, with its key, at size 0.
    using known = disposable(new Database(database));
    const [origin, empty] = [ORIGIN, toBase64(EMPTY_ROOT)];
    known.db.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, empty);
    known.db.prepare('INSERT INTO key VALUES (?, ?)').run(origin, LOG_VKEY);
  });

  after(() => {
    witness.kill();
    agent.kill();
    shop.remove();
  });

  /** A client of ours that knows nothing of the witness yet but its key. */
  const client = (): Consultation => {
    const policy = parsePolicy(`log ${LOG_VKEY}\nwitness w1 ${vkey} ${url}\nquorum w1\n`);
    const [endpoint] = witnessEndpoints(policy, ORIGIN);
    assert.ok(endpoint);
    return consultation(endpoint, { fetch, verify: verifyEd25519 });
  };
  const cosign = (of: LogOnDisk, size: number, by = client()): Promise<Cosignature> => {
    const note = of.checkpoints.get(size) ?? '';
    const prove = (oldSize: number): Promise<Uint8Array[]> =>
      Promise.resolve(consistencyProof(oldSize, of.hashes.slice(0, size)));
    return by.cosign({ note, size, prove }, AbortSignal.timeout(10_000));
  };

  const post = async (
    oldSize: number,
    note: string,
    proof: readonly Uint8Array[] = [],
  ): Promise<readonly [number, string]> => {
    const body = formatAddCheckpoint({ oldSize, proof, note });
    const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
    return [response.status, await response.text()];
  };

  it('cosigns our log as it grows, also the same size twice and after we forgot its size', async () => {
    const remembering = client();
    for (const size of [...SIZES, 600]) {
      for (const by of [remembering, client()]) {
        const cosignature = await cosign(log, size, by);
        const note = addCosignatures(log.checkpoints.get(size) ?? '', [cosignature]);
        const found = verifyCosignatures(note, [parseVerifierKey(vkey)], verifyEd25519);
        assert.deepEqual(found, [cosignature], `size ${size}`);
        assert.equal(fromBase64(cosignature.line.split(' ')[2] ?? '').length, 76);
      }
    }
  });

  it('refuses a fork, and our client stops the log for it', async () => {
    await cosign(log, 600);
    await assert.rejects(cosign(fork, 600), LogAheadError);
    await assert.rejects(cosign(fork, 700), LogAheadError);
    await assert.rejects(cosign(log, 255), LogAheadError);
    const forged = fork.checkpoints.get(700) ?? '';
    const [status] = await post(600, forged, consistencyProof(600, fork.hashes));
    assert.equal(status, 422);
  });

  it('answers every other mistake as the specification says', async () => {
    await cosign(log, 600);
    const at = (size: number): string => log.checkpoints.get(size) ?? '';
    assert.deepEqual(await post(255, at(600)), [409, '600\n']);
    assert.equal((await post(601, at(600)))[0], 400);
    const [text = ''] = at(600).split('\n\n');
    const other = signerFromSeed(new Uint8Array(32).fill(23));
    const byOther = signNote(`${text}\n`, noteSigner(ORIGIN, other));
    assert.equal((await post(600, byOther))[0], 403);
    const root = rootOf(log.hashes);
    const elsewhere = formatCheckpoint({ origin: 'other.example.org', size: 600, root });
    assert.equal((await post(0, signNote(elsewhere, LOG_SIGNER)))[0], 404);
  });
});

function disposable(db: Database.Database): Disposable & { readonly db: Database.Database } {
  return { db, [Symbol.dispose]: () => void db.close() };
}
