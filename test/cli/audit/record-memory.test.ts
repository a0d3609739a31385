import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { auditRecord } from '../../../cli/audit/audit.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseEntries } from '../../../protocol/log/entries.ts';
import { parseLeaf } from '../../../protocol/log/leaf.ts';
import { TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import { sealedLeaves } from '../log/support/served-log.ts';
import { step, tellStory } from './support/story.ts';
import { memoryFiles } from './support/memory.ts';

const LEAVES = 40_000;
/** What an audit knows of a small record takes a megabyte, and each leaf a byte more. */
const BYTES_A_LEAF = 50;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heldBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('audit of a record with a long log', () => {
  let files: Files;
  let rootSha256: string;

  before(async () => {
    const told = await tellStory({
      instead: {
        open: async (story) => {
          await step('open')(story);
          story.log.leaves.push(...sealedLeaves(LEAVES));
        },
      },
    });
    files = told.files;
    rootSha256 = sha256Hex(told.story.officers.rootBytes);
  });

  it('holds no leaves, whatever it has established', async () => {
    const record = memoryFiles(files);
    const start = heldBytes();
    let most = 0;
    let passed = 0;
    await auditRecord({ files: record, rootSha256, verify: verifyEd25519 }, ({ id, status }) => {
      assert.notEqual(status, 'fail', id);
      if (!id.startsWith('log.') && !id.startsWith('openings.')) return;
      passed += 1;
      most = Math.max(most, heldBytes() - start);
    });
    assert.ok(passed >= 6);
    assert.ok(most < BYTES_A_LEAF * LEAVES, `${most} bytes held`);
  });

  it('would be noticed to hold them', () => {
    const start = heldBytes();
    const leaves = [...files].flatMap(([path, bytes]) =>
      path.startsWith('log/tile/entries/') && !path.includes('.p/')
        ? parseEntries(bytes, TILE_WIDTH).map((entry) => parseLeaf(utf8Decode(entry)))
        : [],
    );
    const held = heldBytes() - start;
    assert.ok(leaves.length > LEAVES - TILE_WIDTH);
    assert.ok(held > BYTES_A_LEAF * LEAVES, `${held} bytes held`);
  });
});
