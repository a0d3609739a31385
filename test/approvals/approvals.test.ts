import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { expectStatus } from '../support/story.ts';
import { openCourt, type Court } from './support/court.ts';
import { askCli, askServer, bringUpToDate, listCompleted } from './support/judges.ts';
import { approvalOf, openKit } from './support/kit.ts';
import { HOSTILE_APPROVALS, type ApprovalCase } from './table.ts';

// Thresholds count people, whoever counts: the server over HTTP, and the CLI from files alone.

describe('approvals', () => {
  let court: Court;
  let elsewhere: readonly unknown[];
  before(async () => {
    court = await openCourt();
    const { outpost, other, officers } = court;
    const client = outpost.server.client(officers.alice.signing);
    const answer = expectStatus(await client.get(`${other.path}/directives`), 200);
    elsewhere = answer.json<{ completed: unknown[] }>().completed;
  });
  after(() => court[Symbol.asyncDispose]());

  /** The hostile approval to both, then what it was made from: untouched, both accept it. */
  const judge = async ({ name, make }: ApprovalCase): Promise<void> => {
    const completed = await listCompleted(court);
    const kit = await openKit(court, name, completed, elsewhere);
    const hostile = approvalOf(make(kit), kit.now);
    const verdicts = [
      await askServer(court, hostile),
      await askCli(court, court.home, completed, hostile),
    ];
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ['refused', 'refused'],
      verdicts.map(({ said }) => said).join('\n'),
    );

    const honest = approvalOf(kit.sign(), kit.now);
    const control = [
      await askServer(court, honest),
      await askCli(court, court.home, completed, honest),
    ];
    assert.deepEqual(
      control.map(({ verdict }) => verdict),
      ['accepted', 'accepted'],
      control.map(({ said }) => said).join('\n'),
    );
    await bringUpToDate(court, await listCompleted(court));
  };

  for (const [family, cases] of Object.entries(HOSTILE_APPROVALS)) {
    describe(`refuse ${family}`, () => {
      for (const each of cases) it(each.name, () => judge(each));
    });
  }

  it('are at least 40 hostile ones, no two alike', () => {
    const names = Object.values(HOSTILE_APPROVALS).flatMap((cases) => cases.map((it) => it.name));
    const titles = Object.entries(HOSTILE_APPROVALS).flatMap(([family, cases]) =>
      cases.map(({ name }) => `${family}: ${name}`),
    );
    assert.equal(new Set(titles).size, titles.length);
    assert.ok(names.length >= 40, `${names.length} cases`);
  });
});
