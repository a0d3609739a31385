import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { runCommand } from '../../../cli/command.ts';
import { witnessCommand, witnessInitCommand } from '../../../cli/commands/witness.ts';
import { memoryPath } from '../../../cli/witness/identity.ts';
import { originHashOf } from '../../../cli/witness/service.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyCosignatures } from '../../../protocol/log/cosignature.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import {
  formatVerifierKey,
  NOTE_ED25519,
  parseVerifierKey,
} from '../../../protocol/signature/verifier-key.ts';
import { spawnWitness, submit, submittedLog } from '../../support/witnesses.ts';
import { testContext } from '../support/context.ts';

const SIGNER = noteSigner('log.example/one', signerFromSeed(new Uint8Array(32).fill(3)));
const LOG_KEY = formatVerifierKey(SIGNER.name, NOTE_ED25519, SIGNER.publicKey);

/** A new witness by `witness init`. */
async function initWitness(): Promise<
  AsyncDisposable & {
    readonly directory: string;
    readonly vkey: string;
    readonly policyLine: string;
  }
> {
  const parent = await mkdtemp(join(tmpdir(), 'sealdrop-witness-'));
  const directory = join(parent, 'w');
  await using context = await testContext({ json: true });
  const options = { dir: directory, name: 'w.example/one', url: 'https://w.example/one' };
  await runCommand(witnessInitCommand, { options }, context);
  const { vkey, policyLine } = context.said.summary() as { vkey: string; policyLine: string };
  return {
    directory,
    vkey,
    policyLine,
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  };
}

describe('sealdrop witness', () => {
  it('makes a key once and prints lines that a policy takes', async () => {
    await using made = await initWitness();
    const { witnesses } = parsePolicy(`${made.policyLine}\nquorum w.example/one\n`);
    assert.equal(witnesses[0]?.url, 'https://w.example/one');
    assert.deepEqual(witnesses[0].verifier, parseVerifierKey(made.vkey));
    const key = await readFile(join(made.directory, 'witness.json'), 'utf8');
    await using context = await testContext();
    const options = { dir: made.directory, name: 'w.example/two' };
    await assert.rejects(runCommand(witnessInitCommand, { options }, context), {
      message: /is a witness already/,
    });
    assert.equal(await readFile(join(made.directory, 'witness.json'), 'utf8'), key);
  });

  it('does not start without its memory, with a damaged one, or as another’s second', async () => {
    await using made = await initWitness();
    const path = memoryPath(made.directory);
    const running = await spawnWitness(made.directory, [LOG_KEY]);
    const log = submittedLog(SIGNER, 40);
    assert.equal((await submit(running.url, log.request(0, 20))).status, 200);
    await assert.rejects(spawnWitness(made.directory, [LOG_KEY]), /another process holds/);
    assert.equal(await running.end('SIGTERM'), 0);

    const good = await readFile(path);
    // The size alone, wherever SQLite keeps it: a row that no longer matches its signed note.
    const at = good.lastIndexOf('log.example/one\n20\n');
    assert.ok(at > 0);
    await writeFile(path, Buffer.from(good).fill('3', at + 'log.example/one\n'.length, at + 17));
    await assert.rejects(spawnWitness(made.directory, [LOG_KEY]), /damaged/);
    await writeFile(path, good.subarray(0, good.length - 4096));
    await assert.rejects(spawnWitness(made.directory, [LOG_KEY]), /damaged/);
    await rm(path);
    await assert.rejects(spawnWitness(made.directory, [LOG_KEY]), /cannot be opened/);
    await writeFile(path, good);
    const again = await spawnWitness(made.directory, [LOG_KEY]);
    assert.equal((await submit(again.url, log.request(0, 30))).text, '20\n');
    assert.equal(await again.end('SIGTERM'), 0);
  });

  it('says what is wrong with its options', async () => {
    await using made = await initWitness();
    await using context = await testContext();
    const run = (options: Record<string, string | readonly string[]>): Promise<void> =>
      runCommand(witnessCommand, { options: { dir: made.directory, ...options } }, context);
    const listen = '127.0.0.1:0';
    const file = join(made.directory, 'logs');
    const expected: [Record<string, string | readonly string[]>, RegExp][] = [
      [{}, /--listen is required/],
      [{ listen: 'localhost' }, /not HOST:PORT/],
      [{ listen: '127.0.0.1:70000' }, /the port/],
      [{ listen }, /needs a log/],
      [{ listen, log: ['nonsense'] }, /--log: malformed verifier key/],
      [{ listen, log: [made.vkey] }, /that is the key of a witness/],
      [{ listen, log: [LOG_KEY, LOG_KEY] }, /listed already/],
      [{ listen, logs: file }, /line 2: malformed verifier key/],
      [{ listen, log: [LOG_KEY], dir: join(made.directory, 'x') }, /not the folder of a witness/],
    ];
    await writeFile(file, `# logs\nx+y\n${LOG_KEY} go.sum database tree\n`);
    for (const [options, message] of expected) {
      await assert.rejects(run(options), { message });
    }
  });

  it(
    'cosigns one history only, however many ask at once for two',
    { timeout: 120_000 },
    async () => {
      await using made = await initWitness();
      const running = await spawnWitness(made.directory, [LOG_KEY]);
      const verifier = parseVerifierKey(made.vkey);
      const logs = [submittedLog(SIGNER, 200), submittedLog(SIGNER, 200, 'fork')];
      const cosigned = new Map<string, number>();
      const ask = async (which: number, from: number, to: number): Promise<number> => {
        const log = logs[which];
        if (log === undefined) throw new Error('two logs');
        const { status, text } = await submit(running.url, log.request(from, to));
        if (status === 200) {
          const note = log.note(to) + text;
          assert.equal(verifyCosignatures(note, [verifier], verifyEd25519).length, 1);
          cosigned.set(`${which} ${to}`, (cosigned.get(`${which} ${to}`) ?? 0) + 1);
        }
        return status;
      };
      const steps = [0, 40, 80, 120, 160];
      for (const from of steps) {
        // A hundred at once, half of them of each history, to twenty sizes of each.
        const statuses = await Promise.all(
          Array.from({ length: 100 }, (_, n) => ask(n % 2, from, from + 40 - (n % 20))),
        );
        assert.ok(
          statuses.every((status) => [200, 409, 422].includes(status)),
          statuses.join(),
        );
        const latest = [...cosigned.keys()].map((key) => Number(key.split(' ')[1]));
        const [winner] = new Set([...cosigned.keys()].map((key) => Number(key.split(' ')[0])));
        // Bring it to the next step, for whichever history it has taken.
        const reached = Math.max(...latest);
        if (reached < from + 40) await ask(winner ?? 0, reached, from + 40);
      }
      const histories = new Set([...cosigned.keys()].map((key) => key.split(' ')[0]));
      assert.equal(histories.size, 1, [...cosigned.keys()].join());
      assert.ok(cosigned.size >= steps.length);
      assert.equal(await running.end('SIGTERM'), 0);
    },
  );

  it(
    'has the old state or the new one after kill -9, and never less than it answered',
    { timeout: 180_000 },
    async () => {
      await using made = await initWitness();
      const log = submittedLog(SIGNER, 4000);
      let acknowledged = 0;
      let cuts = 0;
      for (let round = 0; round < 8; round += 1) {
        const running = await spawnWitness(made.directory, [LOG_KEY]);
        const answer = await fetch(`${running.url}/${originHashOf(SIGNER.name)}/checkpoint`);
        const shown = await answer.text();
        let size = 0;
        if (answer.status === 200) {
          const keys = [SIGNER, parseVerifierKey(made.vkey)];
          ({ size } = openCheckpoint(shown, SIGNER.name, keys, verifyEd25519));
        }
        assert.ok(
          size >= acknowledged && size <= acknowledged + 1,
          `${size} after ${acknowledged}`,
        );
        if (size === acknowledged + 1) cuts += 1;
        acknowledged = size;
        const killAfter = 40 + ((round * 37) % 60);
        const timer = setTimeout(() => running.process.kill('SIGKILL'), killAfter);
        try {
          for (;;) {
            const { status } = await submit(running.url, log.request(size, size + 1));
            assert.equal(status, 200);
            size += 1;
            acknowledged = size;
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
        }
        clearTimeout(timer);
        assert.equal(await running.end('SIGKILL'), 'SIGKILL');
      }
      assert.ok(
        acknowledged > 8,
        `${acknowledged} acknowledged, ${cuts} cut between state and answer`,
      );
    },
  );
});
