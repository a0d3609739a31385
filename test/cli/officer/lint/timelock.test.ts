import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CampaignFile } from '../../../../cli/officer/campaign/campaign-file.ts';
import { lintTimelock } from '../../../../cli/officer/lint/timelock.ts';
import { looseServerKeys, makeOfficers } from '../support/officers.ts';

describe('lint of a time-lock', () => {
  it('wants a second split that is harder than T0 and possible, or warns that there is none', async () => {
    const { root } = await makeOfficers(looseServerKeys());
    const find = (timelock: CampaignFile['timelock'], shareThreshold = 2): readonly string[] =>
      lintTimelock({ timelock } as CampaignFile, { ...root, shareThreshold }).map(
        ({ severity }) => severity,
      );
    assert.deepEqual(find(undefined), []);
    assert.deepEqual(find({}), ['warning']);
    assert.deepEqual(find({ breakGlassThreshold: 3 }), []);
    assert.deepEqual(find({ breakGlassThreshold: 2 }), ['error']);
    assert.deepEqual(find({ breakGlassThreshold: 4 }), ['error']);
    assert.deepEqual(find({ breakGlassThreshold: 3 }, 3), ['error']);
  });
});
