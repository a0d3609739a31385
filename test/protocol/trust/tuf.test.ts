import { Metadata, MetadataKind } from '@tufjs/models';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildTargets, parseTargets, verifyTargets } from '../../../protocol/trust/tuf.ts';
import { rootFile, rootOf, rootSigners, signerNamed, signingSigners } from './network.ts';

const root = rootOf();
const A = 'aa'.repeat(32);
const B = 'bb'.repeat(32);
const targets = {
  version: 7,
  expires: '2027-01-01T00:00:00Z',
  bundles: [
    { sha256: A, size: 65_536 },
    { sha256: B, size: 131_072 },
  ],
};
const signed = buildTargets(targets);
const fileBy = (ids: readonly string[], content: object = signed): Uint8Array =>
  encodeTuf(content, signTuf(content, ...signingSigners(ids)));

describe('targets metadata', () => {
  it('is read back as built, whatever the order of bundles', () => {
    assert.deepEqual(parseTargets(fileBy([])), targets);
    const reversed = buildTargets({ ...targets, bundles: targets.bundles.toReversed() });
    assert.deepEqual(fileBy([], reversed), fileBy([]));
  });

  it('verifies with a threshold of distinct people, who are named', () => {
    const { people } = verifyTargets(fileBy(['cy', 'ada']), root, verifyEd25519);
    assert.deepEqual(people, ['ada', 'cy']);
  });

  it('is refused with too few people unless fewer are asked for', () => {
    assert.throws(() => verifyTargets(fileBy(['ada']), root, verifyEd25519), {
      code: 'threshold_unmet',
    });
    assert.deepEqual(verifyTargets(fileBy(['ada']), root, verifyEd25519, 1).people, ['ada']);
  });

  it('is refused when signed with root keys, or by a stranger beside officers', () => {
    for (const signers of [
      rootSigners(['ada', 'bo']),
      [...signingSigners(['ada', 'bo']), signerNamed('eve')],
    ]) {
      const bytes = encodeTuf(signed, signTuf(signed, ...signers));
      assert.throws(() => verifyTargets(bytes, root, verifyEd25519), { code: 'signature_invalid' });
    }
  });

  it('is refused when a bundle, size or version is changed after signing', () => {
    const text = utf8Decode(fileBy(['ada', 'bo']));
    for (const [from, to] of [
      [A, 'cc'.repeat(32)],
      ['65536', '65537'],
      ['"version":7', '"version":8'],
    ] as const) {
      const changed = Buffer.from(text.replaceAll(from, to));
      assert.throws(() => verifyTargets(changed, root, verifyEd25519), {
        code: 'signature_invalid',
      });
    }
  });

  const hostile: Readonly<Record<string, object>> = {
    'a path that does not follow from the hash': {
      ...signed,
      targets: { 'bundles/x.age': { length: 1, hashes: { sha256: A } } },
    },
    'a path out of the folder': {
      ...signed,
      targets: { [`../bundles/${A}.age`]: { length: 1, hashes: { sha256: A } } },
    },
    'custom data': {
      ...signed,
      targets: { [`bundles/${A}.age`]: { length: 1, hashes: { sha256: A }, custom: {} } },
    },
    'a second hash': {
      ...signed,
      targets: { [`bundles/${A}.age`]: { length: 1, hashes: { sha256: A, md5: 'a' } } },
    },
    'no length': { ...signed, targets: { [`bundles/${A}.age`]: { hashes: { sha256: A } } } },
    'a length of 0': {
      ...signed,
      targets: { [`bundles/${A}.age`]: { length: 0, hashes: { sha256: A } } },
    },
    delegations: { ...signed, delegations: { keys: {}, roles: [] } },
    'another role': { ...signed, _type: 'snapshot' },
    'version 0': { ...signed, version: 0 },
  };
  for (const [flaw, content] of Object.entries(hostile)) {
    it(`is refused with ${flaw}, whoever signed it`, () => {
      assert.throws(
        () => verifyTargets(fileBy(['ada', 'bo', 'cy'], content), root, verifyEd25519),
        {
          code: 'trust_invalid',
        },
      );
    });
  }

  it('is accepted by @tufjs/models under the same root, and refused with one signature', () => {
    type Json = Parameters<typeof Metadata.fromJSON>[1];
    const rootJson = JSON.parse(utf8Decode(rootFile(root, ['ada', 'bo']))) as Json;
    const trusted = Metadata.fromJSON(MetadataKind.Root, rootJson);
    const read = (ids: readonly string[]): ReturnType<typeof Metadata.fromJSON> =>
      Metadata.fromJSON(MetadataKind.Targets, JSON.parse(utf8Decode(fileBy(ids))) as Json);
    trusted.verifyDelegate('targets', read(['bo', 'cy']));
    assert.throws(() => {
      trusted.verifyDelegate('targets', read(['bo']));
    }, /signed by 1\/2 keys/);
  });
});
