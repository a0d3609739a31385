import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { judgeEndorsements } from '../../../protocol/campaign/endorsements.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import {
  encodeEndorsement,
  parseEndorsement,
  verifyEndorsement,
} from '../../../protocol/statement/endorsement.ts';
import type { Endorsement } from '../../../protocol/statement/endorsement.ts';
import { digestNamed } from '../plan/plans.ts';
import {
  NETWORK,
  ORIGIN,
  OTHER_NETWORK,
  PEOPLE,
  rootOf,
  signerNamed,
  vouchersOf,
} from '../trust/network.ts';

const root = rootOf(PEOPLE, vouchersOf(['acme'], ['max', 'nina', 'otto'], 2));
const POST = 'https://x.com/max/status/1823';
const endorsement: Endorsement = {
  commitment: digestNamed('commitment'),
  network: NETWORK,
  origin: ORIGIN,
  endorser: 'max',
  posted: [POST],
  issuedAt: '2026-11-16T09:00:00Z',
};

const keyOf = (id: string): Signer => signerNamed(`${id} endorsement`);
const by = (id: string, changes: Partial<Endorsement> = {}, signer = keyOf(id)): Envelope =>
  signEnvelope(encodeEndorsement({ ...endorsement, endorser: id, ...changes }), signer);
const judge = (...envelopes: Envelope[]): ReturnType<typeof judgeEndorsements> =>
  judgeEndorsements(envelopes, endorsement.commitment, root, verifyEd25519);

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('an endorsement', () => {
  it('is read back as it was written, and verified under its endorser’s key', () => {
    assert.deepEqual(parseEndorsement(encodeEndorsement(endorsement)), endorsement);
    assert.deepEqual(verifyEndorsement(by('max'), verifyEd25519, root), endorsement);
  });

  it('is signed by its endorser alone, for this network and service', () => {
    const verify = (it: Envelope): unknown => verifyEndorsement(it, verifyEd25519, root);
    refused('signature_invalid', () => verify(by('max', {}, keyOf('nina'))));
    refused('signature_invalid', () =>
      verify(signEnvelope(encodeEndorsement(endorsement), keyOf('max'), keyOf('nina'))),
    );
    refused('statement_invalid', () => verify(by('eve')));
    refused('statement_invalid', () => verify(by('acme', {}, signerNamed('acme review'))));
    refused('statement_invalid', () => verify(by('max', { network: OTHER_NETWORK })));
    refused('statement_invalid', () => verify(by('max', { origin: 'other.example/log' })));
  });

  it('says where, in addresses that mean one thing and fit on a screen', () => {
    const good = [
      POST,
      'https://www.linkedin.com/posts/max_a-1?utm_source=share',
      'https://github.com/max/pinned/issues/1#issuecomment-2',
      'https://social.example/@max/112',
      `https://a.example/${'x'.repeat(282)}`,
    ];
    for (const url of good) encodeEndorsement({ ...endorsement, posted: [url] });
    const bad = [
      'http://x.com/max',
      'https://x.com',
      'https://X.com/max',
      'https://max@x.com/1',
      'https://x.com:8443/max',
      'https://127.0.0.1/max',
      'https://localhost/max',
      'https://x.com/a/../b',
      'https://x.com/a b',
      'https://x.com/\u202emax',
      'https://x.com/<script>',
      'javascript:alert(1)',
      `https://a.example/${'x'.repeat(283)}`,
    ];
    for (const url of bad) {
      refused('statement_invalid', () => encodeEndorsement({ ...endorsement, posted: [url] }));
    }
  });

  it('says so at one to eight places, sorted, each once', () => {
    const places = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => `https://m${i}.example/`);
    encodeEndorsement({ ...endorsement, posted: places(8) });
    for (const posted of [[], places(9), places(2).reverse(), [POST, POST]]) {
      refused('statement_invalid', () => encodeEndorsement({ ...endorsement, posted }));
    }
  });
});

describe('the endorsements of a commitment', () => {
  it('are counted by endorser, the latest of each, and the rest are missing', () => {
    const later = { posted: ['https://b.example/2'], issuedAt: '2026-11-16T10:00:00Z' };
    for (const envelopes of [
      [by('max'), by('max', later)],
      [by('max', later), by('max')],
    ]) {
      const standing = judge(...envelopes);
      assert.deepEqual(standing.endorsed, [{ ...endorsement, ...later }]);
      assert.deepEqual(standing.missing, ['nina', 'otto']);
      assert.equal(standing.required, 2);
    }
  });

  it('do not carry over from another commitment', () => {
    const before = by('max', { commitment: digestNamed('the revision before') });
    assert.deepEqual(judge(before, by('nina')).missing, ['max', 'otto']);
  });

  it('are not hidden by what does not verify', () => {
    const noise = signEnvelope(new Uint8Array([1]), keyOf('max'));
    const forged = by('otto', { issuedAt: '2027-01-01T00:00:00Z' }, keyOf('eve'));
    const { endorsed } = judge(noise, forged, by('otto'), by('eve'));
    assert.deepEqual(
      endorsed.map(({ endorser }) => endorser),
      ['otto'],
    );
  });

  it('are nobody’s where the root lists nobody', () => {
    const standing = judgeEndorsements([by('max')], 'x', rootOf(), verifyEd25519);
    assert.deepEqual(standing, { commitment: 'x', endorsed: [], missing: [], required: 0 });
  });
});
