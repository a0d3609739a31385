import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  concatBytes,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';
import {
  consistencyProof,
  EMPTY_ROOT,
  foldConsistency,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../protocol/log/merkle.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

interface ProofVector extends Vector {
  readonly proof: readonly string[];
  readonly code?: string;
}
type InclusionVector = ProofVector &
  Readonly<Record<'index' | 'size', number>> &
  Readonly<Record<'leafHash' | 'root', string>>;
type ConsistencyVector = ProofVector &
  Readonly<Record<'size1' | 'size2', number>> &
  Readonly<Record<'root1' | 'root2', string>>;

/** The eight leaves that RFC 6962 implementations are tested with. */
const CLASSIC = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => leafHash(fromHex(hex, hex.length / 2)));

const MAX_SIZE = 70;
const LEAVES = Array.from({ length: MAX_SIZE }, (_, i) => leafHash(utf8Encode(`leaf ${i}`)));
const ROOTS = Array.from({ length: MAX_SIZE + 1 }, (_, size) => rootOf(LEAVES.slice(0, size)));
const rootAt = (size: number): Uint8Array => ROOTS[size] ?? assert.fail(`no root of ${size}`);

const flipped = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte));

const refuses = (attempt: () => unknown): void => {
  assert.throws(attempt, { code: 'proof_invalid' });
};

describe('Merkle hashing', () => {
  it('gives the published values for leaves, nodes and the empty tree', () => {
    assert.equal(
      toHex(EMPTY_ROOT),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    assert.equal(
      toHex(leafHash(new Uint8Array())),
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    assert.equal(
      toHex(leafHash(utf8Encode('L123456'))),
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    assert.equal(
      toHex(nodeHash(utf8Encode('N123'), utf8Encode('N456'))),
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
    assert.equal(
      toBase64(leafHash(utf8Encode('hello world'))),
      'TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=',
    );
  });

  it('gives the published roots of one to eight leaves', () => {
    const roots = CLASSIC.map((_, i) => toHex(rootOf(CLASSIC.slice(0, i + 1))));
    assert.deepEqual(
      roots.map((root) => root.slice(0, 8)),
      [
        '6e340b9c',
        'fac54203',
        'aeb6bcfe',
        'd37ee418',
        '4e3bbb1f',
        '76e67dad',
        'ddb89be4',
        '5dc9da79',
      ],
    );
    assert.equal(roots[7], '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
    assert.deepEqual(rootOf([]), EMPTY_ROOT);
  });

  it('gives the published proof, which leaf 0 of 8 and the growth from 1 to 8 share', () => {
    const proof = [
      'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
    ];
    assert.deepEqual(inclusionProof(0, CLASSIC).map(toBase64), proof);
    assert.deepEqual(consistencyProof(1, CLASSIC).map(toBase64), proof);
  });
});

describe('inclusion proofs', () => {
  for (const kind of ['valid', 'invalid'] as const) {
    for (const vector of readVectors('inclusion-proof', kind) as InclusionVector[]) {
      it(`${kind === 'valid' ? 'hold' : 'are refused'}: ${vector.name}`, () => {
        const { index, size, leafHash: hash, proof, root, code } = vector;
        const verify = (): void => {
          verifyInclusion(index, size, bytes(hash), hashes(proof), bytes(root));
        };
        if (kind === 'valid') verify();
        else assert.throws(verify, { code: code ?? assert.fail('no code') });
      });
    }
  }

  it('hold for every leaf of every size up to 70, and for no other leaf, index, size or root', () => {
    for (let size = 1; size <= MAX_SIZE; size++) {
      const leaves = LEAVES.slice(0, size);
      const root = rootAt(size);
      for (const [index, leaf] of leaves.entries()) {
        const proof = inclusionProof(index, leaves);
        verifyInclusion(index, size, leaf, proof, root);
        refuses(() => {
          verifyInclusion(index, size, flipped(leaf), proof, root);
        });
        refuses(() => {
          verifyInclusion(index, size, leaf, proof, flipped(root));
        });
        refuses(() => {
          verifyInclusion(index + 1, size, leaf, proof, root);
        });
        refuses(() => {
          verifyInclusion(index - 1, size, leaf, proof, root);
        });
        refuses(() => {
          verifyInclusion(index, size, leaf, [...proof, root], root);
        });
        if (proof.length === 0) continue;
        refuses(() => {
          verifyInclusion(index, size, leaf, proof.slice(1), root);
        });
        refuses(() => {
          verifyInclusion(index, size, leaf, proof.slice(0, -1), root);
        });
        refuses(() => {
          verifyInclusion(index, size, leaf, proof.map(flipped), root);
        });
      }
    }
  });

  it('refuse an index or a size that is no integer within 2^53 - 1', () => {
    const hash = leafHash(utf8Encode('leaf'));
    verifyInclusion(0, 1, hash, [], hash);
    refuses(() => {
      verifyInclusion(0, 2 ** 53, hash, [], hash);
    });
    refuses(() => {
      verifyInclusion(2 ** 53, 2 ** 54, hash, [], hash);
    });
    refuses(() => {
      verifyInclusion(-1, 1, hash, [], hash);
    });
    refuses(() => {
      verifyInclusion(0.5, 1, hash, [], hash);
    });
    refuses(() => {
      verifyInclusion(0, NaN, hash, [], hash);
    });
    refuses(() => {
      verifyInclusion(0, 0, hash, [], hash);
    });
    refuses(() => inclusionProof(1, [hash]));
    refuses(() => inclusionProof(0, []));
  });

  it('climb trees far beyond 2^32 leaves without wrapping around', () => {
    // A leaf at the very right of 2^52 + 1 leaves has one node above it: the root.
    const leaf = leafHash(utf8Encode('last'));
    const rest = leafHash(utf8Encode('stands for the subtree of the first 2^52 leaves'));
    verifyInclusion(2 ** 52, 2 ** 52 + 1, leaf, [rest], nodeHash(rest, leaf));
    refuses(() => {
      verifyInclusion(0, 2 ** 52 + 1, leaf, [rest], nodeHash(leaf, rest));
    });
  });

  it('refuse hashes that are not 32 bytes', () => {
    const hash = leafHash(utf8Encode('leaf'));
    const short = hash.subarray(1);
    refuses(() => {
      verifyInclusion(0, 1, short, [], short);
    });
    refuses(() => {
      verifyInclusion(0, 2, hash, [short], nodeHash(hash, short));
    });
  });
});

describe('consistency proofs', () => {
  for (const kind of ['valid', 'invalid'] as const) {
    for (const vector of readVectors('consistency-proof', kind) as ConsistencyVector[]) {
      it(`${kind === 'valid' ? 'hold' : 'are refused'}: ${vector.name}`, () => {
        const { size1, size2, proof, root1, root2, code } = vector;
        const verify = (): void => {
          verifyConsistency(size1, size2, hashes(proof), bytes(root1), bytes(root2));
        };
        if (kind === 'valid') verify();
        else assert.throws(verify, { code: code ?? assert.fail('no code') });
      });
    }
  }

  it('hold between all sizes up to 70, and for no other size or root', () => {
    for (let size2 = 1; size2 <= MAX_SIZE; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const proof = consistencyProof(size1, LEAVES.slice(0, size2));
        const [root1, root2] = [rootAt(size1), rootAt(size2)];
        verifyConsistency(size1, size2, proof, root1, root2);
        refuses(() => {
          verifyConsistency(size1, size2, proof, flipped(root1), root2);
        });
        refuses(() => {
          verifyConsistency(size1, size2, proof, root1, flipped(root2));
        });
        refuses(() => {
          verifyConsistency(size1, size2, [...proof, root2], root1, root2);
        });
        if (proof.length === 0) continue;
        refuses(() => {
          verifyConsistency(size1, size2, proof.slice(1), root1, root2);
        });
        refuses(() => {
          verifyConsistency(size1, size2, proof.slice(0, -1), root1, root2);
        });
        refuses(() => {
          verifyConsistency(size1, size2, proof.map(flipped), root1, root2);
        });
        refuses(() => {
          verifyConsistency(size2, size1, proof, root2, root1);
        });
      }
    }
  });

  it('refuse a log that was rewritten', () => {
    const rewritten = LEAVES.map((hash, i) => (i === 3 ? flipped(hash) : hash));
    const proof = consistencyProof(10, rewritten);
    refuses(() => {
      verifyConsistency(10, MAX_SIZE, proof, rootAt(10), rootOf(rewritten));
    });
  });

  it('refuse a log that shrank, though its root stayed', () => {
    // Every step of the climb would fit: from two leaves to one there is none.
    refuses(() => {
      verifyConsistency(2, 1, [], rootAt(2), rootAt(2));
    });
  });

  it('refuse nodes of other lengths that make the same bytes side by side', () => {
    const [size1, size2] = [3, 4];
    const [start = EMPTY_ROOT, sibling = EMPTY_ROOT, ...rest] = consistencyProof(
      size1,
      LEAVES.slice(0, size2),
    );
    const longer = concatBytes(start, sibling.subarray(0, 1));
    const shifted = [longer, sibling.subarray(1), ...rest];
    const [, whole] = foldConsistency(size1, size2, shifted);
    assert.deepEqual(whole, rootAt(size2), 'the control: the larger root does come out');
    refuses(() => {
      // The older root is what the longer node makes of it, as whoever forges it would have signed.
      const [older] = foldConsistency(size1, size2, shifted);
      verifyConsistency(size1, size2, shifted, older, rootAt(size2));
    });
  });

  it('refuse to start from the empty tree, which every tree extends', () => {
    refuses(() => consistencyProof(0, LEAVES));
    refuses(() => {
      verifyConsistency(0, MAX_SIZE, [], EMPTY_ROOT, rootAt(MAX_SIZE));
    });
    refuses(() => {
      verifyConsistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT);
    });
  });
});

// Cases of transparency-dev/merkle, most of them attacks; ../shared/vectors/README.md.
describe('the public proof cases', () => {
  const folder = fileURLToPath(new URL('../../../../shared/vectors/merkle/', import.meta.url));
  const skip = existsSync(folder) ? false : 'the folder ../shared/vectors/merkle is absent';

  it('get the published verdict on all 98 inclusion proofs', { skip }, () => {
    const cases = readCases(folder, 'inclusion');
    assert.equal(cases.length, 98);
    for (const { leafIdx, treeSize, leafHash: hash, proof, root, ...expected } of cases) {
      const verify = (): void => {
        verifyInclusion(Number(leafIdx), Number(treeSize), bytes(hash), hashes(proof), bytes(root));
      };
      hasVerdict(verify, expected);
    }
  });

  it('get the published verdict on all 98 consistency proofs', { skip }, () => {
    const cases = readCases(folder, 'consistency');
    assert.equal(cases.length, 98);
    let fromEmpty = 0;
    for (const { size1, size2, root1, root2, proof, ...expected } of cases) {
      const verify = (): void => {
        verifyConsistency(Number(size1), Number(size2), hashes(proof), bytes(root1), bytes(root2));
      };
      if (size1 === 0) fromEmpty += 1;
      hasVerdict(verify, expected);
    }
    assert.ok(fromEmpty > 0);
  });
});

type Case = Readonly<Record<string, unknown>> & { path: string; wantErr: boolean };

function readCases(folder: string, kind: string): Case[] {
  return globSync(`${kind}/**/*.json`, { cwd: folder }).map((path) => {
    const fields = JSON.parse(readFileSync(`${folder}${path}`, 'utf8')) as Omit<Case, 'path'>;
    return { ...fields, path } as Case;
  });
}

function hasVerdict(verify: () => void, { path, wantErr }: Case): void {
  assert.equal(typeof wantErr, 'boolean');
  if (wantErr) assert.throws(verify, { code: 'proof_invalid' }, path);
  else assert.doesNotThrow(verify, path);
}

function bytes(base64: unknown): Uint8Array {
  return typeof base64 === 'string' ? fromBase64(base64) : new Uint8Array();
}

function hashes(proof: unknown): Uint8Array[] {
  return Array.isArray(proof) ? proof.map(bytes) : [];
}
