import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand, type Command, type Input } from '../../../cli/command.ts';
import { auditCommand } from '../../../cli/commands/audit.ts';
import { enrollCommand } from '../../../cli/commands/enroll.ts';
import { receiptCheckCommand } from '../../../cli/commands/receipt-check.ts';
import { receiptCollectCommand } from '../../../cli/commands/receipt-collect.ts';
import { receiptVerifyCommand } from '../../../cli/commands/receipt-verify.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { MERGE_DELAY_MS } from '../../../protocol/log/receipt.ts';
import { parseTlogProof } from '../../../protocol/log/tlog-proof.ts';
import { writeLog, type LogFiles } from '../log/support/served-log.ts';
import { urlOf } from '../operator/support/meddling.ts';
import { openOutpost, type Outpost } from '../operator/support/outpost.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { leafOf, publishWithout, servedFrom, vkeyOf } from './support/dishonest-log.ts';

let outpost: Outpost;
let machine: TestContext;

before(async () => {
  outpost = await openOutpost();
  machine = await outpost.enrolled({ json: true });
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await outpost[Symbol.asyncDispose]();
});

interface Outcome {
  readonly exit: number;
  readonly code?: string;
  readonly summary: Record<string, unknown> | undefined;
}

async function run(
  command: Command,
  context: TestContext,
  input: Partial<Input> = {},
): Promise<Outcome> {
  context.said.stdout = '';
  const outcome = await runCommand(command, input, context).then(
    () => ({ exit: 0 }),
    (error: unknown) => {
      const { code } = error as { code?: string };
      return { exit: exitCodeOf(error), ...(code !== undefined && { code }) };
    },
  );
  const summary = context.said.events().find((it) => it.message_type === 'summary');
  return { ...outcome, summary };
}

const receiptsOf = async (home: string, extension: string): Promise<string[]> => {
  const names = await readdir(join(home, 'receipts'));
  return names.filter((it) => it.endsWith(extension)).map((it) => join(home, 'receipts', it));
};

const unreachable: typeof fetch = () => {
  throw new Error('nothing may be asked here');
};

describe('receipts', () => {
  it('are promises until the log has published the leaf', async () => {
    const [path = ''] = await receiptsOf(machine.home, '.json');
    const { summary } = await run(receiptVerifyCommand, machine, { args: [path] });
    assert.deepEqual([summary?.['kind'], summary?.['proof']], ['enrolment', null]);
    await run(receiptCollectCommand, machine);
    assert.deepEqual(await receiptsOf(machine.home, '.tlog-proof'), []);
    const checked = await run(receiptCheckCommand, machine);
    assert.deepEqual([checked.exit, checked.summary?.['pending']], [0, 1]);
  });

  it('become proofs with the next checkpoint, which are checked offline', async () => {
    await outpost.server.sequence();
    const { summary } = await run(receiptCollectCommand, machine);
    const [path = '', ...more] = await receiptsOf(machine.home, '.tlog-proof');
    assert.deepEqual([summary?.['collected'], summary?.['pending'], more], [[path], 0, []]);
    await using offline = await testContext({
      json: true,
      home: machine.home,
      fetch: unreachable,
    });
    const verified = await run(receiptVerifyCommand, offline, { args: [path] });
    const { index } = parseTlogProof(await readFile(path, 'utf8'));
    assert.equal((verified.summary?.['proof'] as { index: number }).index, index);

    const again = await run(receiptCollectCommand, machine);
    assert.deepEqual([again.summary?.['collected'], again.summary?.['had']], [[], 1]);
    assert.equal((await run(receiptCheckCommand, machine)).summary?.['logged'], 1);
  });

  it('are checked by a stranger who has the two files and the key', async () => {
    await using stranger = await testContext({ json: true, fetch: unreachable });
    const [json = '', proof = ''] = [
      ...(await receiptsOf(machine.home, '.json')),
      ...(await receiptsOf(machine.home, '.tlog-proof')),
    ];
    const key = vkeyOf(outpost.server);
    const verify = (args: string[], options = { key }): Promise<Outcome> =>
      run(receiptVerifyCommand, stranger, { args, options });
    assert.equal((await verify([proof])).exit, 0);
    assert.equal((await run(receiptVerifyCommand, stranger, { args: [proof] })).exit, 2);
    const other = vkeyOf(outpost.server, signerFromSeed(new Uint8Array(32).fill(3)).publicKey);
    assert.equal((await verify([proof], { key: other })).code, 'signature_invalid');

    const folder = join(stranger.home, 'given');
    await mkdir(folder);
    const at = (extension: string): string => join(folder, `it${extension}`);
    await copyFile(json, at('.json'));
    assert.equal((await verify([at('.json')])).summary?.['proof'], null);
    assert.equal((await verify([at('.tlog-proof')])).exit, 1);
    const text = await readFile(proof, 'utf8');
    const parsed = parseTlogProof(text);
    const changes: [string, string, string][] = [
      ['another index', text.replace(/index \d+/, `index ${parsed.index + 1}`), 'proof_invalid'],
      ['no hashes', text.replace(/(index \d+\n)[^]*?\n\n/, '$1\n'), 'proof_invalid'],
      ['another size', text.replace(/\n(\d+)\n/, '\n1$1\n'), 'signature_invalid'],
      ['another file', 'c2sp.org/tlog-proof@v1\n', 'proof_invalid'],
    ];
    for (const [what, changed, code] of changes) {
      assert.notEqual(changed, text, what);
      await writeFile(at('.tlog-proof'), changed);
      assert.equal((await verify([at('.tlog-proof')])).code, code, what);
    }
    await writeFile(at('.tlog-proof'), text);
    assert.equal((await verify([at('.tlog-proof')])).exit, 0);

    const receipt = JSON.parse(await readFile(json, 'utf8')) as { opening: string };
    const opening = Buffer.from(receipt.opening, 'base64').toString('latin1');
    const changed = opening.replace(/nonce: (.)/, (_, it) => `nonce: ${it === '0' ? '1' : '0'}`);
    const hidden = { ...receipt, opening: Buffer.from(changed, 'latin1').toString('base64') };
    await writeFile(at('.json'), JSON.stringify(hidden));
    assert.equal((await verify([at('.tlog-proof')])).code, 'proof_invalid');
  });
});

describe('a log that drops what it promised', () => {
  it('is proven to, after the promised time, to somebody who has only the key', async () => {
    await using other = await openOutpost();
    await using victim = await other.enrolled({ json: true });
    const [path = ''] = await receiptsOf(victim.home, '.json');
    await other.server.sequence();
    const dropped = leafOf(await readFile(path, 'utf8'));
    const dishonest: LogFiles = new Map();
    const rewrite = (): Promise<void> => publishWithout(dishonest, other.server, dropped);
    await rewrite();
    await using deceived = await testContext({
      json: true,
      home: victim.home,
      now: other.clock.now,
      fetch: servedFrom(dishonest),
    });
    // Before the time is over it is no more than late.
    const early = await run(receiptCheckCommand, deceived);
    assert.deepEqual([early.exit, early.summary?.['pending']], [0, 1]);

    other.clock.advance(MERGE_DELAY_MS + 1000);
    const identity = other.keypairs.slice(1).map((it) => it.path);
    await runCommand(enrollCommand, { options: { identity } }, victim);
    await other.server.sequence();
    await rewrite();
    const late = await run(receiptCheckCommand, deceived);
    assert.deepEqual([late.exit, late.summary?.['result']], [6, 'omitted']);
    assert.deepEqual([late.summary?.['omitted'], late.summary?.['logged']], [[path], 1]);
    const [evidence = ''] = late.summary?.['evidence'] as string[];

    await using stranger = await testContext({ json: true });
    const folder = join(stranger.home, 'log');
    await writeLog(folder, dishonest);
    const compare = (args: string[]): Promise<Outcome> =>
      run(auditCommand, stranger, { args, options: { compare: true, key: vkeyOf(other.server) } });
    const judged = await compare([evidence, folder]);
    assert.deepEqual([judged.exit, judged.summary?.['result']], [6, 'omitted']);
    assert.match(String(judged.summary?.['lateness']), /the log itself accepted after that/);
    assert.equal((await compare([evidence])).exit, 1);

    // The honest log cannot be passed off as the one that the evidence is about.
    const honest = await compare([evidence, other.server.url]);
    assert.deepEqual([honest.code, honest.summary], ['proof_invalid', undefined]);

    // Nor does evidence hold for a leaf that is there, or with a proof of lateness of another log.
    const good = JSON.parse(await readFile(evidence, 'utf8')) as {
      receipt: string;
      later: { receipt: string; proof: string };
    };
    const forged = join(stranger.home, 'forged.json');
    const judge = async (change: object): Promise<Outcome> => {
      await writeFile(forged, JSON.stringify({ ...good, ...change }));
      return compare([forged, folder]);
    };
    assert.equal((await judge({ receipt: good.later.receipt })).code, 'proof_invalid');
    const wrong = { ...good.later, receipt: good.receipt };
    assert.equal((await judge({ later: wrong })).code, 'proof_invalid');
    const silent = await judge({ later: undefined });
    assert.deepEqual([silent.exit, silent.summary?.['lateness']], [6, null]);

    // The home has seen both logs by now, and so has proof of a fork as well.
    victim.said.stdout = '';
    assert.equal((await run(receiptCheckCommand, victim)).code, 'checkpoint_invalid');
  });

  it('is not accused when it is honest', async () => {
    outpost.clock.advance(MERGE_DELAY_MS + 1000);
    const { exit, summary } = await run(receiptCheckCommand, machine);
    assert.deepEqual([exit, summary?.['result'], summary?.['logged']], [0, 'pass', 1]);
  });

  it('is not accused by tiles that are not those it has signed', async () => {
    await using third = await openOutpost();
    await using late = await third.enrolled({ json: true });
    await third.server.sequence();
    third.clock.advance(MERGE_DELAY_MS + 1000);
    const garbled: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!new URL(urlOf(input)).pathname.startsWith('/log/tile/0/')) return answer;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return new Response(new Uint8Array(bytes.map((byte) => byte ^ 1)));
    };
    await using lied = await testContext({
      json: true,
      home: late.home,
      now: third.clock.now,
      fetch: garbled,
    });
    const { code, summary } = await run(receiptCheckCommand, lied);
    assert.deepEqual([code, summary], ['proof_invalid', undefined]);
    assert.equal((await run(receiptCheckCommand, late)).exit, 0);
  });
});
