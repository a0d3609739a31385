import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openHome } from '../../../cli/home/home.ts';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent } from '../../../cli/officer/agent/memory.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { verifyPublication, verifyPublicationUnder } from '../../../protocol/statement/share.ts';
import { readEnvelope } from '../../../cli/client/envelope.ts';
import { startStage, type Stage } from './support/stage.ts';

// Five officers, three of whom decide and open; cy is lost after the commitment. One long story.

const ID = 'SDX-2026-R0TA';

let stage: Stage;
let path: string;
before(async () => {
  stage = await startStage({ ids: ['ada', 'bo', 'cy', 'di', 'ed'], threshold: 3 });
  path = await stage.bring(ID, 'committed');
});
after(() => stage[Symbol.asyncDispose]());

const place = (name: string): string => join(stage.folder, name);
const draft = (id: string): { draft: string } => ({ draft: draftPath(path, id) });
const signed = (id: string): { draft: string; yes: true } => ({ ...draft(id), yes: true });

async function newcomer(id: string): Promise<void> {
  await stage.run(id, 'officer init', { id, out: place(`${id}.card.json`) });
  await stage.run(id, `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });
}

/** `trust rotate` by ada, signed by `signers`, and published; the summary of the publication. */
async function rotate(
  name: string,
  options: Record<string, string | string[]>,
  ...signers: readonly string[]
): Promise<Record<string, unknown>> {
  const folder = place(name);
  await stage.run('ada', 'trust rotate', { expires: '365', ...options, out: folder });
  for (const id of signers) await stage.run(id, `trust sign ${folder}`);
  return (await stage.run('ada', `trust publish ${folder}`)).summary;
}

async function wake(officer: string): Promise<readonly string[]> {
  const session = await openOfficerSession(await stage.contextOf(officer));
  const memory = await startAgent(session, []);
  await serveOnce(session, memory, 60_000);
  return [...memory.troubles.values()];
}

const statusOf = async (): Promise<Record<string, unknown>> =>
  (await stage.run('ada', `status ${ID}`)).summary;

/** A home of the first operator, who trusts the server and has enrolled. */
async function operatorHome(): Promise<void> {
  const [operator] = stage.operators;
  if (operator === undefined) throw new Error('no operator');
  const { seed, contact } = operator;
  const home = openHome(await stage.contextOf('op'));
  await home.writeOperatorKeys({ seed, openpgp: contact.privateKey, email: 'op0@example.org' });
  await stage.run('op', `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });
}

describe('an officer lost after the commitment', () => {
  before(async () => {
    await newcomer('flo');
    await operatorHome();
  });

  it('is replaced, and the holders left are counted', async () => {
    const card = place('flo.card.json');
    const options = { remove: ['cy'], officer: [card], threshold: '4' };
    const summary = await rotate('second', options, 'bo', 'di', 'flo');
    assert.deepEqual(summary['campaigns'], [
      {
        campaign: ID,
        status: 'committed',
        holders: ['ada', 'bo', 'di', 'ed'],
        shareThreshold: 3,
        isUnconfirmed: true,
      },
    ]);
  });

  it('decides no more, and those after it need the threshold of the new root', async () => {
    await assert.rejects(stage.run('cy', `notify ${ID}`, draft('cy')), { name: 'LoginError' });
    await stage.run('ada', `notify ${ID}`, draft('ada'));
    await stage.run('flo', `approve ${ID}`, { yes: true });
    const third = await stage.run('di', `approve ${ID}`, signed('di'));
    assert.deepEqual([third.summary['completed'], third.summary['threshold']], [false, 4]);
    const fourth = await stage.run('bo', `approve ${ID}`, signed('bo'));
    assert.equal(fourth.summary['completed'], true);
    assert.deepEqual(fourth.summary['signed'], ['ada', 'bo', 'di', 'flo']);
  });

  it('leaves a root that must outlast T0, or nobody arms', async () => {
    await rotate('brief', { expires: '5' }, 'bo', 'di', 'flo');
    await assert.rejects(stage.run('ada', `arm ${ID}`, draft('ada')), {
      name: 'RefusedMoveError',
      message: /root expires on .*, too soon after T0/,
    });
    await rotate('lasting', {}, 'bo', 'di', 'flo');
  });

  it('leaves a campaign that the newcomer may arm, whose signatures of before still hold', async () => {
    await stage.run('ada', `arm ${ID}`, draft('ada'));
    const flo = await stage.run('flo', `approve ${ID}`, { yes: true });
    assert.match((flo.summary['checked'] as string[]).join('\n'), /we hold no share/);
    await stage.run('di', `approve ${ID}`, signed('di'));
    const { summary } = await stage.run('ed', `approve ${ID}`, signed('ed'));
    assert.deepEqual([summary['completed'], summary['status']], [true, 'armed']);
  });

  it('is no obstacle to an operator who prefetches', async () => {
    await stage.server.sequence();
    await stage.run('op', 'inbox', { save: place('mail') });
    const notice = place(`mail/${ID}.notice`);
    await stage.run('op', `verify-notice ${join(notice, 'notice.txt')}`, {
      list: join(notice, 'COMMITMENT'),
    });
    const { summary } = await stage.run('op', `prefetch ${ID}`);
    assert.equal(summary['campaign'], ID);
  });

  it('has no share out at T0, and the others are enough', async () => {
    stage.advanceTo(stage.releaseTime);
    assert.deepEqual(await wake('ada'), []);
    assert.match((await wake('flo')).join(), /we hold no share/);
    await assert.rejects(stage.run('flo', `share publish ${ID}`), /you hold no share/);
    await assert.rejects(wake('cy'), { name: 'LoginError' });
    assert.deepEqual(await wake('di'), []);
    assert.equal((await statusOf())['status'], 'armed');
    // Two of three, and ten minutes later it is an alarm instead of a state of affairs.
    stage.advanceTo(stage.releaseTime + 10 * 60_000);
    await assert.rejects(statusOf(), {
      name: 'VerificationError',
      message: /ALARM: .* 2 of the 3 shares/,
    });
    assert.deepEqual(await wake('ed'), []);
    assert.equal((await statusOf())['status'], 'released');
  });

  it('is followed by another, whose share that is out already counts all the same', async () => {
    await newcomer('gus');
    const card = place('gus.card.json');
    await rotate('later', { remove: ['ed'], officer: [card], threshold: '3' }, 'bo', 'di', 'flo');
    // bo has signed notify and not arm, and has not looked since: for all he knows those who left
    // made it up. Those who signed it go on.
    await assert.rejects(stage.run('bo', `status ${ID}`), {
      code: 'transition_refused',
      message: /not confirmed under the newest/,
    });
    const session = await openOfficerSession(await stage.contextOf('di'));
    const { plan, roots, planRoot } = await loadStanding(session, ID);
    assert.deepEqual([planRoot.version, roots.length], [1, 5]);
    const shares = (await session.client.shares(ID)).map(readEnvelope);
    const officers = shares.map(
      (it) => verifyPublicationUnder(it, verifyEd25519, roots, plan).officer,
    );
    assert.deepEqual(officers.sort(), ['ada', 'di', 'ed']);
    // The control: under the newest root alone ed is nobody.
    const accepted = shares.filter((it) => {
      try {
        verifyPublication(it, verifyEd25519, session.trust.root, plan);
        return true;
      } catch {
        return false;
      }
    });
    assert.equal(accepted.length, 2);
    assert.equal((await statusOf())['status'], 'released');

    const out = place('patch');
    const { summary, stderr } = await stage.run('op', `fetch ${ID}`, { out });
    assert.deepEqual(summary['approvedBy'], ['ada', 'bo', 'cy']);
    assert.doesNotMatch(stderr, /no officer published/);
    assert.ok((await readFile(join(out, 'SHA256SUMS'))).length > 0);
    assert.equal(openHome(await stage.contextOf('op')).directory.endsWith('home-op'), true);
  });

  it('and its successors disclose, and the record of it all is sound', async () => {
    for (const operator of stage.operators) await stage.attest(operator, 'attest', 9, ID);
    await stage.run('ada', `disclose ${ID}`, draft('ada'));
    await stage.run('flo', `approve ${ID}`, { yes: true });
    await stage.run('gus', `approve ${ID}`, { yes: true });
    // Confirmed by the directive that follows, under the newest root.
    assert.equal((await stage.run('bo', `status ${ID}`)).summary['status'], 'disclosed');
    for (const id of ['ada', 'bo', 'di']) await wake(id);
    assert.equal((await statusOf())['opened'], true);
    await stage.server.sequence();
    await stage.server.sequence();
    const out = place('record');
    await stage.run('ada', `record ${ID}`, { out });
    const options = { rootSha256: stage.server.rootSha256 };
    const { summary } = await stage.run('op', `audit ${out}`, options);
    assert.equal(summary['failed'], 0, JSON.stringify(summary));
  });
});
