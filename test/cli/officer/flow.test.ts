import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectTo } from '../../../cli/client/connect.ts';
import { readEnvelope } from '../../../cli/client/envelope.ts';
import { readMessage } from '../../../cli/mail/read-message.ts';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent, type AgentMemory } from '../../../cli/officer/agent/memory.ts';
import { sealedPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession, type OfficerSession } from '../../../cli/officer/session.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { parsePlan } from '../../../protocol/plan/plan.ts';
import { officerKeys } from '../../../protocol/contact/detached.ts';
import { open } from '../../../protocol/embargo/age.ts';
import { openBundle } from '../../../protocol/embargo/bundle.ts';
import { openSignatures } from '../../../protocol/embargo/signature-bundle.ts';
import { openDraft } from '../../../protocol/embargo/draft.ts';
import { readAccessKey } from '../../../protocol/embargo/notice.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parsePublication } from '../../../protocol/statement/share.ts';
import { CAMPAIGN } from './support/campaign.ts';
import { startStage, type Stage, type TestOperator } from './support/stage.ts';

// One campaign from sealing to disclosure, against the real server, in the order of the tests.

let stage: Stage;
let path: string;
const drafts = new Map<string, string>();
const agents = new Map<string, { session: OfficerSession; memory: AgentMemory }>();

const draftOf = (id: string): { draft: string } => ({ draft: drafts.get(id) ?? '' });
const operator = (index: number): TestOperator => {
  const found = stage.operators[index];
  assert.ok(found);
  return found;
};

async function startAgentOf(id: string, paths: readonly string[] = []): Promise<void> {
  const session = await openOfficerSession(await stage.contextOf(id));
  agents.set(id, { session, memory: await startAgent(session, paths) });
}

async function wake(id: string): Promise<number> {
  const agent = agents.get(id);
  assert.ok(agent);
  return serveOnce(agent.session, agent.memory, 60_000);
}

before(async () => {
  stage = await startStage();
  path = await stage.seal();
  for (const id of stage.officers.officers.keys()) {
    drafts.set(id, join(sealedPath(path), `draft.${id}.age`));
  }
});
after(() => stage[Symbol.asyncDispose]());

describe('a campaign in the hands of its officers', () => {
  it('lists the operators whose proofs hold, with their stake', async () => {
    const { summary } = await stage.run('ada', 'roster show');
    assert.equal(summary['operators'], 3);
    assert.deepEqual(summary['rejected'], []);
  });

  it('is proposed with one signature, and nothing is public yet', async () => {
    const { summary } = await stage.run('ada', `propose ${path}`);
    assert.equal(summary['completed'], false);
    assert.deepEqual(summary['signed'], ['ada']);
    const client = connectTo(await stage.contextOf('ada'), stage.server.url);
    assert.deepEqual(await client.commitments(), []);
  });

  it('can be proposed again after an interruption without a second directive', async () => {
    const { summary } = await stage.run('ada', `propose ${path}`);
    assert.deepEqual(summary['signed'], ['ada']);
    const inspected = await stage.run('cy', `inspect ${CAMPAIGN}`);
    assert.deepEqual((inspected.summary['pending'] as { signed: string[] }).signed, ['ada']);
  });

  it('is not approved without a draft, without --yes, or with somebody else’s draft', async () => {
    await assert.rejects(stage.run('bo', `approve ${CAMPAIGN}`, { yes: true }), {
      name: 'UsageError',
    });
    await assert.rejects(stage.run('bo', `approve ${CAMPAIGN}`, draftOf('bo')), {
      name: 'UsageError',
      message: /terminal/,
    });
    const other = { ...draftOf('cy'), yes: true };
    await assert.rejects(stage.run('bo', `approve ${CAMPAIGN}`, other), { code: 'bundle_invalid' });
    assert.equal((await stage.run('ada', `status ${CAMPAIGN}`)).summary['status'], 'draft');
  });

  it('refuses the draft of another sealing of the same campaign', async () => {
    const again = await stage.seal();
    const draft = join(sealedPath(again), 'draft.bo.age');
    await assert.rejects(stage.run('bo', `approve ${CAMPAIGN}`, { draft, yes: true }), {
      code: 'plan_invalid',
    });
  });

  it('becomes public with the second officer, who uploads both signatures', async () => {
    const { summary } = await stage.run('bo', `approve ${CAMPAIGN}`, {
      ...draftOf('bo'),
      yes: true,
    });
    assert.equal(summary['completed'], true);
    assert.deepEqual(summary['completion'], { signatures: ['ada', 'bo'] });
    await stage.server.sequence();
    const context = await stage.contextOf('ada');
    const [commitment] = await connectTo(context, stage.server.url).commitments();
    const plan = parsePlan(new Uint8Array(await readFile(join(sealedPath(path), 'plan.txt'))));
    assert.equal(commitment?.sha256, plan.commitment);
  });

  it('has signatures over the plaintext that open with the release key alone', async () => {
    const keys = stage.officers.officers.get('cy')?.keys;
    assert.ok(keys);
    const draft = await openDraft(
      new Uint8Array(await readFile(drafts.get('cy') ?? '')),
      keys.ageIdentity,
    );
    const client = connectTo(
      await stage.contextOf('cy'),
      stage.server.url,
      signerFromSeed(keys.seed),
    );
    const sealed = await client.signatures(CAMPAIGN);
    await openSignatures(sealed, draft.releaseKey);
    await assert.rejects(openSignatures(sealed, draft.closingKey), { code: 'bundle_invalid' });
  });

  it('is committed once: a further commit only finds everything in place', async () => {
    const { summary } = await stage.run('cy', `commit ${CAMPAIGN}`, draftOf('cy'));
    assert.deepEqual(summary['completion'], { signatures: [] });
    await assert.rejects(stage.run('cy', `approve ${CAMPAIGN}`, { yes: true }), {
      message: /nothing is pending/,
    });
  });

  it('refuses moves that the table does not have, before anything is signed', async () => {
    await assert.rejects(stage.run('ada', `disclose ${CAMPAIGN}`, draftOf('ada')), {
      code: 'transition_refused',
    });
    const later = { releaseTime: '2030-01-01T14:00:00Z', reason: 'later' };
    await assert.rejects(stage.run('ada', `reschedule ${CAMPAIGN}`, later), {
      code: 'transition_refused',
    });
    await assert.rejects(stage.run('ada', `supersede ${CAMPAIGN}`), { message: /by what/ });
  });

  it('writes to every operator with the second signature under notify', async () => {
    await stage.run('bo', `notify ${CAMPAIGN}`);
    await assert.rejects(stage.run('bo', `notify ${CAMPAIGN}`), { message: /proposed this/ });
    const { summary } = await stage.run('cy', `approve ${CAMPAIGN}`, {
      ...draftOf('cy'),
      yes: true,
    });
    const { mails } = summary['completion'] as { mails: object[] };
    const expected = { kind: 'notice', operators: 3, sent: 3, known: 0, unreachable: [] };
    assert.deepEqual(mails, [expected]);
  });

  it('gives each operator a notice that only he opens, with the access key of the plan', async () => {
    const context = await stage.contextOf('ada');
    for (const { signer, contact } of stage.operators) {
      const client = connectTo(context, stage.server.url, signer);
      const [entry] = await client.inbox();
      const [message] = entry?.messages ?? [];
      assert.ok(message);
      const mail = await readMessage(
        utf8Encode(message.armored),
        contact.privateKey,
        await officerKeys(stage.officers.root.people.values()),
        new Date(stage.now()),
      );
      assert.equal(mail.from, 'cy');
      assert.ok(!mail.text.includes('AGE-SECRET-KEY'));
      const notice = mail.attachments.get('notice.txt');
      assert.ok(notice);
      await readAccessKey(notice);
    }
  });

  it('sends no notice twice: a further round only writes what is missing', async () => {
    const { summary } = await stage.run('ada', `notify ${CAMPAIGN}`, draftOf('ada'));
    const { mails } = summary['completion'] as { mails: { sent: number; known: number }[] };
    assert.equal(mails[0]?.sent, 0);
    assert.equal(mails[0].known, 3);
  });

  it('is armed with TUF targets that both officers signed', async () => {
    await stage.run('ada', `arm ${CAMPAIGN}`, draftOf('ada'));
    const { summary } = await stage.run('cy', `approve ${CAMPAIGN}`, {
      ...draftOf('cy'),
      yes: true,
    });
    assert.equal(summary['status'], 'armed');
  });

  it('keeps every share in before T0, by hand and by agent', async () => {
    await assert.rejects(stage.run('ada', `share publish ${CAMPAIGN}`), {
      name: 'NotReleasedError',
    });
    await startAgentOf('ada', [drafts.get('ada') ?? '']);
    await startAgentOf('bo');
    await wake('ada');
    await wake('bo');
    assert.ok(!stage.server.logged.some(({ code }) => code === 'early_share'));
    const { summary } = await stage.run('ada', `status ${CAMPAIGN}`);
    assert.equal(summary['status'], 'armed');
    assert.deepEqual((summary['shares'] as { published: string[] }).published, []);
  });

  it('looks at the clock every second when T0 is near, and never sleeps past it', async () => {
    stage.advanceTo(stage.releaseTime - 3_600_000);
    assert.ok((await wake('ada')) <= 60_000);
    stage.advanceTo(stage.releaseTime - 80_000);
    assert.ok((await wake('ada')) <= 1_000);
    stage.advanceTo(stage.releaseTime - 400);
    assert.ok((await wake('ada')) <= 400);
  });

  it('is released by the agents at T0, and the key follows', async () => {
    stage.advanceTo(stage.releaseTime);
    await wake('ada');
    await wake('bo');
    assert.ok((await wake('ada')) <= 1_000 || agents.get('ada')?.memory.done.size === 2);
    await wake('ada');
    const { summary } = await stage.run('cy', `status ${CAMPAIGN}`);
    assert.equal(summary['status'], 'released');
    assert.deepEqual((summary['shares'] as { published: string[] }).published, ['ada', 'bo']);

    const context = await stage.contextOf('ada');
    const client = connectTo(context, stage.server.url, operator(0).signer);
    const draft = await openDraft(
      new Uint8Array(await readFile(drafts.get('cy') ?? '')),
      stage.officers.officers.get('cy')?.keys.ageIdentity ?? '',
    );
    const notice = draft.documents.get('notice.txt');
    assert.ok(notice);
    const { sealed } = parsePublication(readEnvelope(await client.releaseKey(CAMPAIGN)).payload);
    const key = utf8Decode(await open(sealed, await readAccessKey(notice))).trim();
    const plan = parsePlan(await client.plan(CAMPAIGN));
    const [bundle] = plan.bundles;
    assert.ok(bundle);
    const ciphertext = await readFile(join(sealedPath(path), 'bundles', `${bundle.sha256}.age`));
    const { files } = await openBundle(new Uint8Array(ciphertext), key, plan, 'agave');
    assert.deepEqual(files.get('0001-agave.patch'), stage.repository.patch);
  });

  it('publishes by hand what no agent did, once', async () => {
    assert.equal((await stage.run('cy', `share publish ${CAMPAIGN}`)).summary['new'], true);
    assert.equal((await stage.run('cy', `share publish ${CAMPAIGN}`)).summary['new'], false);
  });

  it('names whom to call next, most stake first', async () => {
    await stage.attest(operator(0), 'attest', 1);
    const { stdout, summary } = await stage.run('ada', `chase ${CAMPAIGN}`);
    const called = stdout
      .split('\n')
      .filter((line) => line.includes('"contact"'))
      .map((line) => (JSON.parse(line) as { email: string }).email);
    assert.deepEqual(called, ['op1@example.org', 'op2@example.org']);
    assert.equal(summary['calls'], 1);
  });

  it('is not disclosed before the gate, whatever is typed', async () => {
    await assert.rejects(stage.run('ada', `disclose ${CAMPAIGN}`, draftOf('ada')), {
      code: 'transition_refused',
      message: /40\.00 %/,
    });
    const without = { ...draftOf('ada'), override: true };
    await assert.rejects(stage.run('ada', `disclose ${CAMPAIGN}`, without), {
      code: 'statement_invalid',
    });
  });

  it('is disclosed at more than two thirds, with a closing mail to everybody', async () => {
    await stage.attest(operator(1), 'attest', 1);
    assert.equal((await stage.run('ada', `status ${CAMPAIGN}`)).summary['status'], 'adopted');
    await stage.run('ada', `disclose ${CAMPAIGN}`, draftOf('ada'));
    const { summary } = await stage.run('bo', `approve ${CAMPAIGN}`, {
      ...draftOf('bo'),
      yes: true,
    });
    assert.equal(summary['status'], 'disclosed');
    const { mails } = summary['completion'] as { mails: { sent: number }[] };
    assert.equal(mails[0]?.sent, 3);
  });

  it('opens with the closing shares of the agents', async () => {
    await wake('ada');
    await wake('bo');
    const { summary } = await stage.run('ada', `status ${CAMPAIGN}`, { watch: true });
    assert.equal(summary['opened'], true);
    const context = await stage.contextOf('ada');
    const text = utf8Decode(
      await connectTo(context, stage.server.url).document(CAMPAIGN, 'disclosure.md'),
    );
    assert.match(text, /It overflowed\./);
  });
});
