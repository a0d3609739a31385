import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shellBlocks, walk, WALK_TIMEOUT_MS } from '../support/walk.ts';

describe('docs/turns.md', () => {
  it(
    'goes on where a campaign is staged, word for word',
    {
      timeout: WALK_TIMEOUT_MS + 20_000,
    },
    async (t) => {
      const readme = await shellBlocks('README.md');
      const staged = readme.findIndex(({ heading }) => heading === 'Notify');
      const turns = await shellBlocks('docs/turns.md');
      assert.ok(staged > 5 && turns.length > 12);
      const blocks = [...readme.slice(0, staged), ...turns, ...readme.slice(-1)];
      const { code, output } = await walk(t, blocks);
      assert.equal(code, 0, output.slice(-4000));
      const count = (said: RegExp): number => [...output.matchAll(said)].length;
      // Every move of the table, each as often as the page makes it.
      const done = (move: string, status: string): number =>
        count(new RegExp(`^${move} of \\S+ is done, signed by \\S+, \\S+: now ${status}$`, 'gm'));
      assert.deepEqual(
        {
          commit: [done('commit', 'committed'), done('commit', 'armed')],
          notify: done('notify', 'notified'),
          arm: done('arm', 'armed'),
          reschedule: done('reschedule', 'armed'),
          withdraw: done('withdraw', 'withdrawn'),
          supersede: done('supersede', 'released'),
          disclose: done('disclose', 'disclosed'),
          abort: done('abort', 'aborted'),
          leaked: done('leaked', 'disclosed'),
        },
        {
          commit: [5, 1],
          notify: 2,
          arm: 2,
          reschedule: 2,
          withdraw: 1,
          supersede: 1,
          disclose: 2,
          abort: 1,
          leaked: 1,
        },
      );
      assert.equal(count(/^exit code 7$/gm), 3);
      assert.equal(count(/^exit code 1$/gm), 2);
      assert.equal(count(/^patch for agave verified, approved by ada, bo$/gm), 3);
      assert.equal(count(/^The record holds: \d+ checks passed\.$/gm), 3);
      for (const said of [
        /^ {4}from \S+\n {4}to {3}\S+$/m,
        /^The campaign is disclosed now, by override/m,
        /45\.00 %\.\nThe threshold, more than 2\/3, is not reached\.$/m,
        /disclosed\/r1\.disclosure\.md$/m,
        /^THE EMBARGO IS BROKEN/m,
        /disclosed at its latest date, without a directive/,
      ]) {
        assert.ok(said.test(output), String(said));
      }
    },
  );
});
