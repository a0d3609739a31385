import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shellBlocks, walk, WALK_TIMEOUT_MS } from '../support/walk.ts';

describe('README', () => {
  it('can be walked word for word', { timeout: WALK_TIMEOUT_MS + 20_000 }, async (t) => {
    const blocks = await shellBlocks('README.md');
    assert.ok(blocks.length > 20);
    const { code, output } = await walk(t, blocks);
    assert.equal(code, 0, output.slice(-4000));
    for (const said of [
      /^exit code 3$/m,
      /^patch for agave verified, approved by ada, bo$/m,
      /^exit code 1$/m,
      /^The record holds: \d+ checks passed\.$/m,
      /^disclosure\.md: OK$/m,
      /^0001-client\.patch: OK$/m,
      /Good signature/,
      /^Signature Verified Successfully$/m,
      /leaves make the signed root/,
    ]) {
      assert.ok(said.test(output), String(said));
    }
  });
});
