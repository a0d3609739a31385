import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sideBySide } from '../../server/services/custody/side-by-side.ts';

/** A task that goes on until it is told to end, and what has begun so far. */
function tasks(): {
  begun: string[];
  task: (name: string) => () => Promise<void>;
  end: (name: string) => Promise<void>;
} {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    task: (name) => () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    },
    async end(name) {
      ends.get(name)?.();
      await new Promise(setImmediate);
    },
  };
}

describe('work side by side', () => {
  it('is never twice at a time on one thing, and once more when asked meanwhile', async () => {
    const { begun, task, end } = tasks();
    const hands = sideBySide(4);
    for (let i = 0; i < 5; i++) hands.begin('a', task('a'));
    hands.begin('b', task('b'));
    assert.deepEqual(begun, ['a', 'b']);
    await end('a');
    assert.deepEqual(begun, ['a', 'b', 'a']);
    await end('a');
    assert.deepEqual(begun, ['a', 'b', 'a']);
    await end('b');
    await hands.settle();
  });

  it('has a limit, beyond which things have their turn as others end', async () => {
    const { begun, task, end } = tasks();
    const hands = sideBySide(2);
    for (const name of ['a', 'b', 'c', 'd']) hands.begin(name, task(name));
    hands.begin('a', task('a again'));
    assert.deepEqual(begun, ['a', 'b']);
    await end('b');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    // What hangs takes one place of the two and no more.
    await end('c');
    await end('d');
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    let isSettled = false;
    const settled = hands.settle().then(() => (isSettled = true));
    await end('a');
    assert.deepEqual(begun.slice(4), ['a again']);
    assert.equal(isSettled, false);
    await end('a again');
    await settled;
  });
});
