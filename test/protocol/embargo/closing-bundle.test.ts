import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { commitmentName, encodeCommitment } from '../../../protocol/commitment/commitment.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { earlierName, openClosing } from '../../../protocol/embargo/closing-bundle.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { digestAndSize, sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

let sealed: SealedCampaign;

before(async () => {
  sealed = await sealCampaign();
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
