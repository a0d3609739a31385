import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { encodeEnvelope, signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import { encodeReleaseStatement } from '../../protocol/statement/release.ts';
import { NETWORK, signerNamed } from '../protocol/trust/network.ts';
import { INTEROP, missingPython, openWorkshop, python } from './support/tools.ts';
import type { Outcome, Workshop } from './support/tools.ts';

const PAYLOAD = encodeReleaseStatement({
  artifacts: [{ name: 'agave.patch', sha256: 'a'.repeat(64) }],
  campaign: 'SDX-2026-7KQ4',
  network: NETWORK,
  revision: 1,
  release: 'b'.repeat(64),
  sums: 'c'.repeat(64),
});
const PEOPLE = ['ada', 'bo', 'cy'].map((id) => signerNamed(`${id} signing`));
const [ada, bo] = PEOPLE as [Signer, Signer];

describe('securesystemslib', { skip: missingPython('securesystemslib.dsse') }, () => {
  let shop: Workshop;

  before(() => {
    shop = openWorkshop();
  });

  after(() => {
    shop.remove();
  });

  const verify = (envelope: string, threshold: number, keys = PEOPLE): Outcome =>
    shop.run(python(), [
      join(INTEROP, 'python', 'dsse.py'),
      shop.write('release.intoto.json', envelope),
      String(threshold),
      ...keys.map(({ publicKey }) => publicKey),
    ]);
  const signed = (...signers: Signer[]): string =>
    utf8Decode(encodeEnvelope(signEnvelope(PAYLOAD, ...signers)));

  it('counts the officers who signed a release statement', () => {
    const { status, text } = verify(signed(ada, bo), 2);
    assert.deepEqual([status, text], [0, 'OK 2\n']);
  });

  it('refuses one signature too few, one key twice, strangers, and anything changed', () => {
    type Json = { payload: string; payloadType: string; signatures: { sig: string }[] };
    const edited = (edit: (json: Json) => void): string => {
      const json = JSON.parse(signed(ada, bo)) as Json;
      edit(json);
      return JSON.stringify(json);
    };
    const refused = [
      verify(signed(ada), 2),
      verify(signed(ada, bo), 3),
      verify(signed(ada, bo), 2, [ada]),
      verify(signed(ada, bo), 2, [ada, ada]),
      verify(signed(ada, signerNamed('eve')), 2),
      verify(
        edited((json) => {
          json.signatures = [json.signatures[0], json.signatures[0]].flatMap((it) => it ?? []);
        }),
        2,
      ),
      verify(
        edited((json) => {
          json.payloadType = 'application/json';
        }),
        2,
      ),
      verify(
        edited((json) => {
          json.payload = Buffer.from(utf8Encode('{}')).toString('base64');
        }),
        2,
      ),
    ];
    for (const { status, text } of refused) {
      assert.notEqual(status, 0);
      assert.doesNotMatch(text, /^OK/m);
    }
  });
});
