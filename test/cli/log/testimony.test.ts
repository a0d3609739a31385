import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { runCommand } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { InterruptedError } from '../../../cli/errors.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { toBase58, toBase64, toHex } from '../../../protocol/encoding/bytes.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { NO_CAMPAIGN } from '../../../protocol/log/opening.ts';
import { encodeEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import {
  encodeEnrolment,
  enrolmentText,
  type EnrolmentFields,
} from '../../../protocol/statement/enrolment.ts';
import { encodeOperatorStatement } from '../../../protocol/statement/operator.ts';
import { legacyOffchainMessage } from '../../../protocol/statement/solana-offchain.ts';
import { NETWORK } from '../../protocol/trust/network.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { serveFiles, type TestServer } from '../support/static-server.ts';
import { CAMPAIGN, serveOpened } from './support/disclosed.ts';
import { LOG_SIGNER, LOG_VKEY, type LogFiles } from './support/served-log.ts';
import { openTestLog, type TestLog } from './support/test-log.ts';

const operator = signerFromSeed(generateSeed());
const validator = signerFromSeed(generateSeed());
const identity = toBase58(Buffer.from(validator.publicKey, 'hex'));

const files: LogFiles = new Map();
let server: TestServer;
let log: TestLog;
/** Leaves that were sealed. */
let sealed: number[];

before(async () => {
  server = await serveFiles(files);
});
after(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  files.clear();
  log = openTestLog(LOG_SIGNER);
  sealed = [enrol()];
  for (let i = 0; i < 300; i++) log.addDummy();
});

function enrol(): number {
  const fields: EnrolmentFields = {
    network: NETWORK,
    origin: LOG_SIGNER.name,
    operator: operator.publicKey,
    openpgp: 'A'.repeat(40),
    nonce: toHex(generateSeed()),
    issuedAt: '2026-11-17T09:00:00Z',
  };
  const signature = validator.sign(legacyOffchainMessage(enrolmentText(fields, identity)));
  const proofs = [
    { validator: identity, scheme: 'solana-offchain-legacy', signature: toBase58(signature) },
  ] as const;
  const envelope = signEnvelope(encodeEnrolment({ ...fields, proofs }), operator);
  return log.seal(NO_CAMPAIGN, 'enrolment', encodeEnvelope(envelope));
}

/** An acknowledgement by an operator who says to have seen this. */
function say(size: number, root: Uint8Array, signer = operator): void {
  const payload = encodeOperatorStatement({
    kind: 'ack',
    subject: { name: 'notice.txt', sha256: 'b'.repeat(64) },
    campaign: CAMPAIGN,
    network: NETWORK,
    revision: 1,
    validators: [identity],
    counter: sealed.length,
    checkpoint: { size, root: toBase64(root) },
    issuedAt: '2026-11-18T09:00:00Z',
  });
  const envelope = signEnvelope(payload, signer);
  sealed.push(log.seal(CAMPAIGN, 'statement', encodeEnvelope(envelope)));
}

async function disclose(): Promise<void> {
  log.add({ type: 'disclosure', campaign: CAMPAIGN, commitment: 'a'.repeat(64) });
  for (const index of sealed) log.add({ type: 'opened', index });
  await serveOpened(files, log, sealed);
}

const audit = (context: TestContext, args: readonly string[], options = {}): Promise<void> => {
  context.said.stdout = '';
  return runCommand(auditCommand, { args, options: { key: LOG_VKEY, ...options } }, context);
};

async function refusal(run: Promise<void>): Promise<string> {
  const error: unknown = await run.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  assert.equal(exitCodeOf(error), 6);
  const { code = '', message } = error as { code?: string; message: string };
  return `${code} ${message}`;
}

async function evidenceOf({ home }: TestContext): Promise<string[]> {
  const names = await readdir(join(home, 'evidence')).catch(() => []);
  return names.map((name) => join(home, 'evidence', name));
}

const FALSE_ROOT = new Uint8Array(32).fill(7);

describe('audit URL of what operators say to have seen', () => {
  it('finds nothing where they have seen this log', async () => {
    for (const size of [0, 1, 128, 256, 300]) say(size, size ? log.root(size) : EMPTY_ROOT);
    await disclose();
    await using context = await testContext({ json: true });
    await audit(context, [server.url]);
    assert.equal(context.said.summary()['contradicted'], 0);
    assert.deepEqual(await evidenceOf(context), []);
  });

  it('keeps the statement of one who saw another, as evidence that holds offline', async () => {
    say(200, log.root(200));
    say(200, FALSE_ROOT);
    await disclose();
    await using context = await testContext({ json: true });
    const reason = await refusal(audit(context, [server.url]));
    assert.match(reason, /^checkpoint_contradicted /);
    for (const part of [operator.publicKey, 'size 200', FALSE_ROOT, log.root(200)]) {
      assert.ok(reason.includes(typeof part === 'string' ? part : toBase64(part)), reason);
    }
    const [path = '', ...more] = await evidenceOf(context);
    assert.deepEqual(more, []);
    assert.ok(reason.includes(path));

    await using stranger = await testContext({ json: true });
    const compare = (file: string): Promise<string> =>
      refusal(audit(stranger, [file], { compare: true }));
    assert.match(await compare(path), /another history/);
    const summary = stranger.said.summary();
    assert.equal(summary['result'], 'contradicted');
    assert.deepEqual(summary['validators'], [identity]);
    assert.deepEqual(summary['named'], { size: 200, root: toBase64(FALSE_ROOT) });
    assert.equal(summary['ours'], toBase64(log.root(200)));

    // What of it could be forged: the statement, who made it, the log, and what the log had there.
    const evidence = JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
    const forged = async (changes: object, expected: RegExp): Promise<void> => {
      const file = join(stranger.home, 'forged.json');
      await writeFile(file, JSON.stringify({ ...evidence, ...changes }));
      assert.match(await compare(file), expected);
    };
    const statementOf = (index: number): string => {
      const opening = Buffer.from(log.openings.get(index) ?? []).toString();
      return opening.slice(opening.indexOf('{'));
    };
    const [enrolment = 0, honest = 0] = sealed;
    await forged({ statement: statementOf(honest) }, /proof_invalid .*one history/);
    await forged({ statement: statementOf(enrolment) }, /statement_invalid/);
    const payload = (JSON.parse(evidence['statement'] ?? '') as { payload: string }).payload;
    const other = signerFromSeed(generateSeed());
    const resigned = signEnvelope(Buffer.from(payload, 'base64'), other);
    const byOther = Buffer.from(encodeEnvelope(resigned)).toString();
    await forged({ statement: byOther }, /proof_invalid .*another operator/);
    await forged(
      { statement: byOther.replace(other.publicKey, operator.publicKey) },
      /signature_invalid/,
    );
    await forged({ proof: [] }, /proof_invalid/);
    await forged({ shown: openTestLog(LOG_SIGNER).note(0) }, /proof_invalid/);
    await forged({ shown: evidence['shown']?.replace('\n\n', '\n\n\n') }, /signature_invalid/);
  });

  it('takes a size that the log never had for one, and shows it by the size alone', async () => {
    say(2 ** 53 - 1, log.root(300));
    await disclose();
    await using context = await testContext({ json: true });
    const reason = await refusal(audit(context, [server.url]));
    assert.match(reason, /at size 9007199254740991, and this log has \d+ leaves/);
    const [path = ''] = await evidenceOf(context);
    // A stranger has only the word of who kept it that the log was read after the statement.
    await assert.rejects(
      audit(context, [path], { compare: true }),
      (error) => exitCodeOf(error) === 1 && /it may have grown since/.test(String(error)),
    );
  });

  it('does not take an older state of the log for a contradiction of what was seen later', async () => {
    say(200, FALSE_ROOT);
    await disclose();
    await using context = await testContext({ json: true });
    await refusal(audit(context, [server.url]));
    const [path = ''] = await evidenceOf(context);
    const evidence = JSON.parse(await readFile(path, 'utf8')) as object;
    const early = { ...evidence, shown: log.note(100), proof: [] };
    await writeFile(path, JSON.stringify(early));
    await assert.rejects(
      audit(context, [path], { compare: true }),
      (error) => exitCodeOf(error) === 1,
    );
    assert.doesNotMatch(context.said.stdout, /contradicted/);
  });

  it('goes on after it has told, counts what it told, and tells it again with --full', async () => {
    say(200, FALSE_ROOT);
    await disclose();
    await using context = await testContext({ json: true });
    await refusal(audit(context, [server.url]));
    // Accounted for later, in the same tile: nothing is heard twice.
    log.add({ type: 'dummy', first: 1, last: 300 });
    await serveOpened(files, log, sealed, log.dummyKeys(log.leaves.length));
    for (let i = 0; i < 2; i++) {
      await audit(context, [server.url]);
      assert.equal(context.said.summary()['contradicted'], 1);
    }
    assert.match(context.said.stderr, /1 statements name a checkpoint/);
    await refusal(audit(context, [server.url], { full: true }));
    assert.equal((await evidenceOf(context)).length, 2); // under two states of the log
  });

  it('keeps at most 100 files and tells five of them, however many an operator makes up', async () => {
    for (let i = 0; i < 120; i++) say(200, FALSE_ROOT.with(0, i));
    await disclose();
    await using context = await testContext({ json: true });
    const reason = await refusal(audit(context, [server.url]));
    assert.match(reason, /115 more; kept: 100/);
    assert.equal((await evidenceOf(context)).length, 100);
  });

  it('keeps what others saw, however many a single operator makes up before', async () => {
    for (let i = 0; i < 120; i++) say(200, FALSE_ROOT.with(0, i));
    const witness = signerFromSeed(generateSeed());
    say(150, FALSE_ROOT, witness);
    await disclose();
    await using context = await testContext({ json: true });
    const reason = await refusal(audit(context, [server.url]));
    assert.ok(reason.includes(witness.publicKey), reason);
    const kept = await Promise.all((await evidenceOf(context)).map((it) => readFile(it, 'utf8')));
    assert.equal(kept.length, 100);
    assert.equal(kept.filter((it) => it.includes(witness.publicKey)).length, 1);
  });

  it('refuses a log that opens an enrolment which nobody signed: it would spoil the evidence', async () => {
    const opening = Buffer.from(log.openings.get(sealed[0] ?? 0) ?? []).toString();
    const broken = opening.slice(opening.indexOf('{')).replace(/"sig":"..../, '"sig":"AAAA');
    sealed.push(log.seal(NO_CAMPAIGN, 'enrolment', Buffer.from(broken)));
    say(200, FALSE_ROOT);
    await disclose();
    await using context = await testContext({ json: true });
    assert.match(await refusal(audit(context, [server.url])), /signature_invalid/);
  });

  it('goes on following: one operator ends it for nobody', async () => {
    say(200, FALSE_ROOT);
    await disclose();
    let looks = 0;
    const sleep = (): Promise<void> => {
      looks += 1;
      return looks < 3 ? Promise.resolve() : Promise.reject(new InterruptedError());
    };
    await using context = await testContext({ json: true, sleep });
    const following = audit(context, [server.url], { follow: true, full: true });
    await assert.rejects(following, InterruptedError);
    assert.equal(looks, 3);
    assert.equal(context.said.summary()['contradicted'], 1);
    assert.equal(context.said.stderr.split('showed somebody another history').length, 2);
  });

  it('refuses a log that opens a statement which nobody signed', async () => {
    say(200, FALSE_ROOT);
    const unsigned = openTestLog(LOG_SIGNER);
    await disclose();
    await using context = await testContext({ json: true });
    const last = sealed.at(-1) ?? 0;
    const opening = Buffer.from(log.openings.get(last) ?? []).toString();
    const broken = opening.slice(opening.indexOf('{')).replace(/"sig":"..../, '"sig":"AAAA');
    const index = unsigned.seal(CAMPAIGN, 'statement', Buffer.from(broken));
    unsigned.add({ type: 'disclosure', campaign: CAMPAIGN, commitment: 'a'.repeat(64) });
    unsigned.add({ type: 'opened', index });
    await serveOpened(files, unsigned, [index]);
    assert.match(await refusal(audit(context, [server.url])), /signature_invalid/);
    assert.deepEqual(await evidenceOf(context), []);
  });
});
