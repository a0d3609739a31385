import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { withIndex } from '../../../protocol/record/assemble.ts';
import { RECORD } from '../../../protocol/record/layout.ts';
import { INDEX_PATH } from '../../../protocol/record/record-index.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { CAMPAIGN } from './support/campaign.ts';
import { tellStory, type Story } from './support/story.ts';
import { assertFails, assertGood, audit, failuresOf } from './support/verdict.ts';

let good: Files;
let story: Story;

before(async () => {
  ({ files: good, story } = await tellStory());
});

const changed = (path: string, bytes: Uint8Array): Files => new Map([...good, [path, bytes]]);

const filled = (): readonly [string, Uint8Array][] =>
  [...good].filter(([, bytes]) => bytes.length > 0);

const without = (path: string): Files => new Map([...good].filter(([name]) => name !== path));

/** What somebody without any key can do: change files and list them as they now are. */
const relisted = (files: Files): Files => withIndex(CAMPAIGN, files);

const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));

/** Where the server's clock is all there is to tell when a statement was accepted. */
function clockDigits(bytes: Uint8Array): ReadonlySet<number> {
  const digits = new Set<number>();
  const text = utf8Decode(bytes);
  for (const match of text.matchAll(/"acceptedAt":"[^"]*"/g)) {
    for (let i = 0; i < match[0].length; i++) digits.add(match.index + i);
  }
  return digits;
}

/** Keys of dummies that cover none open nothing: whatever they are, the record says the same. */
function idleKeys(bytes: Uint8Array): ReadonlySet<number> {
  const digits = new Set<number>();
  const dummies = dummySpans();
  for (const match of utf8Decode(bytes).matchAll(/^(\d+) (\d+) ([0-9a-f]{64})$/gm)) {
    const [line, level, index, key = ''] = match;
    const first = Number(index) * 2 ** Number(level);
    const last = first + 2 ** Number(level) - 1;
    if (dummies.some((it) => it.first <= last && it.last >= first)) continue;
    for (let i = line.length - key.length; i < line.length; i++) digits.add(match.index + i);
  }
  return digits;
}

/** The dummies that the log accounts for, as its leaves say. */
function dummySpans(): { first: number; last: number }[] {
  const bundles = [...good].filter(([path]) => path.startsWith('log/tile/entries/'));
  const text = bundles.map(([, bytes]) => Buffer.from(bytes).toString('latin1')).join('');
  return [...text.matchAll(/dummy\/v1 (\d+)(?:-(\d+))?/g)].map(([, first, last]) => ({
    first: Number(first),
    last: Number(last ?? first),
  }));
}

function sparedIn(path: string, bytes: Uint8Array): ReadonlySet<number> {
  if (path === RECORD.dummies) return idleKeys(bytes);
  return path.endsWith('.jsonl') ? clockDigits(bytes) : new Set();
}

describe('audit of a good record', () => {
  it('passes every check when the root is pinned', async () => {
    const results = await audit(good, { rootSha256: sha256Hex(story.officers.rootBytes) });
    const others = results.filter(({ status }) => status !== 'pass').map(({ id }) => id);
    assert.deepEqual(others, ['log.witnesses', 'timestamps.tokens', 'receipts.kept']);
  });

  it('skips the pin, and says so, when none is given', async () => {
    const pin = (await audit(good)).find(({ id }) => id === 'trust.pin');
    assert.equal(pin?.status, 'skip');
    assert.match(pin.detail, /no --root-sha256/);
  });

  it('fails under another pin', async () => {
    const failures = await failuresOf(good, { rootSha256: 'f'.repeat(64) });
    assert.deepEqual([...failures.keys()], ['trust.pin']);
  });
});

describe('audit of a record that somebody changed', () => {
  it('fails when any one bit of any file is flipped', async () => {
    for (const [path, bytes] of filled()) {
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
          assert.notEqual((await failuresOf(changed(path, flipped(bytes, at, bit)))).size, 0, path);
        }),
        { numRuns: 2 },
      );
    }
  });

  it('fails when any one bit is flipped and the index says so too', async () => {
    for (const [path, bytes] of filled()) {
      if (path === INDEX_PATH) continue;
      const spared = sparedIn(path, bytes);
      const position = fc.nat(bytes.length - 1).filter((at) => !spared.has(at));
      await fc.assert(
        fc.asyncProperty(position, fc.nat(7), async (at, bit) => {
          const files = relisted(changed(path, flipped(bytes, at, bit)));
          assert.notEqual((await failuresOf(files)).size, 0, `${path} at ${at}`);
        }),
        { numRuns: 2 },
      );
    }
  });

  it('lets no statement be moved in time past what the log has around it', async () => {
    const path = 'statements/statements.jsonl';
    const text = utf8Decode(good.get(path) ?? new Uint8Array());
    const moved = text.replace(/"acceptedAt":"2026-11-17T/, '"acceptedAt":"2026-11-18T');
    assert.notEqual(moved, text);
    await assertFails(relisted(changed(path, utf8Encode(moved))), 'order.times', /earlier/);
  });

  it('fails when any file is missing', async () => {
    for (const path of good.keys()) {
      assert.notEqual((await failuresOf(without(path))).size, 0, path);
    }
  });

  it('fails when any file is missing and the index does not list it', async () => {
    for (const path of good.keys()) {
      if (path === INDEX_PATH) continue;
      assert.notEqual((await failuresOf(relisted(without(path)))).size, 0, path);
    }
  });

  it('fails when a file is added, listed or not, wherever it is', async () => {
    const strangers = [
      'EVIL.md',
      'documents/r1/extra.txt',
      'documents/r2/notice.txt',
      'commitment/COMMITMENT.r2',
      'bundles/' + 'a'.repeat(64) + '.age',
      'shares/release.cy',
      'keys/mallory.asc',
      'enrolments/' + 'a'.repeat(64) + '.intoto.json',
      'stake/epoch-861.txt',
      'statements/more.jsonl',
      'directives/9.intoto.json',
      'log/tile/0/001',
      'log/tile/entries/000',
      'openings/0',
      'openings/007',
      'trust/2.root.json',
      'trust/01.root.json',
    ];
    for (const path of strangers) {
      const files = changed(path, utf8Encode('anything\n'));
      assert.notEqual((await failuresOf(files)).size, 0, path);
      assert.notEqual((await failuresOf(relisted(files))).size, 0, `${path}, listed`);
    }
  });

  it('names what is missing, changed or out of place', async () => {
    const readme = good.get('README.md') ?? new Uint8Array();
    await assertFails(without('README.md'), 'files.index', /README\.md is missing/);
    await assertFails(
      changed('README.md', flipped(readme, 9, 0)),
      'files.digests',
      /changed: README\.md/,
    );
    const bundle = [...good.keys()].find((path) => path.startsWith('bundles/')) ?? '';
    await assertFails(relisted(without(bundle)), 'bundles.files', /is missing/);
    const [opening] = [...good].filter(([path]) => path.startsWith('openings/'));
    const [, bytes] = opening ?? ['', readme];
    await assertFails(relisted(changed('openings/07', bytes)), 'openings.leaves', /is no index/);
    await assertFails(relisted(changed('openings/0', bytes)), 'openings.leaves', /not sealed/);
  });

  it('fails when published shares stand in another order than in the log', async () => {
    const path = 'shares/published.jsonl';
    const lines = utf8Decode(good.get(path) ?? new Uint8Array())
      .trimEnd()
      .split('\n');
    const turned = utf8Encode(`${lines.reverse().join('\n')}\n`);
    await assertFails(relisted(changed(path, turned)), 'shares.published', /the log’s order/);
  });

  it('fails when the times of two directives are exchanged', async () => {
    const path = 'directives/index.json';
    const text = utf8Decode(good.get(path) ?? new Uint8Array());
    const exchanged = text
      .replace('"sequence": 1', '"sequence": 0')
      .replace('"sequence": 2', '"sequence": 1')
      .replace('"sequence": 0', '"sequence": 2');
    const files = relisted(changed(path, utf8Encode(exchanged)));
    await assertFails(files, 'directives.chain', /another’s place|before|expired/);
  });

  it('fails when two files are exchanged', async () => {
    const paths = [...good.keys()].filter((path) => path !== INDEX_PATH).sort();
    const pairs = paths.slice(1).map((path, i) => [paths[i] ?? '', path] as const);
    for (const [a, b] of pairs) {
      const [first, second] = [good.get(a), good.get(b)];
      if (first === undefined || second === undefined || sha256Hex(first) === sha256Hex(second)) {
        continue;
      }
      const files = relisted(new Map([...good, [a, second], [b, first]]));
      assert.notEqual((await failuresOf(files)).size, 0, `${a} and ${b}`);
    }
  });

  it('goes on after the first failure and reports one fault once', async () => {
    const results = await audit(changed('plan.txt', utf8Encode('not a plan\n')));
    const failed = results.filter(({ status }) => status === 'fail').map(({ id }) => id);
    assert.deepEqual(failed, ['files.digests', 'plan.file']);
    assert.ok(results.some(({ id, status }) => id === 'log.tiles' && status === 'pass'));
    const skipped = results.find(({ id }) => id === 'directives.chain');
    assert.equal(skipped?.status, 'skip');
    assert.match(skipped.detail, /needs plan\.file/);
  });
});

describe('record.json', () => {
  it('may not name a path outside of the record', async () => {
    const index = utf8Decode(good.get(INDEX_PATH) ?? new Uint8Array());
    for (const path of ['../README.md', '/README.md', 'a//b', './README.md', 'a\\\\b', '']) {
      const text = index.replace('"path": "README.md"', `"path": "${path}"`);
      assert.notEqual(text, index);
      await assertFails(changed(INDEX_PATH, utf8Encode(text)), 'files.index', /encoding_invalid/);
    }
  });

  it('has one encoding', async () => {
    const index = utf8Decode(good.get(INDEX_PATH) ?? new Uint8Array());
    const compact = utf8Encode(JSON.stringify(JSON.parse(index)));
    await assertFails(changed(INDEX_PATH, compact), 'files.index', /one encoding/);
  });

  it('names the campaign of the plan', async () => {
    await assertFails(withIndex('SDX-2026-AAAA', good), 'plan.derived', /another campaign/);
    await assertGood(withIndex(CAMPAIGN, good));
  });
});
