import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import {
  encodeReleaseStatement,
  parseReleaseStatement,
  verifyReleaseStatement,
} from '../../../protocol/statement/release.ts';
import type { ReleaseStatement } from '../../../protocol/statement/release.ts';
import { encodeStatement } from '../../../protocol/statement/statement.ts';
import { digestNamed } from '../plan/plans.ts';
import { NETWORK, OTHER_NETWORK, rootOf, rootSigners, signingSigners } from '../trust/network.ts';

const root = rootOf();
const release: ReleaseStatement = {
  artifacts: [
    { name: 'agave-v1.18.22.patch', sha256: digestNamed('agave') },
    { name: 'jito-v1.18.22.patch', sha256: digestNamed('jito') },
  ],
  campaign: 'SDX-2026-7KQ4',
  network: NETWORK,
  revision: 1,
  release: digestNamed('release'),
  sums: digestNamed('sums'),
};
const payload = encodeReleaseStatement(release);

const verify = (
  signers: readonly Signer[],
  expected: Parameters<typeof verifyReleaseStatement>[3] = release,
): ReturnType<typeof verifyReleaseStatement> =>
  verifyReleaseStatement(signEnvelope(payload, ...signers), verifyEd25519, root, expected);

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('a release statement', () => {
  it('is read back as it was written', () => {
    assert.deepEqual(parseReleaseStatement(payload), release);
  });

  it('is verified with enough officers, who are named', () => {
    const { statement, people } = verify(signingSigners(['bo', 'ada']));
    assert.deepEqual(statement, release);
    assert.deepEqual(people, ['ada', 'bo']);
  });

  it('is refused with too few officers, with strangers, or with root keys', () => {
    refused('threshold_unmet', () => verify(signingSigners(['ada'])));
    refused('signature_invalid', () => verify(signingSigners(['ada', 'bo', 'eve'])));
    refused('signature_invalid', () => verify(rootSigners(['ada', 'bo'])));
  });

  it('is refused for another campaign, network, revision or release.txt', () => {
    const signers = signingSigners(['ada', 'bo']);
    for (const change of [
      { campaign: 'SDX-2026-7KQ5' },
      { network: OTHER_NETWORK },
      { revision: 2 },
      { release: digestNamed('other') },
    ]) {
      refused('statement_invalid', () => verify(signers, { ...release, ...change }));
    }
  });

  it('is refused with artifacts out of order, twice or none', () => {
    const { artifacts } = release;
    for (const list of [artifacts.toReversed(), [...artifacts, ...artifacts], []]) {
      refused('statement_invalid', () => encodeReleaseStatement({ ...release, artifacts: list }));
    }
  });

  it('is refused as another kind or with a member that is not known', () => {
    const { artifacts, ...predicate } = release;
    for (const other of [
      encodeStatement('share', artifacts, predicate),
      encodeStatement('release', artifacts, { ...predicate, note: '' }),
      encodeStatement('release', artifacts, { ...predicate, sums: undefined }),
    ]) {
      refused('statement_invalid', () => parseReleaseStatement(other));
    }
  });
});
