import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { draftPath } from '../../../cli/officer/sealed-dir.ts';
import { startStage, type Stage } from './support/stage.ts';

// Three officers decide together; two more join them, and then three of five do.

const ID = 'SDX-2026-CUR0';
const FLAW = /officers who are left out of a decision could open with the share of the server/;

let stage: Stage;
let path: string;
before(async () => {
  stage = await startStage({ threshold: 3, custody: true, file: { serverCustody: 'one' } });
  path = await stage.bring(ID, 'committed');
});
after(() => stage[Symbol.asyncDispose]());

const arm = (): Promise<unknown> =>
  stage.run('ada', `arm ${ID}`, { draft: draftPath(path, 'ada') });

describe('a campaign with a share of the server, when more officers come to decide', () => {
  it('may be armed before they do', async () => {
    await arm();
  });

  it('may not be afterwards, and who publishes the root hears of it', async () => {
    const cards = ['flo', 'gil'].map((id) => join(stage.folder, `${id}.card.json`));
    for (const [index, id] of ['flo', 'gil'].entries()) {
      await stage.run(id, 'officer init', { id, out: cards[index] ?? '' });
      await stage.run(id, `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });
    }
    const out = join(stage.folder, 'five');
    await stage.run('ada', 'trust rotate', { expires: '365', officer: cards, out });
    for (const id of ['bo', 'cy', 'flo', 'gil']) await stage.run(id, `trust sign ${out}`);
    const { stderr, stdout } = await stage.run('ada', `trust publish ${out}`);
    assert.match(`${stderr}${stdout}`, FLAW);
    await assert.rejects(arm(), { code: 'plan_invalid', message: FLAW });
  });
});
