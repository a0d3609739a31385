import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import {
  encodeOperatorStatement,
  parseOperatorStatement,
  verifyOperatorStatement,
} from '../../../protocol/statement/operator.ts';
import type {
  OperatorStatement,
  StatementContext,
  VerifiedOperatorStatement,
} from '../../../protocol/statement/operator.ts';
import { encodeStatement } from '../../../protocol/statement/statement.ts';
import { digestNamed, planOf } from '../plan/plans.ts';
import { identityNamed } from '../stake/identities.ts';
import { NETWORK, OTHER_NETWORK, signerNamed } from '../trust/network.ts';

const operator = signerNamed('operator');
const validators = ['a', 'b', 'c'].map(identityNamed).sort();
const [firstValidator = '', secondValidator = ''] = validators;

const common = {
  subject: { name: 'release.txt', sha256: digestNamed('release') },
  campaign: 'SDX-2026-7KQ4',
  network: NETWORK,
  revision: 1,
  validators,
  counter: 3,
  checkpoint: { size: 100, root: toBase64(new Uint8Array(32)) },
  issuedAt: '2026-11-20T14:05:00Z',
};
const attest: OperatorStatement = { ...common, kind: 'attest', variant: 'agave' };
const revert: OperatorStatement = { ...common, kind: 'revert', reason: 'it crashed', counter: 4 };
const ack: OperatorStatement = {
  ...common,
  kind: 'ack',
  subject: { name: 'notice.txt', sha256: digestNamed('notice') },
  counter: 1,
};

const context: StatementContext = planOf();

const verify = (
  statement: OperatorStatement,
  within: StatementContext = context,
  signer = operator,
): VerifiedOperatorStatement =>
  verifyOperatorStatement(
    signEnvelope(encodeOperatorStatement(statement), signer),
    verifyEd25519,
    operator.publicKey,
    within,
  );

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe("an operator's statement", () => {
  it('is read back as it was written, of every kind', () => {
    const ready = { ...ack, kind: 'ready' } as const;
    const decline = { ...ack, kind: 'decline', reason: 'not affected' } as const;
    for (const statement of [ack, ready, decline, attest, revert, { ...revert, reason: '' }]) {
      assert.deepEqual(parseOperatorStatement(encodeOperatorStatement(statement)), statement);
    }
  });

  const flaws: Readonly<Record<string, object>> = {
    'a member that is not known': { ...attest, note: '' },
    'another document': { ...attest, subject: { name: 'notice.txt', sha256: digestNamed('n') } },
    'an acknowledgement of the release': { ...ack, subject: attest.subject },
    'no variant in attest': { ...attest, variant: undefined },
    'a variant in revert': { ...revert, variant: 'agave' },
    'a variant in ack': { ...ack, variant: 'agave' },
    'a reason in attest': { ...attest, reason: 'x' },
    'a reason in ack': { ...ack, reason: 'x' },
    'a reason of 501 characters': { ...revert, reason: 'x'.repeat(501) },
    'a reason with a terminal escape': { ...revert, reason: '\u001b]0;x' },
    'no validator': { ...attest, validators: [] },
    'validators out of order': { ...attest, validators: validators.toReversed() },
    'a validator twice': { ...attest, validators: [firstValidator, firstValidator] },
    'a validator in hex': { ...attest, validators: ['ab'.repeat(32)] },
    'a validator with a letter that base58 leaves out': { ...attest, validators: ['O'.repeat(44)] },
    'counter 0': { ...attest, counter: 0 },
    'a counter beyond exact numbers': { ...attest, counter: 2 ** 53 },
    'a checkpoint of 31 bytes': {
      ...attest,
      checkpoint: { size: 1, root: toBase64(new Uint8Array(31)) },
    },
    'an empty log with a root of its own': {
      ...attest,
      checkpoint: { ...attest.checkpoint, size: 0 },
    },
    'a negative checkpoint': { ...attest, checkpoint: { ...attest.checkpoint, size: -1 } },
    'revision 0': { ...attest, revision: 0 },
    'another time format': { ...attest, issuedAt: '2026-11-20 14:05:00' },
  };
  for (const [flaw, statement] of Object.entries(flaws)) {
    it(`is refused with ${flaw}`, () => {
      refused('statement_invalid', () =>
        encodeOperatorStatement(JSON.parse(JSON.stringify(statement)) as OperatorStatement),
      );
    });
  }

  it('may be by somebody whose log was empty', () => {
    const checkpoint = { size: 0, root: toBase64(EMPTY_ROOT) };
    parseOperatorStatement(encodeOperatorStatement({ ...attest, checkpoint }));
  });

  it('is refused with a checkpoint in another spelling of base64', () => {
    const root = `${toBase64(new Uint8Array(32)).slice(0, 42)}B=`;
    refused('encoding_invalid', () =>
      encodeOperatorStatement({ ...attest, checkpoint: { size: 1, root } }),
    );
  });

  it('is not a statement of officers', () => {
    const payload = encodeStatement('directive', [attest.subject], {});
    refused('statement_invalid', () => parseOperatorStatement(payload));
  });

  it('names at most 10000 validators', () => {
    const many = Array.from({ length: 10_001 }, (_, i) => String(i));
    refused('statement_invalid', () => encodeOperatorStatement({ ...attest, validators: many }));
  });
});

describe('verifyOperatorStatement', () => {
  it('names the operator who signed', () => {
    assert.deepEqual(verify(attest), { ...attest, operator: operator.publicKey });
  });

  it('refuses a statement signed by another operator, or by two', () => {
    const eve = signerNamed('eve');
    refused('signature_invalid', () => verify(attest, context, eve));
    const both = signEnvelope(encodeOperatorStatement(attest), operator, eve);
    refused('signature_invalid', () =>
      verifyOperatorStatement(both, verifyEd25519, operator.publicKey, context),
    );
  });

  it('refuses a replay into another campaign, network or revision', () => {
    refused('statement_invalid', () => verify({ ...attest, campaign: 'SDX-2026-7KQ5' }));
    refused('statement_invalid', () => verify({ ...attest, network: OTHER_NETWORK }));
    refused('statement_invalid', () => verify({ ...attest, revision: 2 }));
    refused('statement_invalid', () => verify({ ...ack, revision: 2 }));
  });

  it('refuses a statement about another notice or release', () => {
    const other = digestNamed('other');
    const subject = { name: 'release.txt', sha256: other };
    refused('statement_invalid', () => verify({ ...attest, subject }));
    refused('statement_invalid', () =>
      verify({ ...ack, subject: { name: 'notice.txt', sha256: other } }),
    );
    // The digest of a document that is committed to, but under another name.
    refused('statement_invalid', () =>
      verify({ ...attest, subject: { ...subject, sha256: digestNamed('notice') } }),
    );
  });

  it('lets what runs outlive a revision that keeps release.txt, and acknowledgements not', () => {
    const revised = { ...context, revision: 2 };
    assert.equal(verify(attest, revised).revision, 1);
    assert.equal(verify(revert, revised).revision, 1);
    refused('statement_invalid', () => verify(ack, revised));
    const superseded = {
      ...revised,
      documents: [{ name: 'release.txt', sha256: digestNamed('fixed') }],
    };
    refused('statement_invalid', () => verify(attest, superseded));
  });

  it('covers every field: any change voids the signature', () => {
    const envelope = signEnvelope(encodeOperatorStatement(attest), operator);
    for (const change of [
      { counter: 4 },
      { validators: [firstValidator, secondValidator] },
      { variant: 'jito' },
      { issuedAt: '2026-11-20T14:05:01Z' },
      { checkpoint: { ...attest.checkpoint, size: 101 } },
    ]) {
      const payload = encodeOperatorStatement({ ...attest, ...change });
      refused('signature_invalid', () =>
        verifyOperatorStatement(
          { ...envelope, payload },
          verifyEd25519,
          operator.publicKey,
          context,
        ),
      );
    }
  });
});
