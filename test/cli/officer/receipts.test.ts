import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { MERGE_DELAY_MS } from '../../../protocol/log/receipt.ts';
import { encodeEnvelope, parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { fromBase64 } from '../../../protocol/encoding/bytes.ts';
import { parseOpening, type Opening } from '../../../protocol/log/opening.ts';
import { sealWithReceipt } from '../../../server/services/sealing.ts';
import { writeLog, type LogFiles } from '../log/support/served-log.ts';
import {
  leafOf,
  logSigner,
  publishWithout,
  servedFrom,
  vkeyOf,
} from '../receipts/support/dishonest-log.ts';
import { lying } from './support/lying.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

const FIRST = 'SDX-2026-R001';
const SECOND = 'SDX-2026-R002';

let stage: Stage;
before(async () => {
  stage = await startStage();
});
after(() => stage[Symbol.asyncDispose]());

const receiptPath = (officer: string, id: string, sequence: number): string =>
  join(stage.folder, `home-${officer}`, 'receipts', `${id}.directive-${sequence}.json`);
const receiptOf = (officer: string, id: string, sequence: number): Promise<string> =>
  readFile(receiptPath(officer, id, sequence), 'utf8');
const noReceipt = (officer: string, id: string, sequence: number): Promise<void> =>
  assert.rejects(receiptOf(officer, id, sequence), { code: 'ENOENT' });

interface ReceiptJson {
  readonly receipt: string;
  readonly opening: string;
  readonly after?: number;
}
const parsed = (text: string): ReceiptJson => JSON.parse(text) as ReceiptJson;

describe('the receipt of a directive', () => {
  let path: string;
  const approve = (overrides: Parameters<Stage['run']>[3] = {}): Promise<Run> =>
    stage.run('bo', `approve ${FIRST}`, { draft: draftPath(path, 'bo'), yes: true }, overrides);

  it('is not taken from a server that gives none, or one for something else', async () => {
    await stage.bring(SECOND, 'committed');
    const foreign = parsed(await receiptOf('bo', SECOND, 1));
    path = await stage.bring(FIRST, 'draft');
    const log = await logSigner(stage.server);
    const promised = (change: (opening: Opening) => Opening) => (answer: ReceiptJson) => {
      const { opening } = answer;
      const content = change(parseOpening(fromBase64(opening)));
      return sealWithReceipt(log, stage.now(), content.campaign, content.kind, content.content);
    };
    const wrong: Record<string, (receipt: ReceiptJson) => ReceiptJson> = {
      'of another campaign': () => foreign,
      'with another opening': ({ receipt }) => ({ ...foreign, receipt }),
      'that the log has not signed': ({ receipt, opening }) => ({
        receipt: receipt.replace(/20\d\d-/, '1999-'),
        opening,
      }),
      'for too few signatures': promised((opening) => {
        const { payload, signatures } = parseEnvelope(opening.content);
        const content = encodeEnvelope({ payload, signatures: signatures.slice(1) });
        return { ...opening, content };
      }),
      'that would be opened with another campaign': promised((opening) => ({
        ...opening,
        campaign: SECOND,
      })),
    };
    const meddled = (
      change: (receipt: ReceiptJson) => ReceiptJson | null,
    ): { fetch: typeof fetch } => ({
      fetch: lying(/\/directives$/, (body) => {
        const answer = JSON.parse(body) as { receipt?: ReceiptJson };
        if (answer.receipt === undefined) return body;
        return JSON.stringify({ ...answer, receipt: change(answer.receipt) });
      }),
    });
    await noReceipt('ada', FIRST, 1);
    await assert.rejects(approve(meddled(() => null)), { code: 'proof_invalid' });
    await noReceipt('bo', FIRST, 1);
    // It is done by now, so the receipt is asked for before anything else; that is no reason to stop.
    for (const [what, change] of Object.entries(wrong)) {
      const { stderr } = await approve(meddled(change));
      assert.match(stderr, /no receipt for directive 1/, what);
      await noReceipt('bo', FIRST, 1);
    }
    const { stderr } = await approve();
    assert.doesNotMatch(stderr, /no receipt/);
    assert.equal(parsed(await receiptOf('bo', FIRST, 1)).after, 0);
  });

  it('is one for all who signed, also those who did so before it was completed', async () => {
    await noReceipt('ada', FIRST, 1);
    await stage.server.restart();
    await stage.run('ada', `inspect ${FIRST}`);
    const own = parsed(await receiptOf('ada', FIRST, 1));
    const other = parsed(await receiptOf('bo', FIRST, 1));
    assert.deepEqual([own.receipt, own.opening], [other.receipt, other.opening]);
    const { content } = parseOpening(fromBase64(own.opening));
    assert.equal(parseEnvelope(content).signatures.length, 2);
    await stage.run('cy', `inspect ${FIRST}`);
    await noReceipt('cy', FIRST, 1);
  });

  it('becomes a proof like any other', async () => {
    await stage.server.sequence();
    const { summary } = await stage.run('ada', 'receipt collect');
    const collected = summary['collected'] as string[];
    const file = receiptPath('ada', FIRST, 1).replace(/json$/, 'tlog-proof');
    assert.ok(collected.includes(file), collected.join());
    const verified = await stage.run('ada', `receipt verify ${file}`);
    const { kind, campaign, proof } = verified.summary;
    assert.deepEqual([kind, campaign, proof !== null], ['directive', FIRST, true]);
  });

  it('proves that a log has dropped a decision, and accuses no other', async () => {
    await stage.run('ada', `notify ${FIRST}`, { draft: draftPath(path, 'ada') });
    await approve();
    const dropped = receiptPath('bo', FIRST, 2);
    await stage.server.sequence();
    const dishonest: LogFiles = new Map();
    await publishWithout(dishonest, stage.server, leafOf(await readFile(dropped, 'utf8')));
    stage.advanceTo(stage.now() + MERGE_DELAY_MS + 1000);
    const honest = await stage.run('ada', 'receipt check');
    assert.deepEqual([honest.summary['result'], honest.summary['omitted']], ['pass', []]);

    const deceived = { fetch: servedFrom(dishonest) };
    await assert.rejects(
      stage.run('bo', 'receipt check', {}, deceived),
      (error) => exitCodeOf(error) === 6 && /1 of 3 receipts/.test(String(error)),
    );
    const evidence = join(stage.folder, 'home-bo', 'evidence');
    const [file = '', ...more] = await readdir(evidence);
    assert.deepEqual(more, []);
    const found = join(evidence, file);
    const { kind, receipt } = JSON.parse(await readFile(found, 'utf8')) as {
      kind: string;
      receipt: string;
    };
    assert.deepEqual([kind, receipt], ['omitted', parsed(await readFile(dropped, 'utf8')).receipt]);

    // Anybody can check it, and a decision that is in this very log is not evidence.
    const folder = join(stage.folder, 'shown');
    await writeLog(folder, dishonest);
    const forged = join(stage.folder, 'forged.json');
    const logged = parsed(await receiptOf('bo', FIRST, 1)).receipt;
    await writeFile(
      forged,
      (await readFile(found, 'utf8')).replace(JSON.stringify(receipt), JSON.stringify(logged)),
    );
    const options = { compare: true, key: vkeyOf(stage.server) };
    const compare = (evidenceFile: string): Promise<unknown> =>
      stage.run('nobody', `audit ${evidenceFile} ${folder}`, options);
    await assert.rejects(
      compare(found),
      (error) => exitCodeOf(error) === 6 && !('code' in (error as object)),
    );
    await assert.rejects(compare(forged), { code: 'proof_invalid' });
  });
});
