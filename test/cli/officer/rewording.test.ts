import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent, type AgentMemory } from '../../../cli/officer/agent/memory.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession, type OfficerSession } from '../../../cli/officer/session.ts';
import { parsePlan, type Plan } from '../../../protocol/plan/plan.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// Another disclosure for a campaign that is armed: notice, patch, keys and shares stay as they are.

const ID = 'SDX-2026-W001';

let stage: Stage;
let first: string;
let second: string;
const agents: { session: OfficerSession; memory: AgentMemory }[] = [];
const wake = async (): Promise<void> => {
  for (const { session, memory } of agents) await serveOnce(session, memory, 60_000);
};

const operator = (line: string, options = {}): Promise<Run> => stage.run('olga', line, options);

before(async () => {
  stage = await startStage();
  await stage.enrolAs('olga');
  first = await stage.bring(ID, 'armed');
  await stage.readNotice('olga', ID);
  await operator(`prefetch ${ID}`);
  second = await stage.seal(ID, {
    after: draftPath(first, 'ada'),
    wording: true,
    files: { 'disclosure.md': '# Said better\n' },
  });
});
after(() => stage[Symbol.asyncDispose]());

describe('another wording of the disclosure', () => {
  it('is put in force by a commit that names its directory, and leaves the campaign armed', async () => {
    const reworded = { revision: second, reason: 'a name was wrong' };
    await stage.run('ada', `commit ${ID}`, reworded);
    const old = { draft: draftPath(first, 'bo'), yes: true };
    await assert.rejects(stage.run('bo', `approve ${ID}`, old), { name: 'UsageError' });
    const approval = { draft: draftPath(second, 'bo'), yes: true };
    const { summary } = await stage.run('bo', `approve ${ID}`, approval);
    assert.deepEqual([summary['completed'], summary['status']], [true, 'armed']);
    // Once more it does what is missing, which is nothing; it is not proposed again.
    const again = await stage.run('ada', `commit ${ID}`, reworded);
    assert.equal(again.summary['completed'], true);
    assert.equal((await stage.run('ada', `inspect ${ID}`)).summary['sequence'], 4);
  });

  it('is refused when anything besides the disclosure was changed in the folder', async () => {
    const after = draftPath(second, 'ada');
    const sealing = (files: Record<string, string>): Promise<string> =>
      stage.seal(ID, { after, wording: true, files: { 'disclosure.md': '# Again\n', ...files } });
    const time = formatTime(stage.releaseTime);
    const changed: [Record<string, string>, RegExp][] = [
      [{ 'notice.md': `# ${ID}\n\nAn update comes on ${time}. Be early.\n` }, /notice\.md/],
      [{ 'INSTRUCTIONS.md': 'git apply it twice\n' }, /the patch, INSTRUCTIONS\.md/],
    ];
    for (const [files, message] of changed) {
      await assert.rejects(sealing(files), { name: 'UsageError', message });
    }
    const third = await sealing({});
    // It is not the next revision of the first one.
    const late = { revision: first, reason: 'late' };
    await assert.rejects(stage.run('ada', `commit ${ID}`, late), { name: 'UsageError' });
    const silent = { revision: third };
    await assert.rejects(stage.run('ada', `commit ${ID}`, silent), { name: 'UsageError' });
  });

  it('lets operators fetch the new disclosure, which officers have listed, with their old notice', async () => {
    const plan = async (directory: string): Promise<Plan> =>
      parsePlan(await readFile(join(directory, 'sealed', 'plan.txt')));
    const [before, now] = [await plan(first), await plan(second)];
    assert.notEqual(now.closingBundle.sha256, before.closingBundle.sha256);
    await stage.server.sequence();
    const { summary } = await operator(`prefetch ${ID}`);
    assert.equal(summary['closing'], now.closingBundle.sha256);
    assert.equal(summary['sha256'], before.bundles[0]?.sha256);
  });

  it('releases the same patch, and its record has one patch under two revisions', async () => {
    await stage.server.sequence();
    stage.advanceTo(stage.releaseTime);
    for (const id of ['ada', 'bo']) {
      const session = await openOfficerSession(await stage.contextOf(id));
      agents.push({ session, memory: await startAgent(session, []) });
    }
    await wake();
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 1, ID);
    await stage.run('ada', `disclose ${ID}`, { draft: draftPath(second, 'ada') });
    await stage.run('bo', `approve ${ID}`, { draft: draftPath(second, 'bo'), yes: true });
    await wake();
    await stage.server.sequence();

    const out = join(stage.folder, 'record');
    const sleep = (): Promise<void> => stage.server.sequence();
    const { summary, stdout } = await stage.run('olga', `record ${ID}`, { out }, { sleep });
    assert.equal(summary['result'], 'pass');
    // Its shares came out under the second revision, which has the closing key of the first.
    assert.match(stdout, /revision 1: the patch was never released; revision 2: 2 shares/);
    assert.match(stdout, /revision 1: 4 files; revision 2: 8 files/);
    const text = (path: string): Promise<string> => readFile(join(out, path), 'utf8');
    assert.match(await text('documents/r2/disclosure.md'), /# Said better/);
    assert.equal(await text('documents/r1/release.txt'), await text('documents/r2/release.txt'));
  });
});
