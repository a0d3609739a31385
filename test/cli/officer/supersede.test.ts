import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { auditRecord } from '../../../cli/audit/audit.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent, type AgentMemory } from '../../../cli/officer/agent/memory.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession, type OfficerSession } from '../../../cli/officer/session.ts';
import { openRecordDirectory } from '../../../cli/record/record-files.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { followReadme, skipReadme } from '../audit/support/readme.ts';
import { tamperWith } from '../audit/support/tamper.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// A second patch the same day, from the officers' machines to the operator's, in order of the tests.

const ID = 'SDX-2026-S001';
const HOUR = 3_600_000;

let stage: Stage;
let first: string;
let second: string;
let third: string;
const agents: { session: OfficerSession; memory: AgentMemory }[] = [];

const operator = (line: string, options = {}): Promise<Run> => stage.run('olga', line, options);
const saved = (): string => join(stage.folder, 'messages-olga');
const patch = (name: string): string => join(stage.folder, name);
const wake = async (): Promise<void> => {
  for (const { session, memory } of agents) await serveOnce(session, memory, 60_000);
};
const exits = async (code: number, run: Promise<Run>, said: RegExp): Promise<void> => {
  await assert.rejects(run, (error: unknown) => {
    assert.match((error as Error).message, said);
    assert.equal(exitCodeOf(error), code);
    return true;
  });
};
before(async () => {
  stage = await startStage();
  await stage.enrolAs('olga');

  first = await stage.bring(ID, 'armed');
  await stage.readNotice('olga', ID);
  await operator(`prefetch ${ID}`);
  stage.advanceTo(stage.releaseTime);
  for (const id of ['ada', 'bo']) {
    const session = await openOfficerSession(await stage.contextOf(id));
    agents.push({ session, memory: await startAgent(session, []) });
  }
  await wake();
  await operator(`fetch ${ID}`, { out: patch('first') });
  await operator(`attest ${ID}`);
  for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 1, ID);
});
after(() => stage[Symbol.asyncDispose]());

describe('a second revision of a patch', () => {
  it('is sealed after the first, and is no campaign of its own', async () => {
    second = await stage.seal(ID, {
      after: draftPath(first, 'ada'),
      files: {
        'disclosure.md': '# Two unchecked additions mint tokens\n\nBoth overflowed.\n',
        'INSTRUCTIONS.md': 'git apply --index 0001-agave.patch, the second one\n',
      },
    });
    const [refused, reason] = [`propose ${second}`, `supersede ${ID}`];
    await assert.rejects(stage.run('ada', refused), { message: /is revision 2/ });
    await assert.rejects(stage.run('ada', reason), { name: 'UsageError' });
    await assert.rejects(stage.run('ada', `supersede ${ID}`, { revision: second }), {
      name: 'UsageError',
    });
  });

  it('takes the signatures that a first plan takes, and every operator is told', async () => {
    const reason = { revision: second, reason: 'a sibling bug' };
    await stage.run('ada', `supersede ${ID}`, reason);
    await exits(1, stage.run('bo', `supersede ${ID}`, reason), /ada proposed this/);
    await assert.rejects(stage.run('bo', `approve ${ID}`, { yes: true }), { name: 'UsageError' });
    const old = { draft: draftPath(first, 'bo'), yes: true };
    await assert.rejects(stage.run('bo', `approve ${ID}`, old), { name: 'UsageError' });
    // Agents go on with what was decided while something else is pending.
    await wake();

    const { summary } = await stage.run('bo', `approve ${ID}`, {
      draft: draftPath(second, 'bo'),
      yes: true,
    });
    assert.deepEqual([summary['completed'], summary['status']], [true, 'armed']);
    const { signatures, mails } = summary['completion'] as {
      signatures: string[];
      mails: { kind: string; sent: number }[];
    };
    assert.deepEqual(signatures, ['ada', 'bo']);
    assert.deepEqual(
      mails.map(({ kind, sent }) => [kind, sent]),
      [
        ['turn', 4],
        ['notice', 4],
      ],
    );
    const again = await stage.run('cy', `supersede ${ID}`, { draft: draftPath(second, 'cy') });
    const { mails: none } = again.summary['completion'] as { mails: { sent: number }[] };
    assert.deepEqual(
      none.map(({ sent }) => sent),
      [0, 0],
    );
  });

  it('ends the first one for whoever asks for it or holds its files', async () => {
    const superseded = /revision 1 of .* is superseded by revision 2/;
    await exits(7, operator(`fetch ${ID}`, { out: patch('again') }), superseded);
    await exits(7, operator(`fetch ${ID}`, { out: patch('again') }), superseded);
    await exits(7, operator(`prefetch ${ID}`), superseded);
    await exits(7, operator(`attest ${ID}`), superseded);
    await exits(7, operator(`verify ${patch('first')}`), superseded);
    assert.ok(!(await readdir(stage.folder)).includes('again'));
  });

  it('is opened with its own notice, at its own T0', async () => {
    await operator('inbox', { save: saved() });
    const told = await readdir(saved());
    assert.ok(told.some((name) => name.startsWith(`${ID}.turn-`)));
    const folder = told.find((name) => name.startsWith(`${ID}.notice-`));
    assert.ok(folder);
    await stage.readNotice('olga', ID, folder.slice(ID.length + 1), 'COMMITMENT.r2');
    await operator(`prefetch ${ID}`);
    await exits(3, operator(`fetch ${ID}`, { out: patch('second') }), /not released yet/);
    await exits(7, operator(`attest ${ID}`), /superseded/);

    stage.advanceTo(stage.releaseTime);
    await wake();
    await operator(`fetch ${ID}`, { out: patch('second') });
    await operator(`verify ${patch('second')}`);
    await exits(7, operator(`verify ${patch('first')}`), /superseded/);
    await operator(`attest ${ID}`);
  });

  const status = async (): Promise<[unknown, string]> => {
    const { summary } = await stage.run('cy', `status ${ID}`);
    const { attestedStake } = summary['adoption'] as { attestedStake: string };
    return [summary['status'], attestedStake];
  };

  it('is adopted by itself: what was said of the first one does not count', async () => {
    assert.deepEqual(await status(), ['released', '20']);
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 2, ID);
    assert.deepEqual(await status(), ['adopted', '100']);
  });

  it('is followed by a third one that is released at once, and counted by another snapshot', async () => {
    third = await stage.seal(ID, {
      after: draftPath(second, 'ada'),
      files: {
        'stake.txt': stage.snapshotOf([50n, 40n, 5n], 'epoch 651'),
        'disclosure.md': '# Three unchecked additions mint tokens\n\nAll overflowed.\n',
        'INSTRUCTIONS.md': 'git apply --index 0001-agave.patch, the third one\n',
      },
    });
    const reason = { revision: third, reason: 'it halts nodes', now: true };
    await stage.run('ada', `supersede ${ID}`, reason);
    const approval = { draft: draftPath(third, 'bo'), yes: true };
    const { summary } = await stage.run('bo', `approve ${ID}`, approval);
    assert.deepEqual([summary['completed'], summary['status']], [true, 'released']);
    await operator('inbox', { save: saved() });
    const notices = (await readdir(saved())).filter((it) => it.startsWith(`${ID}.notice-`));
    const folder = notices.toSorted().at(-1) ?? '';
    await stage.readNotice('olga', ID, folder.slice(ID.length + 1), 'COMMITMENT.r3');
    await operator(`prefetch ${ID}`);
    // Decided on is not published: its key is another one, and its T0 hours away.
    assert.ok(stage.now() < stage.releaseTime);
    await exits(
      3,
      operator(`fetch ${ID}`, { out: patch('third') }),
      /shares of .* are to be published at once/,
    );
    await wake();
    await operator(`fetch ${ID}`, { out: patch('third') });
    await exits(7, operator(`verify ${patch('second')}`), /superseded/);
    await operator(`attest ${ID}`);
    assert.deepEqual(await status(), ['released', '5']);
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 3, ID);
    assert.deepEqual(await status(), ['adopted', '95']);
  });

  it('opens the documents of all in the end', async () => {
    await stage.run('ada', `disclose ${ID}`, { draft: draftPath(third, 'ada') });
    await stage.run('bo', `approve ${ID}`, { draft: draftPath(third, 'bo'), yes: true });
    await wake();
    assert.equal((await stage.run('cy', `status ${ID}`)).summary['opened'], true);
    const { client } = await openOfficerSession(await stage.contextOf('cy'));
    const text = async (name: string): Promise<string> =>
      utf8Decode(await client.document(ID, name));
    assert.match(await text('r1.disclosure.md'), /# Unchecked addition/);
    assert.match(await text('r2.disclosure.md'), /# Two unchecked additions/);
    assert.match(await text('disclosure.md'), /# Three unchecked additions/);
    stage.advanceTo(stage.now() + HOUR);
    await stage.server.sequence();
  });
});

describe('the record of a campaign with three revisions and two snapshots', () => {
  let record: string;
  const audit = async (directory: string): Promise<Run> =>
    operator(`audit ${directory}`, { rootSha256: stage.server.rootSha256 });

  const tamper = (path: string, change: (bytes: Buffer) => Buffer): Promise<string> =>
    tamperWith(record, stage.folder, path, change);
  const refuses = async (
    path: string,
    change: (bytes: Buffer) => Buffer,
    id: string,
  ): Promise<void> => {
    const copy = await tamper(path, change);
    const files = await openRecordDirectory(copy);
    const results = await auditRecord({ files, verify: verifyEd25519 });
    const failed = results.filter(({ status }) => status === 'fail').map((it) => it.id);
    assert.deepEqual(failed, [id], path);
    await exits(6, audit(copy), /./);
  };
  const flip = (bytes: Buffer): Buffer => {
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2);
    return bytes;
  };

  it('has every plan, document, bundle, share, key and signature of all, and holds', async () => {
    record = join(stage.folder, 'record');
    const sleep = (): Promise<void> => stage.server.sequence();
    const { summary, stdout } = await stage.run('olga', `record ${ID}`, { out: record }, { sleep });
    assert.equal(summary['result'], 'pass');
    const checks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const detail = (id: string): string => String(checks.find((it) => it['id'] === id)?.['detail']);
    assert.match(
      detail('shares.release'),
      /revision 1: 2 shares: .*; revision 2: 2 shares: .*; revision 3: 2 shares: /,
    );
    assert.match(
      detail('bundles.closing'),
      /revision 1: closed for ever.*; revision 2: closed for ever.*; revision 3: 12 files/,
    );
    assert.match(
      detail('adoption.tally'),
      /revision 1: 100 of 100 .*; revision 2: 100 of 100 .*; revision 3: 95 of 95 /,
    );
    assert.match(detail('adoption.snapshot'), /epoch 650.*epoch 650.*revision 3: epoch 651/);
    const own = ['plan.txt', 'plan.json', 'release.key', 'SHA256SUMS.asc', 'tally.json'];
    for (const path of [record, join(record, 'r2'), join(record, 'r3')]) {
      const files = await readdir(path);
      for (const name of own) assert.ok(files.includes(name), name);
    }
    assert.deepEqual(await readdir(join(record, 'commitment')), [
      'COMMITMENT',
      'COMMITMENT.r2',
      'COMMITMENT.r3',
    ]);
    await audit(record);
    // What a record taught this home of decisions, its other commands know as well.
    await operator(`verify ${patch('third')}`);
    await operator('inbox');
  });

  it('is checked by the commands of its README, too', { skip: skipReadme() }, async () => {
    const said = await followReadme(record);
    assert.match(said, /0001-agave\.patch: OK[^]*0001-agave\.patch: OK/);
    assert.match(said, /COMMITMENT: OK/);
    const copy = await tamper('documents/r1/disclosure.md', flip);
    await assert.rejects(followReadme(copy), ({ stdout }: Error & { stdout?: string }) => {
      assert.match(stdout ?? '', /^disclosure\.md: FAILED$/m);
      return true;
    });
  });

  it('is refused with a byte of the first revision changed, or its bundle replaced', async () => {
    const [one, two] = await Promise.all(
      ['plan.json', 'r2/plan.json'].map(async (path) => {
        const text = await readFile(join(record, path), 'utf8');
        return (JSON.parse(text) as Pick<Plan, 'bundles'>).bundles[0]?.sha256 ?? '';
      }),
    );
    const other = await readFile(join(record, `bundles/${two ?? ''}.age`));
    await refuses('documents/r1/disclosure.md', flip, 'documents.committed');
    await refuses('documents/r2/COMMITMENT', flip, 'documents.committed');
    await refuses(`bundles/${one ?? ''}.age`, () => other, 'bundles.contents');
    await refuses('release.key', () => Buffer.from('AGE-SECRET-KEY-1\n'), 'shares.release');
  });

  it('is refused when what was said of the first revision is counted for the second', async () => {
    const first = await readFile(join(record, 'tally.json'), 'utf8');
    const forged = first.replace('"revision": 1', '"revision": 2');
    assert.notEqual(forged, first);
    await refuses('r2/tally.json', () => Buffer.from(forged), 'adoption.tally');
  });
});
