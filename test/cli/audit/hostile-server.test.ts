import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../../protocol/encoding/json.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { signReceipt } from '../../../protocol/log/receipt.ts';
import { encodeEnvelope } from '../../../protocol/signature/dsse.ts';
import {
  formatVerifierKey,
  NOTE_ED25519,
  parseVerifierKey,
} from '../../../protocol/signature/verifier-key.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import { verifyTestimony } from '../../../cli/log/compare/testimony.ts';
import type { TestimonyEvidence } from '../../../cli/log/evidence.ts';
import { CAMPAIGN, makeOperator, RELEASE_TIME } from './support/campaign.ts';
import { ORIGIN, step, tellStory, type Story } from './support/story.ts';
import { assertFails, assertGood, audit, failuresOf } from './support/verdict.ts';

// Whoever keeps the log here holds its key and signs whatever suits him: every record in this file
// has a checkpoint that verifies.

/** Drop what matches, together with its opening; the log does not mention it any more. */
function forgetLeaf(story: Story, index: number): void {
  story.log.openings.delete(index);
  story.log.leaves[index] = formatLeaf({ type: 'snapshot', sha256: '0'.repeat(64) });
}

function exchangeLeaves({ log }: Story, a: number, b: number): void {
  const [first, second] = [log.leaves[a], log.leaves[b]];
  const [one, other] = [log.openings.get(a), log.openings.get(b)];
  assert.ok(first && second && one && other);
  log.leaves[a] = second;
  log.leaves[b] = first;
  log.openings.set(a, other);
  log.openings.set(b, one);
}

describe('audit against a server that leaves things out', () => {
  it('misses a statement that is in the log but not in the record', async () => {
    const { files } = await tellStory({
      edit: (parts) => ({ ...parts, statements: parts.statements.slice(0, -1) }),
    });
    const failures = await failuresOf(files);
    assert.match(failures.get('openings.content') ?? '', /statement, is not in the record/);
  });

  it('misses a statement that is in the record but not in the log', async () => {
    const { files } = await tellStory({
      instead: {
        adopt: (story) => {
          forgetLeaf(story, story.statements.at(-1)?.index ?? 0);
          step('adopt')(story);
        },
      },
    });
    await assertFails(files, 'statements.signatures', /statement 5 is not in the log/);
  });

  it('misses a statement dropped with its opening and leaf, given its receipt', async () => {
    let receipt = '';
    const { files } = await tellStory({
      instead: {
        arm: (story) => {
          const [dropped] = story.statements.splice(-1);
          const leaf = story.log.leaves[dropped?.index ?? 0] ?? '';
          const signer = noteSigner(story.officers.root.origin, story.logKey);
          receipt = signReceipt(
            { origin: signer.name, leafHash: leafHash(utf8Encode(leaf)), at: story.now },
            signer,
          );
          forgetLeaf(story, dropped?.index ?? 0);
          step('arm')(story);
        },
      },
    });
    await assertGood(files);
    const failures = await failuresOf(files, { receipts: [receipt] });
    assert.deepEqual([...failures.keys()], ['receipts.kept']);
  });

  it('misses a sealed leaf that is never opened', async () => {
    const { files } = await tellStory({
      instead: {
        open: (story) => {
          const indexes = [...story.log.openings.keys()];
          for (const index of indexes.slice(0, -1)) story.log.add({ type: 'opened', index });
        },
      },
    });
    await assertFails(files, 'openings.complete', /is sealed to this day/);
  });

  it('misses an opening that the log announces', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        const openings = new Map(parts.openings);
        openings.delete([...openings.keys()].at(-1) ?? 0);
        return { ...parts, openings };
      },
    });
    await assertFails(files, 'openings.complete', /openings\/\d+ is missing/);
  });

  it('says what is withheld, and misses an event that is', async () => {
    const { files } = await tellStory({
      instead: {
        open: (story) => {
          const [first, ...rest] = [...story.log.openings.keys()].filter(
            (index) => index > (story.enrolments.at(-1)?.index ?? 0),
          );
          for (const { index } of story.enrolments) story.log.add({ type: 'opened', index });
          const only = first ?? 0;
          story.log.add({ type: 'withheld', first: only, last: only, reason: 'other' });
          for (const index of rest) story.log.add({ type: 'opened', index });
        },
      },
    });
    await assertFails(files, 'openings.content', /events do not count from 1/);
  });

  it('refuses a leaf that is opened twice, or before it was sealed', async () => {
    const twice = await tellStory({
      instead: {
        open: async (story) => {
          await step('open')(story);
          story.log.add({ type: 'opened', index: story.enrolments[0]?.index ?? 0 });
        },
      },
    });
    await assertFails(twice.files, 'openings.complete', /accounted for twice/);
    let ahead = 0;
    const early = await tellStory({
      instead: {
        enrol: (story) => {
          ahead = story.log.leaves.length + 1;
          story.log.add({ type: 'opened', index: ahead });
          step('enrol')(story);
        },
        open: (story) => {
          for (const index of story.log.openings.keys()) {
            if (index !== ahead) story.log.add({ type: 'opened', index });
          }
        },
      },
    });
    await assertFails(early.files, 'openings.complete', /no leaf sealed before it/);
  });

  it('refuses an opening of a leaf that the log withholds', async () => {
    let hidden = 0;
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          hidden = story.log.seal('SDX-2026-0001', 'event', utf8Encode('{}'));
          step('notify')(story);
        },
        open: (story) => {
          for (const index of story.log.openings.keys()) {
            if (index !== hidden) story.log.add({ type: 'opened', index });
          }
          story.log.add({ type: 'withheld', first: hidden, last: hidden, reason: 'other' });
        },
      },
      edit: (parts, { log }) => {
        const opening = log.openings.get(hidden) ?? new Uint8Array();
        return { ...parts, openings: new Map([...parts.openings, [hidden, opening]]) };
      },
    });
    await assertFails(files, 'openings.complete', /is not opened in the log/);
  });

  it('refuses an opening of what was sealed after the disclosure', async () => {
    const { files } = await tellStory({
      instead: {
        open: async (story) => {
          story.log.seal('SDX-2026-0001', 'event', utf8Encode('{}'));
          await step('open')(story);
        },
      },
    });
    await assertFails(files, 'openings.complete', /was sealed after the disclosure/);
  });

  /** Four dummies after the notices, and the claims that the log makes about sealed leaves. */
  const withDummies = (claim: (story: Story, dummies: { first: number; last: number }) => void) =>
    tellStory({
      instead: {
        notify: (story) => {
          for (let n = 0; n < 4; n++) story.log.addDummy();
          step('notify')(story);
        },
        open: (story) => {
          const opened = [...story.log.openings.keys()];
          const all = story.log.leaves.flatMap((leaf, at) =>
            leaf.startsWith('sealed/') && !story.log.openings.has(at) ? [at] : [],
          );
          for (const index of opened) story.log.add({ type: 'opened', index });
          claim(story, { first: all[0] ?? 0, last: all.at(-1) ?? 0 });
        },
      },
    });

  it('counts dummies, which were withheld before or were not', async () => {
    for (const isWithheldFirst of [false, true]) {
      const { files } = await withDummies(({ log }, dummies) => {
        if (isWithheldFirst) log.add({ type: 'withheld', ...dummies, reason: 'other' });
        log.add({ type: 'dummy', ...dummies });
      });
      await assertGood(files);
      const complete = (await audit(files)).find(({ id }) => id === 'openings.complete');
      assert.match(complete?.detail ?? '', /opened, 4 dummies$/);
    }
  });

  it('refuses what is no dummy, is one twice, or stays sealed beside one', async () => {
    const claims: [RegExp, (story: Story, dummies: { first: number; last: number }) => void][] = [
      [
        /is sealed to this day/,
        ({ log }, { first }) => log.add({ type: 'dummy', first, last: first }),
      ],
      [
        /accounts for no leaf sealed before it/,
        ({ log }, dummies) => {
          log.add({ type: 'dummy', ...dummies });
          const first = log.leaves.length - 1;
          log.add({ type: 'dummy', first, last: 2 ** 50 });
        },
      ],
      [
        /is accounted for twice/,
        ({ log }, dummies) => {
          log.add({ type: 'dummy', ...dummies });
          log.add({ type: 'dummy', ...dummies });
        },
      ],
      [
        /is accounted for twice/,
        ({ log }, dummies) => {
          log.add({ type: 'dummy', ...dummies });
          log.add({ type: 'withheld', ...dummies, reason: 'other' });
        },
      ],
    ];
    for (const [message, claim] of claims) {
      const { files } = await withDummies(claim);
      await assertFails(files, 'openings.complete', message);
    }
    const hidden = await tellStory({
      instead: {
        open: (story) => {
          const [first = 0, ...rest] = story.log.openings.keys();
          for (const index of rest) story.log.add({ type: 'opened', index });
          story.log.add({ type: 'dummy', first, last: first });
        },
      },
    });
    await assertFails(hidden.files, 'openings.complete', /is no dummy/);
    const unopened = await tellStory({
      instead: {
        notify: (story) => {
          const first = story.log.addDummy();
          step('notify')(story);
          story.log.add({ type: 'dummy', first, last: first });
        },
      },
      edit: (parts) => ({ ...parts, dummies: '' }),
    });
    await assertFails(unopened.files, 'openings.complete', /dummies.txt does not open leaf/);
  });

  it('lets a leaf be withheld first and opened later', async () => {
    const { files } = await tellStory({
      instead: {
        open: async (story) => {
          const first = story.enrolments[0]?.index ?? 0;
          story.log.add({ type: 'withheld', first, last: first, reason: 'other' });
          await step('open')(story);
        },
      },
    });
    await assertGood(files);
  });
});

describe('audit against a server that makes things up', () => {
  it('refuses an operator that no validator vouches for', async () => {
    const stranger = makeOperator(1n);
    const { files } = await tellStory({
      instead: {
        enrol: (story) => {
          step('enrol')(story);
          const forged = { ...stranger, validators: [] };
          const victim = story.operators[2]?.validators[0];
          assert.ok(victim);
          story.enrol(forged, (enrolment) => ({
            ...enrolment,
            proofs: [
              {
                validator: victim.identity,
                scheme: 'solana-offchain-legacy',
                signature: '1'.repeat(64),
              },
            ],
          }));
        },
      },
    });
    await assertFails(files, 'enrolments.proofs', /proof of .* does not hold/);
  });

  it('refuses an enrolment with another network or service', async () => {
    const contexts = [
      { network: 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY' },
      { origin: 'elsewhere.example.org/log' },
    ];
    for (const context of contexts) {
      const { files } = await tellStory({
        instead: {
          enrol: (story) => {
            for (const operator of story.operators) story.enrol(operator, undefined, context);
          },
        },
      });
      await assertFails(files, 'enrolments.proofs', /is for another (network|service)/);
    }
  });

  it('refuses a directive that the log does not have', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          const index = story.log.leaves.length;
          step('notify')(story);
          forgetLeaf(story, index);
        },
      },
    });
    await assertFails(files, 'openings.content', /directive .* is not in the log/);
  });

  it('refuses a statement by a key that never enrolled', async () => {
    const stranger = makeOperator(60n);
    const { files } = await tellStory({
      instead: {
        attest: (story) => {
          story.say(stranger, 'attest');
        },
      },
    });
    await assertFails(files, 'statements.signatures', /by nobody who enrolled/);
  });

  it('refuses a statement in the name of an operator who did not sign it', async () => {
    const { files } = await tellStory({
      instead: {
        attest: (story) => {
          const [operator] = story.operators;
          assert.ok(operator);
          const impostor = {
            ...signerFromSeed(generateSeed()),
            publicKey: operator.signer.publicKey,
          };
          story.say({ ...operator, signer: impostor }, 'attest');
        },
      },
    });
    await assertFails(files, 'statements.signatures', /does not verify/);
  });

  it('refuses an enrolment that came after its operator had spoken', async () => {
    const { files } = await tellStory({
      instead: {
        enrol: (story) => {
          for (const operator of story.operators.slice(1)) story.enrol(operator);
        },
        adopt: (story) => {
          const [first] = story.operators;
          assert.ok(first);
          story.enrol(first);
          step('adopt')(story);
        },
      },
    });
    await assertFails(files, 'statements.signatures', /logged before its operator enrolled/);
  });

  it('refuses a repeated statement, and one whose counter does not rise', async () => {
    const replayed = await tellStory({
      instead: {
        arm: (story) => {
          const last = story.statements.at(-1);
          assert.ok(last);
          const content = encodeEnvelope(last.envelope);
          const index = story.log.seal(CAMPAIGN, 'statement', content);
          story.statements.push({ ...last, seq: last.seq + 1, index });
          step('arm')(story);
        },
      },
    });
    await assertFails(replayed.files, 'openings.content', /repeats another one/);
    const stale = await tellStory({
      instead: {
        attest: (story) => {
          for (const operator of story.operators.slice(0, 2)) {
            story.say(operator, 'attest', (it) => ({ ...it, counter: 1 }));
          }
        },
      },
    });
    await assertFails(stale.files, 'statements.order', /does not raise its counter/);
  });

  it('refuses an attestation of a variant that the plan does not have', async () => {
    const { files } = await tellStory({
      instead: {
        attest: (story) => {
          for (const operator of story.operators.slice(0, 2)) {
            story.say(operator, 'attest', (it) => ({ ...it, variant: 'firedancer' }));
          }
        },
      },
    });
    await assertFails(files, 'statements.signatures', /variant that the plan does not have/);
  });

  it('refuses statements that are numbered or ordered in another way than accepted', async () => {
    const numbered = await tellStory({
      edit: (parts) => ({
        ...parts,
        statements: parts.statements.map((it) => ({ ...it, seq: it.seq + 1 })),
      }),
    });
    await assertFails(numbered.files, 'statements.order', /statement 2 is not number 1/);
    const ordered = await tellStory({
      edit: (parts) => ({
        ...parts,
        statements: parts.statements.toReversed().map((it, i) => ({ ...it, seq: i + 1 })),
      }),
    });
    await assertFails(ordered.files, 'statements.order', /not in the log’s order/);
  });

  it('refuses a statement about another campaign, network, revision or document', async () => {
    const tweaks = [
      { campaign: 'SDX-2026-AAAA' },
      { network: 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY' },
      { revision: 2 },
      { subject: { name: 'release.txt', sha256: 'a'.repeat(64) } },
    ];
    for (const tweak of tweaks) {
      const { files } = await tellStory({
        instead: {
          attest: (story) => {
            for (const operator of story.operators.slice(0, 2)) {
              story.say(operator, 'attest', (it) => ({ ...it, ...tweak }));
            }
          },
        },
      });
      await assertFails(files, 'statements.signatures', /another/);
    }
  });

  it('refuses an adoption that the statements do not bear out', async () => {
    const { files } = await tellStory({
      instead: {
        attest: (story) => {
          const [first] = story.operators;
          assert.ok(first);
          story.say(first, 'attest');
        },
      },
    });
    await assertFails(files, 'adoption.gate', /the gate was never passed/);
  });

  it('is not convinced by exactly two thirds', async () => {
    const above = await tellStory({ stakes: [[40n], [27n], [33n]] });
    await assertGood(above.files);
    const exactly = await tellStory({ stakes: [[40n], [26n], [33n]] });
    await assertFails(exactly.files, 'adoption.gate', /the gate was never passed/);
  });

  it('refuses an adoption dated before the statement that passed the gate', async () => {
    const { files } = await tellStory({
      instead: {
        attest: (story) => {
          step('adopt')(story);
          step('attest')(story);
        },
        adopt: () => undefined,
      },
    });
    await assertFails(files, 'adoption.gate', /adopted before the gate was passed/);
  });

  it('refuses a gate passed only after the decision to disclose', async () => {
    const { files } = await tellStory({
      instead: {
        attest: () => undefined,
        adopt: () => undefined,
        disclose: (story) => {
          step('disclose')(story);
          step('attest')(story);
          step('adopt')(story);
        },
      },
    });
    await assertFails(files, 'adoption.gate', /only after the decision/);
  });

  it('refuses a tally that counts otherwise', async () => {
    const { files } = await tellStory({
      edit: (parts) => {
        const { tally } = parts.adoption;
        const attested = { ...tally.attested, stake: tally.attested.stake + 1n };
        return { ...parts, adoption: { ...parts.adoption, tally: { ...tally, attested } } };
      },
    });
    await assertFails(files, 'adoption.tally', /something else/);
  });

  it('refuses another stake snapshot', async () => {
    const other = await tellStory();
    const { files } = await tellStory({
      edit: (parts) => ({ ...parts, snapshotBytes: other.story.sealed.snapshotBytes }),
    });
    await assertFails(files, 'adoption.snapshot', /another snapshot/);
  });

  it('refuses a snapshot of another network or moment than the plan says', async () => {
    const network = 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY';
    const elsewhere = await tellStory({ seal: { snapshot: { network } } });
    await assertFails(elsewhere.files, 'adoption.snapshot', /another network/);
    const later = await tellStory({ seal: { snapshot: { point: 'epoch 861' } } });
    await assertFails(later.files, 'adoption.snapshot', /another moment/);
  });

  it('misses the event of an adoption that officers acted upon', async () => {
    const { files } = await tellStory({ instead: { adopt: () => undefined } });
    await assertFails(files, 'adoption.gate', /does not say when it was adopted/);
  });

  it('refuses to be told adopted in a campaign that was disclosed without', async () => {
    const { files } = await tellStory({
      instead: {
        attest: () => undefined,
        disclose: (story) => {
          story.decide('disclose', {
            tweak: (it) => ({ ...it, from: 'released', override: true, reason: 'it leaked' }),
          });
        },
      },
    });
    await assertFails(files, 'adoption.gate', /server says adopted, but the gate was never passed/);
  });

  it('refuses an event in another encoding, or of an unknown type', async () => {
    const events = [
      utf8Encode('{"seq":1, "at":"2026-11-17T09:00:00.000Z","type":"created","detail":""}'),
      encodeJson({ seq: 1, at: '2026-11-17T09:00:00.000Z', type: 'approved', detail: '' }),
    ];
    for (const content of events) {
      const { files } = await tellStory({
        instead: {
          enrol: (story) => {
            story.log.seal(CAMPAIGN, 'event', content);
            step('enrol')(story);
          },
        },
      });
      await assertFails(files, 'openings.content', /encoding_invalid/);
    }
  });
});

describe('audit against a server with two histories', () => {
  it('notices a checkpoint that an operator saw and this log never had', async () => {
    const { files, story } = await tellStory({
      instead: {
        acknowledge: (story) => {
          const other = { size: 5, root: toBase64(generateSeed()) };
          for (const operator of story.operators) {
            story.say(operator, 'ack', (it) => ({ ...it, checkpoint: other }));
          }
        },
      },
    });
    const kept: TestimonyEvidence[] = [];
    const keep = (evidence: TestimonyEvidence): Promise<string> =>
      Promise.resolve(`evidence/${kept.push(evidence)}`);
    const told = (await failuresOf(files, { keep })).get('statements.checkpoints') ?? '';
    assert.match(
      told,
      /statement 1: operator [0-9a-f]{64} saw the root .* at size 5, and this log/,
    );
    assert.match(told, /kept: 3, the first in evidence\/1; .* \(checkpoint_contradicted\)$/);
    const log = parseVerifierKey(formatVerifierKey(ORIGIN, NOTE_ED25519, story.logKey.publicKey));
    const vouched = kept.map((it) => verifyTestimony(it, { log, witnesses: [] }).vouched);
    const identities = story.operators.map((it) => it.validators.map(({ identity }) => identity));
    assert.deepEqual(vouched, identities);
  });

  it('notices a checkpoint from the future', async () => {
    const { files } = await tellStory({
      instead: {
        acknowledge: (story) => {
          const later = { size: 1_000_000, root: toBase64(generateSeed()) };
          for (const operator of story.operators) {
            story.say(operator, 'ack', (it) => ({ ...it, checkpoint: later }));
          }
        },
      },
    });
    await assertFails(
      files,
      'statements.checkpoints',
      /at size 1000000, and this log has \d+ leaves/,
    );
  });

  it('refuses a checkpoint by another key, of another log, or over other leaves', async () => {
    const other = await tellStory();
    const { files } = await tellStory({
      edit: (parts) => ({ ...parts, checkpoint: other.parts.checkpoint }),
    });
    await assertFails(files, 'log.checkpoint', /no|sign/);
    const short = await tellStory({
      edit: async (parts, story) => {
        const size = story.log.leaves.length;
        story.log.leaves[size - 1] = formatLeaf({ type: 'snapshot', sha256: '1'.repeat(64) });
        return { ...parts, checkpoint: (await story.log.publish()).checkpoint };
      },
    });
    await assertFails(short.files, 'log.root', /another root/);
  });

  it('misses the root of trust in the log', async () => {
    const { files } = await tellStory({
      instead: {
        enrol: (story) => {
          forgetLeaf(story, 0);
          step('enrol')(story);
        },
      },
    });
    await assertFails(files, 'announced.roots', /root 1 is not in the log/);
  });

  it('refuses another root of trust in the log', async () => {
    const { files } = await tellStory({
      instead: {
        commit: (story) => {
          story.log.add({ type: 'root', version: 1, sha256: 'e'.repeat(64) });
          step('commit')(story);
        },
      },
    });
    await assertFails(files, 'announced.roots', /announces another root 1/);
    const unknown = await tellStory({
      instead: {
        commit: (story) => {
          story.log.add({ type: 'root', version: 2, sha256: 'e'.repeat(64) });
          step('commit')(story);
        },
      },
    });
    await assertFails(unknown.files, 'announced.roots', /root 2 is in the log, but not here/);
  });
});

describe('audit against a server that plays with time', () => {
  it('refuses a commitment announced only after the notices went out', async () => {
    const { files } = await tellStory({
      instead: {
        commit: (story) => {
          story.event('created', 'plan');
          story.decide('commit');
        },
        acknowledge: (story) => {
          story.log.add({ type: 'commitment', sha256: story.sealed.plan.commitment });
          step('acknowledge')(story);
        },
      },
    });
    await assertFails(files, 'order.log', /the commitment .* is not before the notices/);
  });

  it('refuses a commitment that is not in the log at all', async () => {
    const { files } = await tellStory({
      instead: {
        commit: (story) => {
          story.event('created', 'plan');
          story.decide('commit');
        },
      },
    });
    await assertFails(files, 'announced.commitment', /does not announce the commitment/);
  });

  it('refuses a stake snapshot announced only after the plan that pins it', async () => {
    const { files } = await tellStory({
      instead: {
        enrol: (story) => {
          forgetLeaf(story, 1);
          step('enrol')(story);
        },
        notify: (story) => {
          story.log.add({ type: 'snapshot', sha256: story.sealed.plan.snapshot.sha256 });
          step('notify')(story);
        },
      },
    });
    await assertFails(files, 'order.log', /the stake snapshot .* is not before the commit/);
  });

  it('refuses a commitment announced only after the arming, where no notice went out', async () => {
    const { files } = await tellStory({
      instead: {
        commit: (story) => {
          story.event('created', 'plan');
          story.decide('commit');
        },
        notify: () => undefined,
        acknowledge: () => undefined,
        arm: (story) => {
          story.decide('arm', { tweak: (it) => ({ ...it, from: 'committed' }) });
          story.log.add({ type: 'commitment', sha256: story.sealed.plan.commitment });
        },
      },
    });
    await assertFails(files, 'order.log', /the commitment .* is not before the arming/);
  });

  it('refuses acknowledgements before the notices went out', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          step('acknowledge')(story);
          step('notify')(story);
        },
        acknowledge: () => undefined,
      },
    });
    await assertFails(files, 'order.log', /the notices .* is not before statement 1/);
  });

  it('refuses release shares before the arming', async () => {
    const { files } = await tellStory({
      instead: {
        acknowledge: async (story) => {
          for (const officer of ['ada', 'bo']) await story.publishShare(officer, 'release');
        },
        release: (story) => {
          story.now = Date.parse(RELEASE_TIME);
        },
      },
    });
    await assertFails(files, 'order.log', /the arming .* is not before the share of ada/);
  });

  it('refuses attestations of a patch that was never released', async () => {
    const { files } = await tellStory({
      instead: {
        release: (story) => {
          story.now = Date.parse(RELEASE_TIME);
        },
      },
    });
    await assertFails(files, 'order.log', /the patch was never released/);
  });

  it('refuses a disclosure before it was decided', async () => {
    const { files } = await tellStory({
      instead: {
        disclose: (story) => {
          const { campaign, commitment } = story.sealed.plan;
          story.log.add({ type: 'disclosure', campaign, commitment });
          step('disclose')(story);
        },
        close: async (story) => {
          for (const officer of ['bo', 'cy']) await story.publishShare(officer, 'closing');
        },
      },
    });
    await assertFails(files, 'order.log', /the decision .* is not before the disclosure/);
  });

  it('refuses directives in another order than the log has them', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          const last = story.log.leaves.length;
          step('notify')(story);
          exchangeLeaves(story, story.enrolments.length + 3, last);
        },
      },
    });
    await assertFails(files, 'order.log', /directive 2 is logged before 1/);
  });

  it('refuses release shares before the release time', async () => {
    const { files } = await tellStory({
      instead: {
        release: async (story) => {
          for (const officer of ['ada', 'bo']) await story.publishShare(officer, 'release');
          story.now = Date.parse(RELEASE_TIME);
        },
      },
    });
    await assertFails(files, 'order.times', /before the release time/);
  });

  it('refuses attestations before the release', async () => {
    const { files } = await tellStory({
      instead: {
        acknowledge: (story) => {
          step('attest')(story);
        },
        attest: () => undefined,
      },
    });
    await assertFails(files, 'order.log', /the release .* is not before statement 1/);
  });

  it('refuses closing shares before the decision to disclose', async () => {
    const { files } = await tellStory({
      instead: {
        adopt: async (story) => {
          step('adopt')(story);
          await story.publishShare('ada', 'closing');
        },
      },
    });
    await assertFails(files, 'order.log', /the share of ada/);
  });

  it('refuses a time of completion that the log does not bear out', async () => {
    const { files } = await tellStory({
      edit: (parts) => ({
        ...parts,
        directives: parts.directives.map(({ envelope, completedAt }) => ({
          envelope,
          completedAt: completedAt.replace('.000Z', '.001Z'),
        })),
      }),
    });
    await assertFails(files, 'order.times', /directive 1 was completed at another time/);
  });

  it('refuses a disclosure of another commitment, none, and two', async () => {
    const leaf = { type: 'disclosure', campaign: CAMPAIGN, commitment: 'd'.repeat(64) } as const;
    const other = await tellStory({
      instead: {
        close: (story) => {
          story.log.add(leaf);
        },
      },
    });
    await assertFails(other.files, 'openings.disclosure', /another commitment/);
    const none = await tellStory({ instead: { close: () => undefined } });
    await assertFails(none.files, 'openings.disclosure', /does not say/);
    const two = await tellStory({
      instead: {
        close: async (story) => {
          await step('close')(story);
          await step('close')(story);
        },
      },
    });
    await assertFails(two.files, 'openings.disclosure', /twice/);
  });
});

describe('audit of a log with other campaigns in it', () => {
  it('accepts openings of a campaign that is disclosed as well, and hides none of it', async () => {
    const { files } = await tellStory({
      instead: {
        notify: (story) => {
          story.log.seal('SDX-2026-0001', 'event', utf8Encode('anything'));
          step('notify')(story);
        },
      },
    });
    await assertGood(files);
  });
});
