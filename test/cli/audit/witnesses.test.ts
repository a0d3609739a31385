import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { RECORD } from '../../../protocol/record/layout.ts';
import { withIndex } from '../../../protocol/record/assemble.ts';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { formatVerifierKey } from '../../../protocol/signature/verifier-key.ts';
import { parseNote } from '../../../protocol/signature/note.ts';
import { CAMPAIGN } from './support/campaign.ts';
import { tellStory } from './support/story.ts';
import { audit, failuresOf } from './support/verdict.ts';

const WITNESSES = ['w1', 'w2', 'w3'].map((name) =>
  cosigner(`${name}.example`, signerFromSeed(generateSeed())),
);
const STRANGER = cosigner('w1.example', signerFromSeed(generateSeed()));
const POLICY = `${WITNESSES.map(
  ({ name, type, publicKey }, i) => `witness w${i} ${formatVerifierKey(name, type, publicKey)}\n`,
).join('')}group most 2 w0 w1 w2\nquorum most\n`;
/** Years before or after anything in the record. */
const TIMES = [1, 1_700_000_000, 4_000_000_000];

describe('witnesses of a record', () => {
  let files: Files;
  let note: string;

  before(async () => {
    const told = await tellStory({ witnessPolicy: POLICY });
    ({ files } = told);
    note = told.parts.checkpoint;
  });

  const cosigned = (...cosigners: readonly (typeof STRANGER)[]): Files => {
    const { text } = parseNote(note);
    const lines = cosigners.map((it, i) => it.cosign(text, TIMES[i % 3] ?? 0));
    const checkpoint = utf8Encode(note + lines.join(''));
    return withIndex(CAMPAIGN, new Map([...files, [RECORD.checkpoint, checkpoint]]));
  };
  const [w1 = STRANGER, w2 = STRANGER, w3 = STRANGER] = WITNESSES;

  it('are enough when a quorum has cosigned, whenever that was', async () => {
    for (const some of [
      [w1, w2],
      [w3, STRANGER, w1],
      [w1, w2, w3],
    ]) {
      const results = await audit(cosigned(...some));
      assert.deepEqual(
        results.filter(({ status }) => status === 'fail'),
        [],
      );
      const detail = results.find(({ id }) => id === 'log.witnesses')?.detail ?? '';
      assert.match(detail, /^[23] of 3: w/);
    }
  });

  it('fail the audit below the quorum, and nothing else', async () => {
    for (const few of [[], [w2], [w2, w2, w2], [w2, STRANGER]]) {
      const failures = await failuresOf(cosigned(...few));
      assert.deepEqual([...failures.keys()], ['log.witnesses']);
      const count = few.length === 0 ? 0 : 1;
      const reason = new RegExp(`^below the quorum: .* of ${count} of 3 witnesses; without: w1`);
      assert.match(failures.get('log.witnesses') ?? '', reason);
    }
  });

  it('fail it when one of them is forged, even with enough others', async () => {
    const { text } = parseNote(note);
    const forged = note + [w1, w2].map((it) => it.cosign(text, 1)).join('') + w3.cosign('x\n', 1);
    const changed = new Map([...files, [RECORD.checkpoint, utf8Encode(forged)]]);
    assert.match(
      (await failuresOf(changed)).get('log.witnesses') ?? '',
      /cosignature of w3.example does not verify/,
    );
  });

  it('are not looked for when the officers ask for none, and the report says so', async () => {
    const { files: without } = await tellStory();
    const result = (await audit(without)).find(({ id }) => id === 'log.witnesses');
    assert.equal(result?.status, 'skip');
    assert.match(result.detail, /ask for no witnesses/);
  });
});
