import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { fromHex } from '../../../protocol/encoding/bytes.ts';
import {
  addCosignatures,
  takeCosignature,
  verifyCosignatures,
} from '../../../protocol/log/cosignature.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import {
  countWitnesses,
  countWitnessesOfKept,
  MAX_COSIGNATURE_AGE_MS,
  MAX_COSIGNATURE_LEAD_MS,
  verifyWitnesses,
} from '../../../protocol/log/witness-quorum.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { noteSigner, openNote, signNote } from '../../../protocol/signature/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../../../protocol/signature/verifier-key.ts';

// sigsum-go pkg/checkpoint/checkpoint_test.go
const SIGSUM = cosigner('example.org/witness', signerFromSeed(fromHex(`11${'00'.repeat(31)}`, 32)));
const SIGSUM_TEXT = 'example.org/log\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
const SIGSUM_LINE =
  '— example.org/witness ys8uUAAAAAAAAATSftMzceM8zssdZ9jin9SjwIxzx9iADMf63VqirX2hafol9RsqNqbofIz0LVRqHXI2kpEBSki5RTXFtxz1vo9+Cg==\n';

// transparency-dev/tessera testdata: checkpoint of three leaves, and its witness key Wit1
const TESSERA_KEY =
  'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const TESSERA_NOTE =
  'example.com/log/testdata\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n\n' +
  '— example.com/log/testdata M9e0lvAQRtH832pk2RTbeSeZMkp4FZSdJYFBUjO5SKxuRbywPUF3cx+HUrb50kjd3rUWW/fj53Wj1dwcwh9bGQnqVAg=\n';
const WIT1 = parseVerifierKey('Wit1+9b3fb2d5+BFhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk');
const WIT1_LINE =
  '— Wit1 mz+y1QAAAABkGFDLuA/qs4toUQd1DYJvf5+953bHolyMPEjtAW1Gw3cw3klXIvwfYEC4KmOr+qGIVtee6DsZAbOLzQHa//mZky0QBw==\n';

const LOG = noteSigner('log.example/one', signerFromSeed(new Uint8Array(32).fill(1)));
const TEXT = 'log.example/one\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n';
const NOTE = signNote(TEXT, LOG);
const WITNESSES = [0, 1, 2].map((n) =>
  cosigner(`w${n}.example`, signerFromSeed(new Uint8Array(32).fill(10 + n))),
);
const witness = (n: number): (typeof WITNESSES)[number] => {
  const found = WITNESSES[n];
  if (found === undefined) throw new Error('three witnesses');
  return found;
};
const NOW = Date.parse('2026-11-20T14:00:00Z');
const SECONDS = NOW / 1000;
const POLICY = parsePolicy(
  [
    ...WITNESSES.map(
      (it, n) => `witness w${n} ${formatVerifierKey(it.name, it.type, it.publicKey)}`,
    ),
    'group all-three 2 w0 w1 w2',
    'quorum all-three',
    '',
  ].join('\n'),
);

describe('a cosignature', () => {
  it('comes out as sigsum makes it', () => {
    assert.equal(SIGSUM.cosign(SIGSUM_TEXT, 1234), SIGSUM_LINE);
    const key = formatVerifierKey(SIGSUM.name, SIGSUM.type, SIGSUM.publicKey);
    assert.equal(key, 'example.org/witness+cacf2e50+BGbguFjkYqYJ5m/nE3DIFtiEb/ED1UmaIqf+w3/bxCSn');
  });

  it('of Tessera verifies, with its time', () => {
    const [found] = verifyCosignatures(`${TESSERA_NOTE}${WIT1_LINE}`, [WIT1], verifyEd25519);
    assert.equal(found?.time, 1679315147n);
    assert.equal(found.witness, WIT1);
    const log = parseVerifierKey(TESSERA_KEY);
    assert.equal(openNote(`${TESSERA_NOTE}${WIT1_LINE}`, [log, WIT1], verifyEd25519).unknown, 0);
  });

  it('under another key id or name is passed over', () => {
    const other = SIGSUM_LINE.replace('ys8uUA', 'zs8uUA');
    for (const line of [other, SIGSUM_LINE.replace('example.org/w', 'example.org/W')]) {
      assert.deepEqual(verifyCosignatures(`${SIGSUM_TEXT}\n${line}`, [SIGSUM], verifyEd25519), []);
    }
  });

  it('is refused once anything that it covers has changed (property)', () => {
    const line = witness(0).cosign(TEXT, SECONDS);
    const note = `${NOTE}${line}`;
    const base64At = note.lastIndexOf(' ') + 1;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 71 * 8 - 1 }), (bit) => {
        const bytes = Buffer.from(note.slice(base64At, -1), 'base64');
        const at = 4 + Math.floor(bit / 8);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit % 8)), at);
        const changed = `${note.slice(0, base64At)}${bytes.toString('base64')}\n`;
        assert.throws(() => verifyCosignatures(changed, [witness(0)], verifyEd25519), {
          code: 'signature_invalid',
        });
      }),
    );
    const grown = note.replace('\n3\n', '\n4\n');
    assert.throws(() => verifyCosignatures(grown, [witness(0)], verifyEd25519), {
      code: 'signature_invalid',
    });
  });

  it('does not count as a signature of the log, nor the log’s as a cosignature', () => {
    const asWitness = parseVerifierKey(formatVerifierKey(LOG.name, 4, LOG.publicKey));
    assert.deepEqual(verifyCosignatures(NOTE, [asWitness, LOG], verifyEd25519), []);
    // Whoever copies the log's line under the witness's key id finds it refused.
    const forged = `${NOTE}— ${LOG.name} ${Buffer.concat([
      Buffer.from(formatVerifierKey(LOG.name, 4, LOG.publicKey).split('+')[1] ?? '', 'hex'),
      Buffer.alloc(8),
      LOG.sign(TEXT),
    ]).toString('base64')}\n`;
    assert.throws(() => verifyCosignatures(forged, [asWitness], verifyEd25519), {
      code: 'signature_invalid',
    });
  });
});

describe('the answer of a witness', () => {
  const take = (answer: string): ReturnType<typeof takeCosignature> =>
    takeCosignature(TEXT, answer, witness(0), verifyEd25519);
  const own = witness(0).cosign(TEXT, SECONDS);
  const stranger = witness(1).cosign(TEXT, SECONDS);

  it('gives its latest cosignature and nothing else of it', () => {
    const later = witness(0).cosign(TEXT, SECONDS + 5);
    const { line, time } = take(`${stranger}${own}${later}${own}`);
    assert.equal(time, BigInt(SECONDS + 5));
    assert.equal(`${line}\n`, later);
  });

  const hostile: Record<string, string> = {
    nothing: '',
    'only strangers': stranger,
    'a cosignature of another text': witness(0).cosign(TEXT.replace('\n3\n', '\n4\n'), SECONDS),
    'a whole note of its own': `${TEXT.replace('\n3\n', '\n9\n')}\n${own}`,
    'a blank line in front': `\n${own}`,
    'a blank line behind': `${own}\n`,
    'no final newline': own.slice(0, -1),
    'a page of HTML': '<html>\n',
    'carriage returns': own.replace('\n', '\r\n'),
    // What stands before the last blank line is what the witness signed, and no checkpoint of ours.
    'a longer text that it signed': `${stranger}\n${witness(0).cosign(`${TEXT}\n${stranger}`, SECONDS)}`,
    'a text with an empty line that it signed': `\n${witness(0).cosign(`${TEXT}\n`, SECONDS)}`,
    'a hundred and one lines': Array.from({ length: 101 }, (_, n) =>
      witness(0).cosign(TEXT, SECONDS + n),
    ).join(''),
  };
  for (const [what, answer] of Object.entries(hostile)) {
    it(`is refused when it is ${what}`, () => {
      assert.throws(() => take(answer), { name: 'ProtocolError' });
    });
  }

  it('goes under the note once', () => {
    const { line } = take(own);
    const cosignature = { witness: witness(0), time: 0n, line };
    const once = addCosignatures(NOTE, [cosignature, cosignature]);
    assert.equal(once, `${NOTE}${own}`);
    assert.equal(addCosignatures(once, [cosignature]), once);
  });
});

describe('the quorum', () => {
  const noteOf = (...times: readonly (readonly [n: number, ageSeconds: number])[]): string =>
    NOTE + times.map(([n, age]) => witness(n).cosign(TEXT, SECONDS - age)).join('');
  const judge = (note: string): string =>
    countWitnesses(POLICY, note, NOW, verifyEd25519)
      .attendance.map(({ state }) => state)
      .join(' ');
  const MAX_AGE = MAX_COSIGNATURE_AGE_MS / 1000;
  const MAX_LEAD = MAX_COSIGNATURE_LEAD_MS / 1000;

  it('is met by enough fresh cosignatures, whatever their order', () => {
    assert.equal(judge(noteOf([2, 0], [0, 5])), 'fresh missing fresh');
    verifyWitnesses(POLICY, noteOf([2, 0], [0, 5]), NOW, verifyEd25519);
  });

  it('is not met by one witness twice', () => {
    assert.throws(
      () => verifyWitnesses(POLICY, noteOf([1, 0], [1, 5], [1, 9]), NOW, verifyEd25519),
      {
        code: 'quorum_unmet',
        message:
          'the log has fresh cosignatures of 1 of 3 witnesses; without: ' +
          'w0.example (did not cosign), w2.example (did not cosign)',
      },
    );
  });

  it('takes old cosignatures for missing, to the second', () => {
    assert.equal(judge(noteOf([0, MAX_AGE], [1, MAX_AGE + 1])), 'fresh old missing');
    assert.throws(
      () => verifyWitnesses(POLICY, noteOf([0, 0], [1, MAX_AGE + 1]), NOW, verifyEd25519),
      {
        code: 'quorum_unmet',
      },
    );
  });

  it('takes those from the future for missing, or they would be fresh for ever', () => {
    assert.equal(judge(noteOf([0, -MAX_LEAD], [1, -MAX_LEAD - 1])), 'fresh ahead missing');
    assert.equal(judge(noteOf([0, -MAX_LEAD - 1], [0, 10])), 'fresh missing missing');
  });

  it('of a checkpoint that was kept does not pass with the years', () => {
    const kept = (note: string): boolean => countWitnessesOfKept(POLICY, note, verifyEd25519).isMet;
    assert.ok(kept(noteOf([0, 10 * MAX_AGE], [1, -10 * MAX_LEAD])));
    assert.ok(!kept(noteOf([1, 0], [1, 10 * MAX_AGE])), 'one witness twice');
    assert.ok(!kept(NOTE));
    const forged = noteOf([0, 0], [1, 0]) + witness(2).cosign(`${TEXT}x\n`, SECONDS);
    assert.throws(() => kept(forged), { code: 'signature_invalid' });
  });

  it('is refused whole when a witness’s line is forged, even with enough others', () => {
    const forged = noteOf([0, 0], [1, 0]) + witness(2).cosign(`${TEXT}x\n`, SECONDS);
    assert.throws(() => countWitnesses(POLICY, forged, NOW, verifyEd25519), {
      code: 'signature_invalid',
    });
  });

  it('follows from which witnesses are fresh alone (property)', () => {
    const line = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -2000, max: 9000 }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const isFresh = ([, age]: readonly [number, number]): boolean =>
          age <= MAX_AGE && age >= -MAX_LEAD;
        const fresh = new Set(lines.filter(isFresh).map(([n]) => n));
        const { isMet } = countWitnesses(POLICY, noteOf(...lines), NOW, verifyEd25519);
        assert.equal(isMet, fresh.size >= 2);
      }),
      { numRuns: 60 },
    );
  });
});
