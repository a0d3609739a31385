import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import Database from 'better-sqlite3';

import type { Input } from '../../../cli/command.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { seal } from '../../../protocol/embargo/age.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeEnvelope, parseEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import { encodePublication, parsePublication } from '../../../protocol/statement/share.ts';
import { readCustodyKey } from '../../../server/store/custody-key.ts';
import { plunder, takeFiles } from '../../faults/support/thief.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// A campaign in which the server holds one of the three shares that it takes, in order of the tests.

const ID = 'SDX-2026-CUST';
const SENTENCE =
  'SERVER CUSTODY: the server holds 1 of the 3 shares that open the patch: with 2 officers’ shares it opens';
const SECRETS = ['checked_add', 'mints tokens'];

let stage: Stage;
let path: string;
/** Commands that did not say it. */
const silent: string[] = [];

/** Run a command that is about the campaign. */
async function run(who: string, line: string, options: Input['options'] = {}): Promise<Run> {
  const done = await stage.run(who, line, options);
  if (!`${done.stderr}${done.stdout}`.includes(SENTENCE)) silent.push(line);
  return done;
}
const draftOf = (id: string): Input['options'] => ({ draft: draftPath(path, id), yes: true });
const approve = async (): Promise<void> => {
  for (const id of ['bo', 'cy']) await run(id, `approve ${ID}`, draftOf(id));
};
interface Row {
  readonly envelope: string;
}
const custodyFile = (): string => join(dirname(stage.server.dataDirectory), 'custody.key');
const homeOf = (id: string): string => join(stage.folder, `home-${id}`);

describe('a campaign in which the server holds a share', () => {
  before(async () => {
    stage = await startStage({ threshold: 3, custody: true, file: { serverCustody: 'one' } });
    await stage.enrolAs('olga');
  });
  after(() => stage[Symbol.asyncDispose]());

  it('says so to officers at every step, and who approves is told of the share', async () => {
    path = await stage.seal(ID);
    const draft = join(stage.folder, 'bo.draft');
    await run('ada', `handover ${path}`, { to: 'bo', out: draft });
    await run('ada', `propose ${path}`);
    await approve();
    for (const action of ['notify', 'arm']) {
      await run('ada', `${action} ${ID}`, { draft: draftPath(path, 'ada') });
      await approve();
    }
    const { summary } = await run('bo', `inspect ${ID}`);
    assert.equal(summary['serverCustody'], SENTENCE);
    await run('cy', `status ${ID}`);
    await run('cy', `chase ${ID}`);
    const out = join(stage.folder, 'leaked.json');
    await run('cy', `leaked ${ID}`, { prepare: true, out, reason: 'in case' });
    await run('bo', 'agent', { once: true });
    assert.deepEqual(silent, []);
  });

  it('says so to operators, in the notice too', async () => {
    await stage.server.sequence();
    const saved = join(stage.folder, 'messages');
    await run('olga', 'inbox', { save: saved });
    const list = join(saved, `${ID}.notice`, 'COMMITMENT');
    const notice = join(saved, `${ID}.notice`, 'notice.txt');
    const { summary } = await run('olga', `verify-notice ${notice}`, { list });
    assert.equal(summary['serverCustody'], SENTENCE);
    await run('olga', `ack ${ID}`);
    await run('olga', `prefetch ${ID}`);
    assert.deepEqual(silent, []);
  });

  it('opens to nobody with the disk, the custody key and the files of one officer', async () => {
    const copy = join(stage.folder, 'disk');
    await cp(stage.server.dataDirectory, copy, { recursive: true });
    await cp(custodyFile(), join(stage.folder, 'stolen', 'custody.key'));
    const take = (...ids: string[]): Promise<Buffer[]> =>
      takeFiles(copy, join(stage.folder, 'stolen'), ...ids.map(homeOf));
    const gain = (opened: readonly Buffer[]): string[] =>
      SECRETS.filter((secret) => opened.some((file) => file.includes(secret)));

    const few = await plunder(await take('ada'));
    // The server's own share came to light, and hers of both keys.
    assert.deepEqual([few.shares, gain(few.opened)], [3, []]);
    const without = await plunder(await takeFiles(copy, homeOf('ada'), homeOf('bo')));
    assert.deepEqual([without.shares, gain(without.opened)], [4, []]);
    // The attempt is a real one: with one officer more it opens the patch, and not what is announced.
    const enough = await plunder(await take('ada', 'bo'));
    assert.deepEqual([enough.shares, gain(enough.opened)], [5, ['checked_add']]);
  });

  it('is released by two officers’ agents and the server, and is told so to all', async () => {
    stage.advanceTo(stage.releaseTime);
    await stage.server.tendShares();
    await run('ada', 'agent', { once: true });
    await stage.server.tendShares();
    const early = await run('cy', `status ${ID}`);
    assert.deepEqual(early.summary['shares'], { published: ['ada'], threshold: 3, server: 1 });
    await run('bo', `share publish ${ID}`);
    await stage.server.tendShares();
    const late = await run('cy', `status ${ID}`);
    const published = ['ada', 'bo', 'server'];
    assert.deepEqual(late.summary['shares'], { published, threshold: 3, server: 1 });
    assert.deepEqual(silent, []);
  });

  it('that publishes another share than planned is named, and officers open without it', async () => {
    const database = new Database(join(stage.server.dataDirectory, 'sealdrop.sqlite'));
    const shares = `FROM publications WHERE campaign = '${ID}' AND officer = 'server'`;
    const { envelope } = database.prepare(`SELECT envelope ${shares}`).get() as Row;
    const { signer } = await readCustodyKey(custodyFile());
    const honest = parsePublication(parseEnvelope(utf8Encode(envelope)).payload);
    assert.ok(honest.kind === 'share');
    const { plan } = await loadStanding(await openOfficerSession(await stage.contextOf('cy')), ID);
    const sealed = await seal(utf8Encode('no share'), [plan.accessRecipient]);
    const forged = signEnvelope(encodePublication({ ...honest, sealed }), signer);
    const put = database.prepare(
      `UPDATE publications SET envelope = ? WHERE campaign = '${ID}' AND officer = 'server'`,
    );
    put.run(utf8Decode(encodeEnvelope(forged)));
    const out = join(stage.folder, 'spoiled');
    await assert.rejects(stage.run('olga', `fetch ${ID}`, { out }), { name: 'NotReleasedError' });
    await run('cy', `share publish ${ID}`);
    const { stderr } = await run('olga', `fetch ${ID}`, { out });
    assert.match(
      stderr,
      /what server published of the release is bad: .* not the one committed to/,
    );
    put.run(envelope);
    database.close();
    assert.deepEqual(silent, []);
  });

  it('is told so to operators who open and check it', async () => {
    await run('olga', `fetch ${ID}`, { out: join(stage.folder, 'patch') });
    await run('olga', `verify ${join(stage.folder, 'patch')}`);
    await run('olga', `attest ${ID}`);
    assert.deepEqual(silent, []);
  });

  it('is recorded and audited, the server among those who opened it', async () => {
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 1, ID);
    await run('ada', `disclose ${ID}`, { draft: draftPath(path, 'ada') });
    await approve();
    for (const id of ['ada', 'bo', 'cy']) await run(id, 'agent', { once: true });
    for (let i = 0; i < 3; i += 1) await stage.server.sequence();
    const record = join(stage.folder, 'record');
    await run('ada', `record ${ID}`, { out: record });
    const { rootSha256 } = stage.server;
    const { stdout } = await run('cy', `audit ${record}`, { rootSha256 });
    assert.match(stdout, /4 shares: ada, bo, server, cy/);
    const out = join(stage.folder, 'disclosed');
    await run('olga', `disclosure ${ID}`, { out });
    assert.deepEqual(silent, []);
  });
});
