import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import {
  encodePublication,
  parsePublication,
  verifyPublication,
  verifyPublicationUnder,
} from '../../../protocol/statement/share.ts';
import type { ReleaseKeyPublication, SharePublication } from '../../../protocol/statement/share.ts';
import { encodeStatement } from '../../../protocol/statement/statement.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { digestNamed, planOf } from '../plan/plans.ts';
import {
  OTHER_NETWORK,
  officerNamed,
  recipientNamed,
  rootOf,
  rootSigners,
  signerNamed,
  signingSigners,
} from '../trust/network.ts';

const root = rootOf();
const plan = planOf();
const common = {
  campaign: plan.campaign,
  network: plan.network,
  revision: 1,
  officer: 'ada',
  sealed: utf8Encode('an age file'),
};
const share: SharePublication = {
  ...common,
  kind: 'share',
  key: 'release',
  commitment: digestNamed('release ada'),
};
const closing: SharePublication = {
  ...share,
  key: 'closing',
  commitment: digestNamed('closing ada'),
};
const releaseKey: ReleaseKeyPublication = {
  ...common,
  kind: 'release-key',
  recipient: sha256Hex(utf8Encode(plan.releaseRecipient)),
};

const verify = (
  it: SharePublication | ReleaseKeyPublication,
  signers = signingSigners(['ada']),
  within = plan,
): ReturnType<typeof verifyPublication> =>
  verifyPublication(signEnvelope(encodePublication(it), ...signers), verifyEd25519, root, within);

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('a published share or release key', () => {
  it('is verified against root and plan and read back as written', () => {
    for (const it of [share, closing, releaseKey]) assert.deepEqual(verify(it), it);
  });

  it('is signed by its officer alone, with the signing key', () => {
    for (const it of [share, closing, releaseKey]) {
      refused('signature_invalid', () => verify(it, signingSigners(['bo'])));
      refused('signature_invalid', () => verify(it, signingSigners(['ada', 'bo'])));
      refused('signature_invalid', () => verify(it, rootSigners(['ada'])));
    }
  });

  it('counts with any key that its officer had since the plan was made, and with no other', () => {
    const later = rootOf(['bo', 'cy', 'dora'], { version: 2 });
    const renewed = { ...officerNamed('ada'), signing: signerNamed('ada anew').publicKey };
    const back = {
      ...rootOf(),
      version: 3,
      people: new Map([...rootOf().people, ['ada', renewed]]),
    };
    const under = (roots: readonly TrustRoot[], ...signers: readonly Signer[]): unknown =>
      verifyPublicationUnder(
        signEnvelope(encodePublication(share), ...signers),
        verifyEd25519,
        roots,
        plan,
      );
    const [old] = signingSigners(['ada']);
    assert.ok(old);
    assert.deepEqual(under([root, later], old), share);
    assert.deepEqual(under([root, later, back], signerNamed('ada anew')), share);
    refused('statement_invalid', () => under([later], old));
    refused('signature_invalid', () => under([root, later], signerNamed('ada anew')));
    refused('signature_invalid', () => under([later, back], old));
    refused('signature_invalid', () => under([root, later], ...signingSigners(['bo'])));
  });

  it('is refused from somebody who is no officer', () => {
    refused('statement_invalid', () =>
      verify({ ...share, officer: 'eve' }, signingSigners(['eve'])),
    );
  });

  it('is refused as the share that another officer or the other key was given', () => {
    refused('share_invalid', () => verify({ ...share, commitment: digestNamed('release bo') }));
    refused('share_invalid', () => verify({ ...share, commitment: closing.commitment }));
    refused('share_invalid', () => verify({ ...share, key: 'closing' }));
    refused('share_invalid', () => verify({ ...share, officer: 'bo' }, signingSigners(['bo'])));
  });

  it('is refused as the key of another recipient', () => {
    const recipient = sha256Hex(utf8Encode(recipientNamed('eve')));
    refused('statement_invalid', () => verify({ ...releaseKey, recipient }));
    const access = sha256Hex(utf8Encode(plan.accessRecipient));
    refused('statement_invalid', () => verify({ ...releaseKey, recipient: access }));
  });

  it('is refused in another campaign, network or revision', () => {
    for (const it of [share, closing, releaseKey]) {
      refused('statement_invalid', () => verify({ ...it, campaign: 'SDX-2026-7KQ5' }));
      refused('statement_invalid', () => verify({ ...it, network: OTHER_NETWORK }));
      refused('statement_invalid', () => verify({ ...it, revision: 2 }));
    }
  });

  it('is refused above 16 KiB, empty, or in another spelling', () => {
    encodePublication({ ...share, sealed: new Uint8Array(16_384) });
    refused('statement_invalid', () =>
      encodePublication({ ...share, sealed: new Uint8Array(16_387) }),
    );
    refused('statement_invalid', () => encodePublication({ ...share, sealed: new Uint8Array() }));
    const { campaign, network, revision, officer } = common;
    const subject = [{ name: 'share', sha256: share.commitment }];
    const predicate = { campaign, network, revision, officer, key: 'release', sealed: 'YR==' };
    refused('encoding_invalid', () =>
      parsePublication(encodeStatement('share', subject, predicate)),
    );
  });

  it('is neither of them under the name or the kind of the other', () => {
    const { campaign, network, revision, officer } = common;
    const predicate = { campaign, network, revision, officer, sealed: 'YQ==' };
    const subject = [{ name: 'share', sha256: share.commitment }];
    for (const payload of [
      encodeStatement('share', subject, predicate),
      encodeStatement('release-key', subject, predicate),
      encodeStatement('ack', subject, { ...predicate, key: 'release' }),
      encodeStatement('share', subject, { ...predicate, key: 'access' }),
    ]) {
      refused('statement_invalid', () => parsePublication(payload));
    }
  });
});
