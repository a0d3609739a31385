import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { encodeDocument, parseDocument } from '../../../protocol/commitment/document.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeRelease, parseRelease } from '../../../protocol/embargo/release.ts';
import type { Release, Variant } from '../../../protocol/embargo/release.ts';
import { sealCampaign } from './sealed-campaign.ts';

const header = { campaign: 'SDX-2026-7KQ4', nonce: 'a'.repeat(64) };

describe('release.txt', () => {
  let release: Release;
  let first: Variant;
  let second: Variant;

  before(async () => {
    ({ release } = await sealCampaign());
    [first, second] = release.variants as [Variant, Variant];
  });

  const encode = (changed: unknown): Uint8Array => encodeRelease(changed as Release, header);

  it('comes back as it was written', () => {
    const { campaign, ...read } = parseRelease(encode(release));
    assert.deepEqual(read, release);
    assert.equal(campaign, header.campaign);
  });

  it('refuses an artifact name that is there twice, in another case, or is the bundle’s own', () => {
    for (const name of ['agave.patch', 'AGAVE.patch', 'SHA256SUMS', 'sha256sums', 'release.TXT']) {
      const artifacts = [{ name, size: 1, sha256: 'a'.repeat(64) }];
      const variants = [first, { ...second, artifacts }];
      assert.throws(() => encode({ ...release, variants }), { code: 'document_invalid' }, name);
    }
  });

  it('refuses what is not sorted, named twice, empty or out of its grammar', () => {
    const artifact = first.artifacts[0];
    const flaws: readonly unknown[] = [
      { ...release, variants: [second, first] },
      { ...release, variants: [first, first] },
      { ...release, variants: [] },
      { ...release, variants: [{ ...first, artifacts: [] }] },
      { ...release, variants: [{ ...first, artifacts: first.artifacts.toReversed() }] },
      { ...release, variants: [{ ...first, artifacts: [{ ...artifact, name: '../x' }] }] },
      { ...release, variants: [{ ...first, artifacts: [{ ...artifact, name: 'a'.repeat(91) }] }] },
      { ...release, variants: [{ ...first, artifacts: [{ ...artifact, size: -1 }] }] },
      {
        ...release,
        variants: [{ ...first, artifacts: [{ ...artifact, sha256: 'A'.repeat(64) }] }],
      },
      { ...release, variants: [{ ...first, tree: 'a'.repeat(41) }] },
      { ...release, variants: [{ ...first, base: '--upload-pack=x' }] },
      { ...release, variants: [{ ...first, toolchain: 'rust\n' }] },
      { ...release, releaseTime: '2026-11-20T14:00:00+00:00' },
      { ...release, extra: true },
    ];
    for (const flaw of flaws) {
      assert.throws(() => encode(flaw), { code: 'document_invalid' }, JSON.stringify(flaw));
    }
  });

  it('refuses a second spelling of the same release, and documents of another type', () => {
    const { body } = parseDocument(encode(release));
    const compact = utf8Encode(JSON.stringify(JSON.parse(utf8Decode(body))));
    const spelled = encodeDocument({ type: 'release', ...header, body: compact });
    assert.throws(() => parseRelease(spelled), { code: 'document_invalid' });
    const notice = encodeDocument({ type: 'notice', ...header, body });
    assert.throws(() => parseRelease(notice), { code: 'document_invalid' });
  });
});
