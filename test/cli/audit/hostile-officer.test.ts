import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withIndex } from '../../../protocol/record/assemble.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { mergeDetached, detachedSign } from '../../../protocol/contact/detached.ts';
import { generateKey, seal } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeEnvelope, parseEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import { encodeTuf, parseTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { CAMPAIGN, RELEASE_TIME } from './support/campaign.ts';
import { approve, step, tellStory, type Story } from './support/story.ts';
import { assertFails, assertGood, audit, failuresOf } from './support/verdict.ts';

// Officers here hold their own keys, fewer than a threshold of them, and the server plays along.

describe('audit against officers who decide alone', () => {
  it('refuses a move that too few people signed', async () => {
    for (const move of ['commit', 'notify', 'arm', 'disclose'] as const) {
      const alone = (story: Story): void => {
        if (move === 'commit') story.event('created', 'plan');
        story.decide(move, { signers: ['ada'] });
        const { commitment } = story.sealed.plan;
        if (move === 'commit') story.log.add({ type: 'commitment', sha256: commitment });
      };
      const { files } = await tellStory({ instead: { [move]: alone } });
      await assertFails(files, 'directives.chain', /signed by 1 of the 2 people needed/);
    }
  });

  it('refuses a directive of another plan, campaign, network, place or kind of exercise', async () => {
    const tweaks: Partial<Directive>[] = [
      { plan: 'a'.repeat(64) },
      { campaign: 'SDX-2026-AAAA' },
      { network: 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY' },
      { exercise: true },
      { sequence: 4 },
      { previous: 'b'.repeat(64) },
      { revision: 2 },
      { rootVersion: 2 },
      { from: 'committed' },
    ];
    for (const tweak of tweaks) {
      const { files } = await tellStory({
        instead: {
          arm: (story) => {
            story.decide('arm', { tweak: (it) => ({ ...it, ...tweak }) });
          },
        },
      });
      const failures = await failuresOf(files);
      assert.ok(failures.has('directives.chain'), JSON.stringify(tweak));
    }
  });

  it('refuses a directive that was completed after it had expired', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          story.decide('notify', {
            tweak: (it) => ({
              ...it,
              issuedAt: '2026-11-17T08:00:00Z',
              expiresAt: '2026-11-17T08:30:00Z',
            }),
          });
        },
      },
    });
    await assertFails(files, 'directives.chain', /expired/);
  });

  it('refuses a second directive hidden in the log', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          step('notify')(story);
          const hidden = story.directives.pop();
          story.decide('notify', { tweak: (it) => ({ ...it, reason: 'another' }) });
          assert.ok(hidden);
        },
      },
    });
    await assertFails(files, 'openings.content', /directive, is not in the record/);
  });

  it('accepts a disclosure without adoption only when officers said so openly', async () => {
    const { files } = await tellStory({
      instead: {
        attest: () => undefined,
        adopt: () => undefined,
        disclose: (story) => {
          story.decide('disclose', {
            tweak: (it) => ({ ...it, from: 'released', override: true, reason: 'it leaked' }),
          });
        },
      },
    });
    await assertGood(files);
    const gate = (await audit(files)).find(({ id }) => id === 'adoption.gate');
    assert.equal(gate?.detail, 'disclose from released: it leaked');
  });
});

describe('audit of a campaign that ended before its patch was released', () => {
  const aborted = (): ReturnType<typeof tellStory> =>
    tellStory({
      instead: {
        arm: (story) => {
          story.decide('arm', {
            tweak: (it) => ({ ...it, action: 'abort', to: 'aborted', reason: 'fixed elsewhere' }),
          });
        },
        release: () => undefined,
        attest: () => undefined,
        adopt: () => undefined,
        disclose: (story) => {
          story.decide('disclose', { tweak: (it) => ({ ...it, from: 'aborted' }) });
        },
      },
      edit: ({ release, ...parts }) => {
        assert.ok(release);
        return parts;
      },
    });

  it('holds without a release key, and says so', async () => {
    const { files } = await aborted();
    await assertGood(files);
    const bundles = (await audit(files)).find(({ id }) => id === 'bundles.contents');
    assert.equal(bundles?.detail, 'the patch was never released');
  });

  it('refuses a release key or signatures that should not be there', async () => {
    const { files, story } = await aborted();
    const key = utf8Encode(`${story.sealed.keys.release.identity}\n`);
    const withKey = withIndex(CAMPAIGN, new Map([...files, ['release.key', key]]));
    await assertFails(withKey, 'shares.release', /the patch was not released/);
    const withSums = withIndex(CAMPAIGN, new Map([...files, ['SHA256SUMS', story.sealed.sums]]));
    await assertFails(withSums, 'bundles.contents', /was never released/);
  });

  it('refuses a released campaign whose release was taken out', async () => {
    const { files } = await tellStory({
      edit: ({ release, ...parts }) => {
        assert.ok(release);
        return parts;
      },
    });
    await assertFails(files, 'shares.release', /release\.key is missing/);
  });
});

describe('audit against officers who sign something else', () => {
  it('refuses a patch that too few people signed', async () => {
    const { files } = await tellStory({ approvers: ['ada'] });
    await assertFails(files, 'signatures.sums', /1 of the 2 people needed/);
  });

  it('refuses too few signatures in any of the three forms', async () => {
    for (const part of ['sumsSignature', 'statement', 'byOfficer'] as const) {
      const { files } = await tellStory({
        edit: async (parts, story) => {
          const alone = await approve(story, ['ada']);
          assert.ok(parts.release);
          return { ...parts, release: { ...parts.release, [part]: alone[part] } };
        },
      });
      await assertFails(files, 'signatures.sums', /1 of the 2 people needed/);
    }
  });

  it('refuses signatures over another campaign’s patch', async () => {
    const other = await tellStory();
    const { files } = await tellStory({
      edit: async (parts, story) => {
        const foreign = await approve({ ...story, sealed: other.story.sealed }, ['ada', 'bo']);
        assert.ok(parts.release);
        return { ...parts, release: { ...parts.release, statement: foreign.statement } };
      },
    });
    await assertFails(files, 'signatures.sums', /the release is for another release/);
  });

  it('refuses one officer’s signatures under the name of another', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        assert.ok(parts.release);
        const [ada] = [...parts.release.byOfficer.values()];
        assert.ok(ada);
        const byOfficer = new Map([...parts.release.byOfficer, ['cy', ada] as const]);
        return { ...parts, release: { ...parts.release, byOfficer } };
      },
    });
    await assertFails(files, 'signatures.sums', /not a prehashed minisig by this key/);
  });

  it('refuses half of an officer’s pair', async () => {
    const { files } = await tellStory();
    const half = new Map([...files].filter(([path]) => path !== 'SHA256SUMS.bo.sshsig'));
    await assertFails(withIndex(CAMPAIGN, half), 'signatures.sums', /signature of bo is missing/);
  });

  it('refuses a signature by a stranger beside the officers’ own', async () => {
    const { files } = await tellStory({
      edit: (parts, story) => {
        assert.ok(parts.release);
        const { payload } = parseEnvelope(parts.release.statement);
        const stranger = signerFromSeed(new Uint8Array(32).fill(9));
        const envelope = signEnvelope(payload, ...['ada', 'bo'].map(story.signerOf), stranger);
        return { ...parts, release: { ...parts.release, statement: encodeEnvelope(envelope) } };
      },
    });
    await assertFails(files, 'signatures.sums', /no say here/);
  });

  it('refuses words in the armour that no signature covers', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        assert.ok(parts.release);
        const armored = utf8Decode(parts.release.sumsSignature);
        const commented = armored.replace('\n\n', '\nComment: run evil.sh\n\n');
        const sumsSignature = utf8Encode(commented);
        return { ...parts, release: { ...parts.release, sumsSignature } };
      },
    });
    const failures = await failuresOf(files);
    assert.ok(failures.has('signatures.sums') || failures.has('signatures.encoding'));
  });

  it('refuses other line ends in the armour', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        assert.ok(parts.release);
        const text = utf8Decode(parts.release.sumsSignature).replaceAll('\n', '\r\n');
        return { ...parts, release: { ...parts.release, sumsSignature: utf8Encode(text) } };
      },
    });
    await assertFails(files, 'signatures.encoding', /holds more than signatures/);
  });

  it('refuses OpenPGP signatures dated after the disclosure', async () => {
    const { files } = await tellStory({
      edit: async (parts, { officers, sealed }) => {
        assert.ok(parts.release);
        const later = new Date('2026-12-24T00:00:00Z');
        const blocks = await Promise.all(
          ['ada', 'bo'].map((id) =>
            detachedSign(sealed.sums, officers.officers.get(id)?.keys.openpgp ?? '', later),
          ),
        );
        const sumsSignature = utf8Encode(await mergeDetached(blocks));
        return { ...parts, release: { ...parts.release, sumsSignature } };
      },
    });
    await assertFails(files, 'signatures.sums', /does not hold/);
  });
});

describe('audit against officers who release something else', () => {
  it('refuses a bundle that holds other bytes than release.txt lists', async () => {
    const { files } = await tellStory({
      seal: {
        tweakBundle: (bundle) => {
          if (bundle.has('jito.patch')) bundle.set('jito.patch', utf8Encode('something else\n'));
        },
      },
    });
    await assertFails(files, 'bundles.contents', /not the one that release.txt lists/);
  });

  it('refuses a bundle with one file more, or with another SHA256SUMS', async () => {
    const more = await tellStory({
      seal: { tweakBundle: (bundle) => bundle.set('evil.sh', utf8Encode('true\n')) },
    });
    await assertFails(more.files, 'bundles.contents', /does not list/);
    const sums = await tellStory({
      seal: {
        tweakBundle: (bundle) => {
          bundle.set('SHA256SUMS', utf8Encode(`${'a'.repeat(64)}  jito.patch\n`));
        },
      },
    });
    await assertFails(sums.files, 'bundles.contents', /SHA256SUMS does not say/);
  });

  it('refuses another SHA256SUMS beside the bundles', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        assert.ok(parts.release);
        const sums = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);
        return { ...parts, release: { ...parts.release, sums } };
      },
    });
    await assertFails(files, 'bundles.sums', /the bundle of agave holds another SHA256SUMS/);
  });

  it('refuses a ciphertext that opens but is not the one in the plan', async () => {
    const { files } = await tellStory({
      edit: async (parts, { sealed }) => {
        const [planned] = parts.plan.bundles;
        assert.ok(planned);
        const other = await sealBundle(
          new Map([['agave.patch', utf8Encode('other\n')]]),
          sealed.keys.release.recipient,
        );
        return { ...parts, ciphertexts: new Map([...parts.ciphertexts, [planned.sha256, other]]) };
      },
    });
    await assertFails(files, 'bundles.contents', /not the one in the plan/);
  });

  it('refuses a disclosure that is not the one committed to', async () => {
    const other = await tellStory();
    for (const name of ['notice.txt', 'release.txt', 'disclosure.md']) {
      const { files } = await tellStory({
        edit: (parts) => {
          const document = other.parts.documents.get(name) ?? new Uint8Array();
          return { ...parts, documents: new Map([...parts.documents, [name, document]]) };
        },
      });
      await assertFails(files, 'documents.committed', /is not the one committed to/);
    }
  });

  it('refuses a closing bundle that holds something else', async () => {
    const other = await tellStory();
    const { files } = await tellStory({
      seal: { tweak: (plan) => ({ ...plan, closingBundle: other.parts.plan.closingBundle }) },
      edit: (parts) => ({
        ...parts,
        ciphertexts: new Map([...parts.ciphertexts, ...other.parts.ciphertexts]),
      }),
    });
    const failures = await failuresOf(files);
    assert.ok(failures.has('bundles.closing'));
  });
});

describe('audit against officers who publish bad shares', () => {
  it('names an officer whose share is garbage, and goes on with the others', async () => {
    const { files } = await tellStory({
      instead: {
        release: async (story) => {
          story.now = Date.parse(RELEASE_TIME);
          const garbage = await seal(utf8Encode('no share'), [story.sealed.plan.accessRecipient]);
          await story.publishShare('cy', 'release', garbage);
          await story.publishShare('ada', 'release');
          await story.publishShare('bo', 'release');
        },
      },
    });
    await assertGood(files);
    const release = (await audit(files)).find(({ id }) => id === 'shares.release');
    assert.match(release?.detail ?? '', /2 shares: ada, bo; bad: cy/);
  });

  it('names an officer whose release key is another one', async () => {
    const { files } = await tellStory({
      instead: {
        release: async (story) => {
          await step('release')(story);
          await story.publishReleaseKey('cy', `${story.sealed.keys.closing.identity}\n`);
        },
      },
    });
    await assertGood(files);
    const release = (await audit(files)).find(({ id }) => id === 'shares.release');
    assert.match(release?.detail ?? '', /bad: cy/);
  });

  it('refuses too few good shares', async () => {
    const { files } = await tellStory({
      instead: {
        release: async (story) => {
          story.now = Date.parse(RELEASE_TIME);
          const garbage = await seal(utf8Encode('no share'), [story.sealed.plan.accessRecipient]);
          await story.publishShare('ada', 'release');
          await story.publishShare('bo', 'release', garbage);
        },
      },
    });
    await assertFails(files, 'shares.release', /1 of 2 shares/);
  });

  it('refuses a share that lies off the others, although the plan commits to it', async () => {
    const { files } = await tellStory({
      seal: { strayShareOf: 'cy' },
      instead: {
        release: async (story) => {
          await step('release')(story);
          await story.publishShare('cy', 'release');
        },
      },
    });
    await assertFails(files, 'shares.release', /do not make the key/);
  });

  it('refuses a share file that nobody published', async () => {
    const { files } = await tellStory({
      edit: (parts, { sealed }) => ({
        ...parts,
        shares: { ...parts.shares, release: sealed.shares.release },
      }),
    });
    await assertFails(files, 'shares.release', /shares\/release\.cy does not belong/);
  });

  it('refuses keys that the shares do not make', async () => {
    const other = await tellStory();
    const release = await tellStory({
      edit: (parts) => {
        assert.ok(parts.release);
        const key = other.story.sealed.keys.release.identity;
        return { ...parts, release: { ...parts.release, key } };
      },
    });
    await assertFails(release.files, 'shares.release', /not the key that the shares make/);
    const closing = await tellStory({
      edit: (parts) => ({ ...parts, closingKey: other.story.sealed.keys.closing.identity }),
    });
    await assertFails(closing.files, 'shares.closing', /not the key that the shares make/);
  });

  it('refuses a notice whose access key is not that of the plan', async () => {
    const { recipient } = await generateKey();
    const { files } = await tellStory({
      seal: { tweak: (plan) => ({ ...plan, accessRecipient: recipient }) },
    });
    await assertFails(files, 'documents.access-key', /not that of the plan/);
  });

  it('refuses a share signed by another officer', async () => {
    const { files } = await tellStory({
      instead: {
        release: async (story) => {
          const signerOf = story.signerOf;
          const framed = { ...story, signerOf: () => signerOf('cy') };
          Object.assign(story, framed);
          await step('release')(story);
          Object.assign(story, { signerOf });
        },
      },
    });
    await assertFails(files, 'shares.published', /no say here/);
  });
});

describe('audit of the root of trust', () => {
  it('refuses a root that its own people did not sign', async () => {
    const { files } = await tellStory({
      edit: (parts, { officers }) => {
        const [root] = parts.roots;
        assert.ok(root);
        const { signed } = parseTuf(root);
        const [ada] = officers.officers.values();
        assert.ok(ada);
        const alone = encodeTuf(signed, signTuf(signed, signerFromSeed(ada.rootSeed)));
        return { ...parts, roots: [alone] };
      },
    });
    await assertFails(files, 'trust.chain', /1 of the 2 people needed/);
  });

  it('refuses a chain that does not begin with version 1', async () => {
    const { files } = await tellStory({
      edit: (parts, { officers }) => {
        const [root] = parts.roots;
        assert.ok(root);
        const signed = { ...parseTuf(root).signed, version: 2 };
        const signers = [...officers.officers.values()].map((it) => signerFromSeed(it.rootSeed));
        return { ...parts, roots: [encodeTuf(signed, signTuf(signed, ...signers))] };
      },
    });
    await assertFails(files, 'trust.chain', /is version 2/);
  });

  it('refuses a whole record made up under another root, when the root is pinned', async () => {
    const real = await tellStory();
    const fake = await tellStory();
    await assertGood(fake.files);
    const failures = await failuresOf(fake.files, {
      rootSha256: sha256Hex(real.story.officers.rootBytes),
    });
    assert.deepEqual([...failures.keys()], ['trust.pin']);
  });
});
