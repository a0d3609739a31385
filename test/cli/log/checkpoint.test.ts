import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openHome, type Home } from '../../../cli/home/home.ts';
import {
  findRecentCheckpoint,
  refreshCheckpoint,
  verifyLogged,
} from '../../../cli/log/checkpoint.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { testContext } from '../support/context.ts';
import { memoryLog, type MemoryLog } from '../support/log.ts';

const SIGNER = noteSigner('127.0.0.1/log', signerFromSeed(new Uint8Array(32).fill(1)));
// Only what a checkpoint is judged by.
const ROOT = { origin: SIGNER.name, logKey: SIGNER, witnesses: [] } as unknown as TrustRoot;
const leaves = (count: number, text = 'leaf'): string[] =>
  Array.from({ length: count }, (_, index) => `${text} ${index}\n`);

async function logOf(...added: readonly string[]): Promise<MemoryLog> {
  const log = memoryLog(SIGNER);
  await log.append(...added);
  return log;
}

async function evidenceIn(home: Home): Promise<{ kind: string; seen: string; shown: string }[]> {
  const names = await readdir(home.path('evidence')).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(home.path('evidence', name), 'utf8')),
  );
  return texts.map((text) => JSON.parse(text) as { kind: string; seen: string; shown: string });
}

describe('refreshCheckpoint', () => {
  it('follows a log that only grows, by any steps (property)', async () => {
    await using context = await testContext();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 4 }),
        async (steps) => {
          run += 1;
          const home = openHome({ ...context, home: `${context.home}/${run}` });
          const log = memoryLog(SIGNER);
          for (const step of steps) {
            await log.append(...leaves(step));
            const { checkpoint, note } = await refreshCheckpoint(home, log, ROOT);
            assert.equal(checkpoint.size, log.leaves.length);
            const kept = (await home.state.read()).checkpoint;
            assert.deepEqual([kept?.size, kept?.note], [checkpoint.size, note]);
          }
          assert.deepEqual(await evidenceIn(home), []);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is not needed within a minute of the last, and by no other clock', async () => {
    let now = Date.parse('2026-11-20T12:00:00Z');
    await using context = await testContext({ now: () => now });
    const home = openHome(context);
    const recent = (): Promise<unknown> => findRecentCheckpoint(home, ROOT, now);
    assert.equal(await recent(), undefined);
    const log = await logOf(...leaves(5));
    const seen = await refreshCheckpoint(home, log, ROOT);
    assert.deepEqual(await recent(), seen);
    now += 60_000;
    assert.deepEqual(await recent(), seen);
    now += 1;
    assert.equal(await recent(), undefined, 'a minute later');
    await refreshCheckpoint(home, log, ROOT);
    assert.equal(await recent(), undefined, 'the same again is not a newer one');
    now -= 60_002;
    assert.equal(await recent(), undefined, 'the clock went back');
  });

  it('of the last minute is verified again before it is named', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await refreshCheckpoint(home, await logOf(...leaves(5)), ROOT);
    const path = home.path('state.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('log\\n5\\n', 'log\\n6\\n'));
    await assert.rejects(findRecentCheckpoint(home, ROOT, context.now()), {
      name: 'ProtocolError',
    });
  });

  it('refuses a log that shrank and keeps both notes as evidence', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const before = await refreshCheckpoint(home, await logOf(...leaves(5)), ROOT);
    const shorter = await logOf(...leaves(4));
    await assert.rejects(refreshCheckpoint(home, shorter, ROOT), { code: 'checkpoint_invalid' });
    const [evidence] = await evidenceIn(home);
    assert.deepEqual(
      [evidence?.kind, evidence?.seen, evidence?.shown],
      ['shrunk', before.note, await shorter.checkpoint()],
    );
    assert.equal((await home.state.read()).checkpoint?.note, before.note);
  });

  it('refuses a fork, of the same size or larger, with evidence anybody can verify', async () => {
    for (const size of [5, 6, 300]) {
      await using context = await testContext();
      const home = openHome(context);
      await refreshCheckpoint(home, await logOf(...leaves(5)), ROOT);
      const forked = await logOf(...leaves(size, 'other'));
      await assert.rejects(refreshCheckpoint(home, forked, ROOT), { code: 'checkpoint_invalid' });
      const [evidence] = await evidenceIn(home);
      assert.equal(evidence?.kind, 'forked');
      for (const note of [evidence.seen, evidence.shown]) {
        openCheckpoint(note, SIGNER.name, [SIGNER], verifyEd25519);
      }
    }
  });

  it('refuses a checkpoint by another key or of another log', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const stranger = signerFromSeed(new Uint8Array(32).fill(2));
    for (const signer of [
      noteSigner(SIGNER.name, stranger),
      noteSigner('127.0.0.1/other', stranger),
    ]) {
      await assert.rejects(refreshCheckpoint(home, memoryLog(signer), ROOT), {
        code: 'signature_invalid',
      });
    }
    assert.equal((await home.state.read()).checkpoint, null);
  });

  it('refuses a line under a witness’s name that the witness did not sign', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const witness = cosigner('w.example', signerFromSeed(new Uint8Array(32).fill(3)));
    const root = { ...ROOT, witnesses: [witness] };
    const log = await logOf(...leaves(3));
    const note = await log.checkpoint();
    const text = note.slice(0, note.indexOf('\n\n') + 1);
    const shown = (line: string): MemoryLog => ({
      ...log,
      checkpoint: () => Promise.resolve(note + line),
    });
    const forged = shown(witness.cosign(`${text}x\n`, 1_790_000_000));
    await assert.rejects(refreshCheckpoint(home, forged, root), { code: 'signature_invalid' });
    assert.equal((await home.state.read()).checkpoint, null);
    const good = shown(witness.cosign(text, 1_790_000_000));
    assert.equal((await refreshCheckpoint(home, good, root)).checkpoint.size, 3);
  });

  it('remembers nothing when the tiles make no proof', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const log = await logOf(...leaves(5));
    const before = await refreshCheckpoint(home, log, ROOT);
    await log.append(...leaves(3));
    const partial = log.tiles.get('tile/0/000.p/8');
    if (partial === undefined) throw new Error('the tile is there');
    log.tiles.set('tile/0/000.p/8', partial.with(40, (partial[40] ?? 0) ^ 1));
    await assert.rejects(refreshCheckpoint(home, log, ROOT), { name: 'ProtocolError' });
    log.tiles.delete('tile/0/000.p/8');
    await assert.rejects(refreshCheckpoint(home, log, ROOT), { name: 'ProblemError' });
    assert.equal((await home.state.read()).checkpoint?.note, before.note);
  });

  it('takes no harm from another command that moved ahead meanwhile', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const log = await logOf(...leaves(3));
    await refreshCheckpoint(home, log, ROOT);
    const old = await log.checkpoint();
    await log.append(...leaves(2));
    let asked = 0;
    const overtaken = {
      ...log,
      async checkpoint() {
        asked += 1;
        if (asked > 1) return log.checkpoint();
        // Between our reading and our writing, another process of this home goes further.
        await refreshCheckpoint(openHome(context), log, ROOT);
        return old;
      },
    };
    assert.equal((await refreshCheckpoint(home, overtaken, ROOT)).checkpoint.size, 5);
    assert.equal(asked, 2);
    assert.deepEqual(await evidenceIn(home), []);
  });
});

describe('verifyLogged', () => {
  it('accepts each leaf at its own place only (property)', async () => {
    await using context = await testContext();
    const log = await logOf(...leaves(270));
    const { checkpoint } = await refreshCheckpoint(openHome(context), log, ROOT);
    const index = fc.integer({ min: 0, max: 269 });
    await fc.assert(
      fc.asyncProperty(index, index, async (at, claimed) => {
        const leaf = utf8Encode(log.leaves[at] ?? '');
        const verified = verifyLogged(log, checkpoint, claimed, leaf);
        if (at === claimed) await verified;
        else await assert.rejects(verified, { code: 'proof_invalid' });
      }),
      { numRuns: 40 },
    );
  });

  it('asks for patience where the checkpoint does not reach yet', async () => {
    await using context = await testContext();
    const log = await logOf(...leaves(2));
    const { checkpoint } = await refreshCheckpoint(openHome(context), log, ROOT);
    await assert.rejects(verifyLogged(log, checkpoint, 2, utf8Encode('leaf 2\n')), {
      name: 'TemporaryError',
    });
  });
});
