import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import {
  concatBytes,
  fromBase64,
  fromHex,
  sha256Hex,
  toHex,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeEntries } from '../../../protocol/log/entries.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
import { noteSigner, signNote } from '../../../protocol/signature/note.ts';
import { parseVerifierKey } from '../../../protocol/signature/verifier-key.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

// The test log of transparency-dev/tessera, with its private key.
const ORIGIN = 'example.com/log/testdata';
const SEED = 'eca663f499017d2365c27c7a7679158d43cfec1330bdb259290afbd0d21777a0';
const VKEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const ENTRIES =
  'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'
    .split(' ')
    .map(utf8Encode);
const HASHES = ENTRIES.map(leafHash);
const signer = noteSigner(ORIGIN, signerFromSeed(fromHex(SEED, 32)));
const key = parseVerifierKey(VKEY);

interface Signed extends Vector {
  readonly note: string;
  readonly origin: string;
  readonly vkeys: readonly string[];
}
type Valid = Signed & { readonly size: number; readonly root: string };
type Invalid = Signed & { readonly code: string };

function checkpointOf(size: number): string {
  const root = rootOf(HASHES.slice(0, size));
  return signNote(formatCheckpoint({ origin: ORIGIN, size, root }), signer);
}

describe('the public test log of Tessera', () => {
  it('has the published checkpoints, byte for byte', () => {
    const published = [
      [
        0,
        '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
        'M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc=',
      ],
      [
        1,
        '0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=',
        'M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SChAM=',
      ],
      [
        2,
        'T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=',
        'M9e0llH4NKmlf0u7C8tkJioQOmi7l5ELqljXgKRg6R3G5JJ7vx7emDWo5fpqKuA/Dk/jRrI6il+7QCVirNhyUAWGoAk=',
      ],
      [
        3,
        'Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=',
        'M9e0lvAQRtH832pk2RTbeSeZMkp4FZSdJYFBUjO5SKxuRbywPUF3cx+HUrb50kjd3rUWW/fj53Wj1dwcwh9bGQnqVAg=',
      ],
      [
        15,
        'rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=',
        'M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=',
      ],
    ] as const;
    for (const [size, root, signature] of published) {
      const note = `${ORIGIN}\n${size}\n${root}\n\n— ${ORIGIN} ${signature}\n`;
      assert.equal(checkpointOf(size), note);
      assert.deepEqual(openCheckpoint(note, ORIGIN, [key], verifyEd25519), {
        origin: ORIGIN,
        size,
        root: fromBase64(root),
      });
    }
  });

  it('has the published sixteen checkpoints, fifteen hash tiles and fifteen bundles', async () => {
    const notes = Array.from({ length: 16 }, (_, size) => checkpointOf(size));
    assert.equal(
      sha256Hex(utf8Encode(notes.join(''))),
      'c366c82fdd7c77311b8141fbd3769670884dba48445f343867c348455de269fd',
    );

    const stored = new Map<string, Uint8Array>();
    for (const [size, hash] of HASHES.entries()) {
      const files = await tilesForGrowth(
        size,
        [hash],
        (level, index, width) =>
          stored.get(formatTilePath({ level, index, width })) ?? assert.fail('no such tile'),
      );
      for (const { tile, bytes } of files) stored.set(formatTilePath(tile), bytes);
    }
    assert.deepEqual(
      [...stored.keys()],
      HASHES.map((_, i) => `tile/0/000.p/${i + 1}`),
    );
    assert.equal(
      toHex(stored.get('tile/0/000.p/3') ?? assert.fail()),
      'd0d7360ab79f58ab1e1e3fe64ad77e2ea0bc07e36b5f46ed2223edd9298df9e9' +
        'ab1ab7f07c7c8fe0eff4ba6faa53c7e4412e91a599153e8aa4e01beece5b7825' +
        '671f146c5e471e8a1a83a3c214ce4ba907b8f3a5888d14cc8cd3ce75bb12ef94',
    );
    assert.equal(
      sha256Hex(concatBytes(...stored.values())),
      '6147d997134c4e075c775d78f068c9f0f34bde798afab9b0629bf9d4d052c883',
    );

    const bundles = ENTRIES.map((_, i) => encodeEntries(ENTRIES.slice(0, i + 1)));
    assert.equal(
      sha256Hex(concatBytes(...bundles)),
      '7fed63ecf907418a98f8b444962460fa32b8db032e83f18d185be8fb1e498370',
    );
  });

  it('would have other checkpoints with two entries swapped', () => {
    const [first, second, ...rest] = HASHES;
    assert.ok(first && second);
    assert.notDeepEqual(rootOf([second, first, ...rest]), rootOf(HASHES));
  });
});

describe('openCheckpoint', () => {
  for (const vector of readVectors('checkpoint', 'valid') as Valid[]) {
    it(`accepts: ${vector.name}`, () => {
      const { note, origin, vkeys, size, root } = vector;
      const checkpoint = openCheckpoint(note, origin, vkeys.map(parseVerifierKey), verifyEd25519);
      assert.deepEqual(checkpoint, { origin, size, root: fromBase64(root) });
      assert.equal(formatCheckpoint(checkpoint), `${origin}\n${size}\n${root}\n`);
    });
  }

  for (const { name, note, origin, vkeys, code } of readVectors(
    'checkpoint',
    'invalid',
  ) as Invalid[]) {
    it(`refuses: ${name}`, () => {
      const keys = vkeys.map(parseVerifierKey);
      assert.throws(() => openCheckpoint(note, origin, keys, verifyEd25519), { code });
    });
  }
});
