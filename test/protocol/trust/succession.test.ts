import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned } from '../../../protocol/trust/root-file.ts';
import { verifyNextRoot } from '../../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import {
  officerNamed,
  OTHER_NETWORK,
  PEOPLE,
  rootFile,
  rootOf,
  rootSigners,
  signerNamed,
} from './network.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';

const first = rootOf();
const second = rootOf(PEOPLE, { version: 2 });

const follow = (root: TrustRoot, signedBy: readonly string[], previous = first): TrustRoot =>
  verifyNextRoot(rootFile(root, signedBy), previous, verifyEd25519);

const refused = (code: string, root: TrustRoot, signedBy: readonly string[] = PEOPLE): void => {
  assert.throws(() => follow(root, signedBy), { code });
};

describe('a root that follows another', () => {
  it('is accepted from a threshold of the same people', () => {
    assert.deepEqual(follow(second, ['bo', 'cy']), second);
  });

  it('is refused with its version repeated, skipped or going back', () => {
    refused('trust_invalid', first);
    refused('trust_invalid', rootOf(PEOPLE, { version: 3 }));
    assert.throws(() => follow(first, PEOPLE, second), { code: 'trust_invalid' });
  });

  it('is refused for another network or origin', () => {
    refused('trust_invalid', { ...second, network: OTHER_NETWORK });
    const log = noteSigner('other.example.org', signerNamed('log'));
    refused('trust_invalid', { ...second, origin: log.name, logKey: log });
  });

  it('may replace a person when enough old and enough new people sign', () => {
    const next = rootOf(['ada', 'bo', 'dora'], { version: 2 });
    assert.deepEqual([...follow(next, ['ada', 'bo']).people.keys()], ['ada', 'bo', 'dora']);
    assert.deepEqual(follow(next, ['ada', 'cy', 'dora']), next);
  });

  it('is refused when only the old people signed, or only the new', () => {
    const next = rootOf(['cy', 'dora', 'eve'], { version: 2 });
    refused('threshold_unmet', next, ['ada', 'bo']);
    refused('threshold_unmet', next, ['dora', 'eve']);
    refused('threshold_unmet', next, ['ada', 'dora', 'eve']);
    refused('threshold_unmet', next, ['ada', 'bo', 'dora']);
    follow(next, ['ada', 'bo', 'dora', 'eve']);
    follow(next, ['ada', 'cy', 'dora']); // cy is one of both
  });

  it('counts a person with a new root key once on each side, never twice on one', () => {
    const bo = { ...officerNamed('bo'), root: signerNamed('bo renewed root').publicKey };
    const next = { ...second, people: new Map([...second.people, ['bo', bo]]) };
    const signed = buildRootSigned(next);
    const sign = (...names: readonly string[]): Uint8Array =>
      encodeTuf(signed, signTuf(signed, ...names.map(signerNamed)));
    const accept = (bytes: Uint8Array): TrustRoot => verifyNextRoot(bytes, first, verifyEd25519);
    assert.throws(() => accept(sign('bo root', 'bo renewed root')), { code: 'threshold_unmet' });
    assert.throws(() => accept(sign('ada root', 'bo renewed root')), { code: 'threshold_unmet' });
    assert.deepEqual(accept(sign('ada root', 'bo root', 'bo renewed root')), next);
  });

  it('takes the higher threshold of the two', () => {
    const stricter = { ...second, directiveThreshold: 3 };
    refused('threshold_unmet', stricter, ['ada', 'bo']);
    follow(stricter, PEOPLE);
    assert.throws(() => follow(second, ['ada', 'bo'], { ...first, directiveThreshold: 3 }), {
      code: 'threshold_unmet',
    });
  });

  it('is refused when a key passes to another person or to another purpose', () => {
    const { root } = officerNamed('cy');
    const dora = { ...officerNamed('dora'), root };
    const handedOn = rootOf(['ada', 'bo', 'dora'], { version: 2 });
    refused('trust_invalid', {
      ...handedOn,
      people: new Map([...handedOn.people, ['dora', dora]]),
    });
    const cy = { ...officerNamed('cy'), root: officerNamed('cy').signing, signing: root };
    refused('trust_invalid', { ...second, people: new Map([...second.people, ['cy', cy]]) });
    refused('trust_invalid', {
      ...second,
      tokenKey: first.snapshotKey,
      snapshotKey: signerNamed('new snapshot').publicKey,
    });
  });

  it('is refused whole for a signature by somebody who is in neither root', () => {
    const signed = buildRootSigned(second);
    const signatures = signTuf(signed, ...rootSigners([...PEOPLE, 'eve']));
    assert.throws(() => verifyNextRoot(encodeTuf(signed, signatures), first, verifyEd25519), {
      code: 'signature_invalid',
    });
  });

  it('may renew every key of the server', () => {
    const log = noteSigner(first.origin, signerNamed('new log'));
    const { name, keyId, publicKey } = log;
    const next = {
      ...second,
      logKey: { name, keyId, publicKey, type: log.type },
      tokenKey: signerNamed('new token').publicKey,
      snapshotKey: signerNamed('new snapshot').publicKey,
      timestampKey: signerNamed('new timestamp').publicKey,
    };
    assert.deepEqual(follow(next, ['ada', 'bo']), next);
  });
});
