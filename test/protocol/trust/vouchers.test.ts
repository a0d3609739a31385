import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { rootChanges } from '../../../protocol/trust/chain.ts';
import { buildRootSigned, parseRoot } from '../../../protocol/trust/root-file.ts';
import { verifyInitialRoot, verifyNextRoot } from '../../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import {
  endorserNamed,
  officerNamed,
  PEOPLE,
  reviewerNamed,
  rootFile,
  rootOf,
  rootSigners,
  vouchersOf,
} from './network.ts';

const vouchers = vouchersOf(['acme', 'bolt'], ['max', 'nina', 'otto'], 2);
const root = rootOf(PEOPLE, vouchers);

const refused = (changes: Partial<TrustRoot>): void => {
  assert.throws(() => buildRootSigned({ ...root, ...changes }), { code: 'trust_invalid' });
};

/** Spoil the signed part, sign it by everybody, and present it as the pinned root. */
function present(spoil: (listed: Record<string, unknown>) => void): void {
  const signed = structuredClone(buildRootSigned(root)) as {
    'x-sealdrop': Record<string, unknown>;
  };
  spoil(signed['x-sealdrop']);
  const bytes = encodeTuf(signed, signTuf(signed, ...rootSigners(PEOPLE)));
  verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519);
}

describe('reviewers and endorsers in a root', () => {
  it('are read back exactly as they were built, and are left out where there are none', () => {
    assert.deepEqual(parseRoot(rootFile(root, PEOPLE)), root);
    const plain = buildRootSigned(rootOf()) as { 'x-sealdrop': object };
    assert.equal('reviewers' in plain['x-sealdrop'], false);
    assert.equal('endorsementThreshold' in plain['x-sealdrop'], false);
  });

  it('have one spelling: an empty list, another order or an unknown member is refused', () => {
    present(() => undefined);
    const spoils: ((listed: Record<string, unknown>) => unknown)[] = [
      (it) => (it['reviewers'] = []),
      (it) => (it['endorsers'] as unknown[]).reverse(),
      (it) => Object.assign((it['reviewers'] as object[])[0] ?? {}, { weight: 2 }),
      (it) => Object.assign((it['reviewers'] as object[])[0] ?? {}, { name: 'Acme\u202e' }),
      (it) => Object.assign((it['endorsers'] as object[])[0] ?? {}, { name: ' Max' }),
      (it) => Object.assign((it['endorsers'] as object[])[0] ?? {}, { name: 'x'.repeat(101) }),
      (it) => delete it['endorsementThreshold'],
      (it) => delete it['endorsers'],
      (it) => (it['endorsementThreshold'] = 0),
    ];
    for (const spoil of spoils) {
      assert.throws(
        () => {
          present(spoil);
        },
        { code: 'trust_invalid' },
      );
    }
  });

  it('are other people than the officers, and each has one role', () => {
    refused(vouchersOf(['ada'], ['max']));
    refused(vouchersOf(['acme'], ['ada']));
    refused(vouchersOf(['acme'], ['acme']));
  });

  it('share no key with anybody, whatever it is called', () => {
    const withReviewer = (changes: object): Partial<TrustRoot> => ({
      reviewers: new Map([['acme', { ...reviewerNamed('acme'), ...changes }]]),
    });
    refused(withReviewer({ key: officerNamed('bo').signing }));
    refused(withReviewer({ age: officerNamed('bo').age }));
    refused(withReviewer({ key: endorserNamed('max').key }));
    refused(withReviewer({ key: root.logKey.publicKey }));
    refused({ endorsers: new Map([['max', { ...endorserNamed('max'), key: root.tokenKey }]]) });
    buildRootSigned({ ...root, ...withReviewer({}) });
  });

  it('are distinct firms, however a name is written', () => {
    const twin = { ...reviewerNamed('bolt'), name: 'ACME LTD' };
    refused({ reviewers: new Map([...vouchers.reviewers, ['bolt', twin]]) });
    refused({ reviewers: new Map([['other', reviewerNamed('acme')]]) });
  });

  it('have a threshold that they can reach', () => {
    refused({ endorsementThreshold: 4 });
    refused({ endorsementThreshold: 0 });
    refused({ endorsers: new Map() });
  });

  it('keep their keys for one purpose from root to root', () => {
    const next = (changes: Partial<TrustRoot>): TrustRoot => {
      const after = { ...root, version: 2, ...changes };
      return verifyNextRoot(rootFile(after, PEOPLE), root, verifyEd25519);
    };
    next(vouchersOf(['acme'], ['max']));
    const swapped = { ...endorserNamed('zoe'), key: reviewerNamed('bolt').key };
    assert.throws(
      () =>
        next({
          reviewers: new Map([['acme', reviewerNamed('acme')]]),
          endorsers: new Map([['zoe', swapped]]),
          endorsementThreshold: 1,
        }),
      { code: 'trust_invalid' },
    );
  });

  it('are named when they come, go or change', () => {
    const renewed = { ...endorserNamed('nina'), key: endorserNamed('new').key };
    const after = {
      ...root,
      version: 2,
      reviewers: new Map([['acme', reviewerNamed('acme')]]),
      endorsers: new Map([...vouchers.endorsers, ['nina', renewed], ['pia', endorserNamed('pia')]]),
      endorsementThreshold: 3,
    };
    assert.deepEqual(
      rootChanges(root, after).map(({ what, name }) => `${what} ${name}`),
      [
        'reviewer-removed bolt',
        'endorser-changed nina',
        'endorser-added pia',
        'threshold endorsements',
      ],
    );
  });
});
