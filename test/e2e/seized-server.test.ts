import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startStage, type Stage } from '../cli/officer/support/stage.ts';

// A server is gone before an operator has heard of anything but `arm`. Agents and the operator are
// processes of their own; what they share is a folder.

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const CAMPAIGN = 'SDX-2026-SE1Z';

let stage: Stage;
before(async () => {
  stage = await startStage();
});
after(() => stage[Symbol.asyncDispose]());

const place = (name: string): string => join(stage.folder, name);

/** Type a command on somebody's machine. */
async function type(who: string, ...words: string[]): Promise<{ code: number; said: string }> {
  const { home } = await stage.contextOf(who);
  const env = { ...process.env, SEALDROP_HOME: home };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...words], {
      env,
    });
    return { code: 0, said: `${stdout}${stderr}` };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: `${stdout}${stderr}` };
  }
}

describe('a server that is gone', () => {
  it('keeps neither the patch nor the disclosure back, though the operator never heard of either', async () => {
    await stage.enrolAs('olga');
    await stage.bring(CAMPAIGN, 'armed');
    await stage.server.sequence();
    await stage.run('olga', 'inbox', { save: place('mail') });
    const notice = place(`mail/${CAMPAIGN}.notice`);
    const list = { list: join(notice, 'COMMITMENT') };
    await stage.run('olga', `verify-notice ${join(notice, 'notice.txt')}`, list);
    await stage.run('olga', `prefetch ${CAMPAIGN}`);
    await stage.run('cy', 'agent', { once: true });

    await stage.run('ada', `leaked ${CAMPAIGN}`, { reason: 'it is on a public list' });
    await stage.run('bo', `approve ${CAMPAIGN}`, { yes: true });
    const mirror = ['--mirror', place('mirror')];
    const heard = await type('ada', 'agent', '--once', ...mirror);
    assert.equal(heard.code, 0, heard.said);
    await stage.server.close();

    const opening = [CAMPAIGN, ...mirror, '--out'];
    const nowhere = ['--mirror', place('empty')];
    const unheard = await type(
      'olga',
      'disclosure',
      CAMPAIGN,
      ...nowhere,
      '--out',
      place('unheard'),
    );
    assert.equal(unheard.code, 3, unheard.said);
    // The second officer of two has not heard of it either, but from the mirror.
    const { code, said } = await type('cy', 'agent', '--once', ...mirror);
    assert.equal(code, 1, said);
    assert.match(said, /published our share of the release key/);
    assert.match(said, /published our share of the closing key/);

    const fetched = await type('olga', 'fetch', ...opening, place('patch'));
    assert.equal(fetched.code, 0, fetched.said);
    const disclosed = await type('olga', 'disclosure', ...opening, place('disclosed'));
    assert.equal(disclosed.code, 0, disclosed.said);
    assert.ok((await readdir(place('patch'))).includes('SHA256SUMS.asc'));
    const text = await readFile(join(place('disclosed'), 'disclosure.md'), 'utf8');
    assert.match(text, /# Unchecked addition/);
    assert.ok(!(await readdir(stage.folder)).includes('unheard'));
  });
});
