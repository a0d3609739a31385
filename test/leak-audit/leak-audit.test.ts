import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import Database from 'better-sqlite3';
import { Router } from 'express';

import { buildEncryptedMail } from '../../server/jobs/mime.ts';
import { migrate } from '../../server/store/migrator.ts';
import { startTestServer } from '../support/test-server.ts';
import { membersOfAnswer } from './answers.ts';
import { unlistedAnswers, unlistedFiles, unlistedLogging, unlistedMail } from './observed.ts';
import { differences, namesIn, parseAuditPage, readAuditPage } from './page.ts';
import { recordRoutes } from './routes.ts';
import {
  filesThatAnswer,
  headersSet,
  logCalls,
  parseSource,
  routeCalls,
  serverSources,
} from './sources.ts';

// `docs/spec/leak-audit.md` says of every byte string why it is harmless. These tests hold it against
// the schema, the routes and the sources; `test/faults/canary.test.ts` against a server that runs.

const page = readAuditPage();
const sources = serverSources();

function assertSame(heading: string, actual: readonly string[]): void {
  assert.deepEqual(differences(page.names(heading), actual), { missing: [], stale: [] }, heading);
}

function columnsOf(database: Database.Database): string[] {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return (tables as { name: string }[]).flatMap(({ name }) =>
    (database.pragma(`table_info(${name})`) as { name: string }[]).map(
      (column) => `${name}.${column.name}`,
    ),
  );
}

describe('the leak audit', () => {
  it('names every column of a migrated database, and no other', () => {
    const database = new Database(':memory:');
    migrate(database);
    assertSame('Columns', columnsOf(database));
    database.exec('ALTER TABLE campaigns ADD COLUMN title TEXT; CREATE TABLE drafts (bytes TEXT)');
    const { missing } = differences(page.names('Columns'), columnsOf(database));
    assert.deepEqual(missing, ['campaigns.title', 'drafts.bytes']);
  });

  it('names every route that a starting server makes, and no other', async () => {
    const { routes, stop } = recordRoutes();
    try {
      await using server = await startTestServer();
      assert.ok(server.url);
      assertSame('Routes', routes());
      Router().get('/v1/campaigns/:id/title', () => undefined);
      const { missing } = differences(page.names('Routes'), routes());
      assert.deepEqual(missing, ['GET /v1/campaigns/:id/title']);
    } finally {
      stop();
    }
  });

  it('says of every route what it answers with', () => {
    const answers = new Map(routeCalls(sources).map((it) => [it.route, it.answers]));
    for (const [route, answered] of page.rows('Routes')) {
      for (const name of namesIn(route))
        assert.deepEqual(namesIn(answered), answers.get(name), name);
    }
    // Whatever is written into an answer elsewhere would be no route's, and so on no list.
    assert.deepEqual(filesThatAnswer(sources), [
      'http/answer.ts',
      'http/blob-routes.ts',
      'http/log-routes.ts',
      'http/problem.ts',
      'http/server.ts',
    ]);
    const added = parseSource('x.ts', "router.get('/x', (q, res) => sendJson(res, draft, secret))");
    assert.deepEqual(routeCalls([added]), [{ route: 'GET /x', answers: ['draft'] }]);
    assert.deepEqual(filesThatAnswer([parseSource('x.ts', 'res.end(draft)')]), ['x.ts']);
  });

  it('names every member of every JSON body, and no other', () => {
    const bodies = new Set(routeCalls(sources).flatMap(({ answers }) => answers));
    bodies.delete('bytes');
    const members = [...bodies, 'problemJson'].flatMap(membersOfAnswer);
    assertSame('Answers: members', members);
    const shorter = page.names('Answers: members').filter((it) => it !== 'campaignView.plan');
    assert.deepEqual(differences(shorter, members).missing, ['campaignView.plan']);
  });

  it('names every header that our code sets', () => {
    const { missing } = differences(page.names('Answers: headers'), headersSet(sources));
    assert.deepEqual(missing, []);
    assert.deepEqual(headersSet([parseSource('x.ts', "res.setHeader('X-Title', it)")]), [
      'x-title',
    ]);
  });

  it('names every line of the log with all its fields, and no other', () => {
    const linesOf = (calls: ReturnType<typeof logCalls>): string[] =>
      calls.flatMap(({ message, fields }) => [message, ...fields.map((it) => `${message}: ${it}`)]);
    const listed = page
      .rows('Log lines')
      .flatMap(([says, fields]) =>
        linesOf(namesIn(says).map((message) => ({ message, fields: namesIn(fields) }))),
      );
    const lines = linesOf(logCalls(sources));
    // A row may stand for several lines, of which not all have all its fields.
    const { missing, stale } = differences(listed, lines);
    assert.deepEqual(
      [missing, stale.filter((it) => page.names('Log lines').includes(it))],
      [[], []],
    );

    const added = parseSource(
      'x.ts',
      "const of = { body }; logger.info({ ...of, n }, 'campaign');",
    );
    assert.deepEqual(differences(listed, linesOf(logCalls([...sources, added]))).missing, [
      'campaign: body',
      'campaign: n',
    ]);
    for (const text of ["logger.info(given, 'x')", 'logger.info({}, text)', 'use(logger.warn)']) {
      assert.throws(() => logCalls([parseSource('x.ts', text)]), /cannot be audited/, text);
    }
  });

  it('names every header field of a mail and of its parts', () => {
    const headers = { from: 'a@b.c', to: 'd@e.f', messageId: '<1@b.c>', date: new Date(0) };
    const raw = buildEncryptedMail(headers, '-----BEGIN PGP MESSAGE-----\n\nAAAA');
    assert.deepEqual(unlistedMail(page, [raw]), []);
    assert.deepEqual(unlistedMail(page, [raw.replace('Subject:', 'X-Campaign: 1\r\nSubject:')]), [
      'X-Campaign',
    ]);
  });

  it('gives a reason for each, once', () => {
    for (const heading of ['Columns', 'Files', 'Log lines', 'Mail', 'Routes', 'Answers: members']) {
      const names = page.names(heading);
      assert.equal(new Set(names).size, names.length, heading);
    }
    assert.throws(() => parseAuditPage('## Columns\n\n| a | b |\n|---|---|\n| `x.y` | |\n'));
  });

  it('would miss nothing that a running server shows', () => {
    const line = JSON.stringify({
      level: 30,
      time: '',
      msg: 'campaign',
      campaign: 'x',
      title: 'y',
    });
    assert.deepEqual(unlistedLogging(page, [line]), ['log field title of "campaign"']);
    assert.deepEqual(unlistedFiles(page, ['sealdrop.sqlite', 'drafts/x']), ['drafts/x']);
    const answer = (
      path: string,
      body: object,
      header = 'date',
    ): Parameters<typeof unlistedAnswers>[1][0] => ({
      method: 'GET',
      path,
      headers: new Map([
        ['content-type', 'application/json'],
        [header, ''],
      ]),
      body: Buffer.from(JSON.stringify(body)),
    });
    const path = '/v1/campaigns/SDX-2026-7KQ4/closing-key';
    assert.deepEqual(unlistedAnswers(page, [answer(path, { key: 'k' })]), []);
    assert.deepEqual(unlistedAnswers(page, [answer(path, { key: 'k', title: 't' }, 'x-title')]), [
      'header x-title',
      `a body from GET ${path}`,
    ]);
    assert.deepEqual(unlistedAnswers(page, [answer('/v1/drafts', {})]), [
      'a route from GET /v1/drafts',
    ]);
  });
});
