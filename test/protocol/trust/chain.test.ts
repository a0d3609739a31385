import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noteSigner } from '../../../protocol/signature/note.ts';
import { NOTE_COSIGNATURE } from '../../../protocol/signature/verifier-key.ts';
import { rootChanges, rootsSince } from '../../../protocol/trust/chain.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { officerNamed, PEOPLE, recipientNamed, rootOf, signerNamed } from './network.ts';

const first = rootOf();

describe('rootsSince', () => {
  it('leaves out what is older, and sorts whatever the order of a map', () => {
    const roots = new Map([3, 1, 2].map((version) => [version, rootOf(PEOPLE, { version })]));
    assert.deepEqual(
      rootsSince(roots, 2).map(({ version }) => version),
      [2, 3],
    );
  });
});

describe('rootChanges', () => {
  const told = (after: Partial<TrustRoot>): string[] =>
    rootChanges(first, { ...first, version: 2, ...after }).map(
      ({ what, name, before, after: now }) =>
        [what, name, before === null ? '' : 'from', now === null ? '' : 'to'].join(' ').trimEnd(),
    );

  it('finds nothing in a root that is merely signed anew', () => {
    assert.deepEqual(told({}), []);
  });

  it('names people who come, go, and get new keys', () => {
    const bo = {
      ...officerNamed('bo'),
      age: officerNamed('other').age,
      root: signerNamed('x').publicKey,
    };
    const people = new Map([
      ['ada', officerNamed('ada')],
      ['bo', bo],
      ['dora', officerNamed('dora')],
    ]);
    assert.deepEqual(told({ people }), [
      'person-key bo root from to',
      'person-key bo age from to',
      'person-removed cy from',
      'person-added dora  to',
    ]);
  });

  it('names thresholds, keys of the server, witnesses and the end', () => {
    const { name, keyId, publicKey } = noteSigner('w.example', signerNamed('w'));
    const witness = { name, keyId, publicKey, type: NOTE_COSIGNATURE } as const;
    assert.deepEqual(
      told({
        directiveThreshold: 3,
        timestampKey: signerNamed('new').publicKey,
        custodian: { key: signerNamed('custody').publicKey, age: recipientNamed('custody') },
        witnesses: [witness],
        expires: '2028-01-01T00:00:00Z',
      }),
      [
        'threshold decisions from to',
        'server-key timestamp from to',
        'server-key custody from to',
        'witness-added w.example  to',
        'expires root from to',
      ],
    );
  });
});
