import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Input } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import { testContext } from '../support/context.ts';
import { serveFiles } from '../support/static-server.ts';
import {
  flip,
  LOG_SIGNER,
  LOG_VKEY,
  publish,
  sealedLeaves,
  writeLog,
  type LogFiles,
} from './support/served-log.ts';

let folder: string;
const place = (name: string): string => join(folder, name);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-compare-'));
  const leaves = sealedLeaves(700);
  await make('small', leaves.slice(0, 300));
  await make('large', leaves);
  await make('same-size', [...leaves.slice(0, 299), ...sealedLeaves(1, 'other')]);
  await make('forked', [...leaves.slice(0, 299), ...sealedLeaves(401, 'other')]);
  await make('empty', []);
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A log in a folder, and its checkpoint alone in a file beside it. */
async function make(
  name: string,
  leaves: readonly string[],
  signer = LOG_SIGNER,
): Promise<LogFiles> {
  const files: LogFiles = new Map();
  await writeFile(place(`${name}.checkpoint`), await publish(files, leaves, signer));
  await writeLog(place(name), files);
  return files;
}

interface Verdict {
  readonly exit: number;
  readonly reason: string;
  readonly summary: Record<string, unknown> | undefined;
}

async function compare(args: readonly string[], options: Input['options'] = {}): Promise<Verdict> {
  await using context = await testContext({ json: true });
  const input = { args, options: { compare: true, key: LOG_VKEY, ...options } };
  let [exit, reason] = [0, ''];
  try {
    await runCommand(auditCommand, input, context);
  } catch (error) {
    exit = exitCodeOf(error);
    const { code = '', message } = error as { code?: string; message: string };
    reason = `${code} ${message}`;
  }
  const summary = context.said.events().find((it) => it.message_type === 'summary');
  return { exit, reason, summary };
}

describe('audit --compare', () => {
  it('finds two views of one history consistent, in either order', async () => {
    const small = place('small.checkpoint');
    for (const args of [
      [small, place('large')],
      [place('large'), small],
      [place('small'), place('large')],
      [small, place('large.checkpoint'), place('large')],
      [small, small],
      [place('empty.checkpoint'), small],
    ]) {
      const { exit, summary } = await compare(args);
      assert.deepEqual([exit, summary?.['result']], [0, 'consistent'], args.join(' '));
    }
  });

  it('proves a fork of one size from two notes alone, and writes evidence of it', async () => {
    const args = [place('small.checkpoint'), place('same-size.checkpoint')];
    const out = place('same-size.json');
    const { exit, summary } = await compare(args, { out });
    assert.deepEqual([exit, summary?.['result'], summary?.['proof']], [6, 'fork', []]);
    assert.equal((await compare([out])).exit, 6);
  });

  it('proves a fork of different sizes with the larger one’s tiles, and then offline', async () => {
    const out = place('fork.json');
    const args = [place('small.checkpoint'), place('forked')];
    const { exit, summary } = await compare(args, { out });
    assert.deepEqual([exit, summary?.['result']], [6, 'fork']);
    assert.ok((summary?.['proof'] as string[]).length > 0);
    const again = await compare([out]);
    assert.deepEqual([again.exit, again.summary?.['proof']], [6, summary?.['proof']]);
    assert.deepEqual(again.summary?.['notes'], [
      await readFile(place('small.checkpoint'), 'utf8'),
      await readFile(place('forked.checkpoint'), 'utf8'),
    ]);
  });

  it('compares with a server', async () => {
    const files: LogFiles = new Map();
    await using server = await serveFiles(files);
    await publish(files, sealedLeaves(500));
    assert.equal((await compare([place('small'), server.url])).exit, 0);
    await publish(files, sealedLeaves(500, 'other'));
    assert.equal((await compare([place('small'), server.url])).exit, 6);
  });

  it('decides nothing without tiles, or with tiles that are not those of the larger log', async () => {
    const notes = [place('small.checkpoint'), place('forked.checkpoint')];
    const without = await compare(notes);
    assert.deepEqual([without.exit, without.summary], [1, undefined]);
    const wrong = await compare([...notes, place('large')]);
    assert.match(wrong.reason, /^proof_invalid nothing proven/);
    assert.equal(wrong.summary, undefined);
    assert.equal((await compare([...notes, place('forked')])).summary?.['result'], 'fork');
  });

  it('does not take for a fork what another key has signed', async () => {
    const stranger = noteSigner(LOG_SIGNER.name, signerFromSeed(generateSeed()));
    await make('strange', sealedLeaves(300, 'strange'), stranger);
    const { exit, reason, summary } = await compare([place('small'), place('strange')]);
    assert.equal(exit, 6);
    assert.match(reason, /^signature_invalid/);
    assert.equal(summary, undefined);
  });

  it('does not believe evidence that was made up', async () => {
    const out = place('to-forge.json');
    await compare([place('small.checkpoint'), place('forked')], { out });
    const good = JSON.parse(await readFile(out, 'utf8')) as {
      seen: string;
      shown: string;
      proof: string[];
    };
    const large = await readFile(place('large.checkpoint'), 'utf8');
    const forged: [string, object, RegExp][] = [
      ['two states of one history', { ...good, shown: large }, /^proof_invalid nothing proven/],
      ['a shorter proof', { ...good, proof: good.proof.slice(1) }, /^proof_invalid/],
      ['no proof where one is needed', { ...good, proof: [] }, /^proof_invalid/],
      ['one state twice', { ...good, shown: good.seen, proof: [] }, /^proof_invalid/],
      ['another size', { ...good, shown: good.shown.replace('\n700\n', '\n701\n') }, /^signature_/],
      ['a member more', { ...good, more: 1 }, /^encoding_invalid/],
      ['base64 of another spelling', { ...good, proof: ['AAF='] }, /^encoding_invalid/],
    ];
    for (const [what, json, expected] of forged) {
      const path = place('forged.json');
      await writeFile(path, JSON.stringify(json));
      const { exit, reason, summary } = await compare([path]);
      assert.equal(exit, 6, what);
      assert.match(reason, expected, what);
      assert.equal(summary, undefined, what);
    }
    assert.equal((await compare([out])).summary?.['result'], 'fork');
  });

  it('is not misled by one changed tile', async () => {
    const files = await make('changed', sealedLeaves(700));
    for (const path of ['/log/tile/0/001', '/log/tile/1/000.p/2']) {
      const changed = new Map(files);
      flip(changed, path, 3);
      await writeLog(place('changed'), changed);
      const { exit, summary } = await compare([place('small.checkpoint'), place('changed')]);
      assert.deepEqual([exit, summary], [6, undefined], path);
      // Another place that has them decides.
      const args = [place('small.checkpoint'), place('changed'), place('large')];
      assert.equal((await compare(args)).summary?.['result'], 'consistent', path);
      await writeLog(place('changed'), files);
    }
    assert.equal((await compare([place('small.checkpoint'), place('changed')])).exit, 0);
  });

  it('says which file is no view of a log', async () => {
    const path = place('plan.json');
    await writeFile(path, '{"format":"sealdrop-plan/v1"}');
    for (const args of [[path], [path, place('small')], [place('small'), path]]) {
      const { exit, reason } = await compare(args);
      assert.equal(exit, 2);
      assert.match(reason, /plan\.json is no view of a log/);
    }
    const views = [place('small'), place('large')];
    assert.match((await compare([...views, path])).reason, /neither a URL nor a folder/);
  });

  it('overwrites no evidence', async () => {
    const out = place('there.json');
    await writeFile(out, 'mine');
    const args = [place('small.checkpoint'), place('forked')];
    assert.equal((await compare(args, { out })).exit, 1);
    assert.equal(await readFile(out, 'utf8'), 'mine');
  });
});
