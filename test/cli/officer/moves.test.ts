import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { connectTo } from '../../../cli/client/connect.ts';
import { openHome } from '../../../cli/home/home.ts';
import { readMessage } from '../../../cli/mail/read-message.ts';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent, type AgentMemory } from '../../../cli/officer/agent/memory.ts';
import { describeMove, signMove } from '../../../cli/officer/decisions/move.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession, type OfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { laterTime, stopPath } from '../../../cli/officer/stop.ts';
import { officerKeys } from '../../../protocol/contact/detached.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildTargets } from '../../../protocol/trust/tuf.ts';
import { failingOnce, lying } from './support/lying.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// Each test takes a campaign of its own; the clock of the stage only goes forward.

let stage: Stage;
before(async () => {
  stage = await startStage();
});
after(() => stage[Symbol.asyncDispose]());

const HOUR = 3_600_000;
const id = (number: number): string => `SDX-2026-T00${number}`;

interface Agent {
  readonly session: OfficerSession;
  readonly memory: AgentMemory;
  /** Shares it tried to publish; that the server would have refused an early one is not enough. */
  attempts(campaign: string): number;
  wake(): Promise<number>;
}

async function agentOf(
  officer: string,
  through: typeof fetch = fetch,
  now: () => number = () => stage.now(),
): Promise<Agent> {
  const attempts: string[] = [];
  const recording: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    if (init?.method === 'POST' && url.endsWith('/shares')) attempts.push(url);
    return through(input, init);
  };
  const session = await openOfficerSession(
    await stage.contextOf(officer, { fetch: recording, now }),
  );
  const memory = await startAgent(session, []);
  return {
    session,
    memory,
    attempts: (campaign) => attempts.filter((url) => url.includes(`/${campaign}/`)).length,
    wake: () => serveOnce(session, memory, 60_000),
  };
}

async function wakeAll(...officers: string[]): Promise<void> {
  for (const officer of officers) await (await agentOf(officer)).wake();
}

async function published(campaign: string): Promise<readonly string[]> {
  const { summary } = await stage.run('cy', `status ${campaign}`);
  return (summary['shares'] as { published: string[] }).published;
}

async function statusOf(campaign: string): Promise<unknown> {
  return (await stage.run('cy', `status ${campaign}`)).summary['status'];
}

async function decide(move: string, campaign: string, options: object = {}): Promise<void> {
  await stage.run('ada', `${move} ${campaign}`, { ...options });
  await stage.run('bo', `approve ${campaign}`, { yes: true });
}

/** Assert that each operator got one mail of this turn, which says all of these. */
async function assertTold(campaign: string, ...said: readonly RegExp[]): Promise<void> {
  const officers = await officerKeys(stage.officers.root.people.values());
  assert.ok(stage.operators.length > 1);
  for (const { signer, contact } of stage.operators) {
    const inbox = await connectTo(await stage.contextOf('ada'), stage.server.url, signer).inbox();
    const mine = inbox.filter((it) => it.campaign.campaign === campaign);
    const turns = mine.flatMap(({ messages }) => messages.filter(({ kind }) => kind === 'turn'));
    assert.equal(turns.length, said.length === 0 ? 0 : 1);
    for (const { armored } of turns) {
      const key = contact.privateKey;
      const mail = await readMessage(utf8Encode(armored), key, officers, new Date(stage.now()));
      assert.ok(mail.subject.startsWith(`${campaign}: `));
      assert.match(mail.text, /Decided by ada, bo, as directive \d/);
      for (const pattern of said) assert.match(mail.text, pattern);
    }
  }
}

/** Assert that a command that was run again proposed nothing, and found every mail handed over. */
function assertDone({ summary }: Run): void {
  assert.equal(summary['completed'], true);
  const { mails } = summary['completion'] as { mails: { sent: number; known: number }[] };
  assert.deepEqual(
    mails.map(({ sent, known }) => [sent, known]),
    [[0, stage.operators.length]],
  );
}

describe('a draft whose move is interrupted', () => {
  it('gets its signatures with a second approve, after the upload failed', async () => {
    const path = await stage.bring(id(1), 'draft');
    const options = { draft: draftPath(path, 'bo'), yes: true };
    await assert.rejects(
      stage.run('bo', `approve ${id(1)}`, options, { fetch: failingOnce(/PUT .*signatures/) }),
      { name: 'TemporaryError' },
    );
    assert.equal(await statusOf(id(1)), 'committed');
    const { summary } = await stage.run('bo', `approve ${id(1)}`, options);
    assert.deepEqual(summary['completion'], { signatures: ['ada', 'bo'] });
  });

  it('gets the mails that are missing, and only those, after the hand-over failed', async () => {
    const draft = { draft: draftPath(await stage.bring(id(2), 'committed'), 'bo') };
    await stage.run('ada', `notify ${id(2)}`);
    await assert.rejects(
      stage.run(
        'bo',
        `approve ${id(2)}`,
        { ...draft, yes: true },
        {
          fetch: failingOnce(/POST .*messages/),
        },
      ),
      { name: 'TemporaryError' },
    );
    assert.equal(await statusOf(id(2)), 'notified');
    const { summary } = await stage.run('bo', `notify ${id(2)}`, draft);
    const { mails } = summary['completion'] as { mails: { sent: number }[] };
    assert.equal(mails[0]?.sent, 3);
  });

  it('refuses to propose another sealing under the id of a campaign that is there', async () => {
    const again = await stage.seal(id(2));
    await assert.rejects(stage.run('ada', `propose ${again}`), { message: /another plan/ });
  });
});

describe('arming', () => {
  it('is not taken with TUF targets that leave something out, nor approved with some that end too soon', async () => {
    await stage.bring(id(3), 'notified');
    const session = await openOfficerSession(await stage.contextOf('ada'));
    const standing = await loadStanding(session, id(3));
    const { bundles, closingBundle } = standing.plan;
    const payload = describeMove(session, standing, { action: 'arm' });
    const propose = async (listed: typeof bundles, days: number): Promise<void> => {
      const signed = buildTargets({
        version: 2,
        expires: formatTime(stage.now() + days * 24 * HOUR),
        bundles: listed,
      });
      const targets = encodeTuf(signed, signTuf(signed, session.keys.signer));
      await signMove(session, payload, { campaign: id(3), action: 'arm' }, { targets });
    };
    await assert.rejects(propose(bundles, 90), { code: 'refused' });
    await propose([...bundles, { variant: '', ...closingBundle }], 1);
    await assert.rejects(stage.run('bo', `approve ${id(3)}`, { yes: true }), {
      code: 'trust_invalid',
      message: /expire before the last date/,
    });
    assert.equal(await statusOf(id(3)), 'notified');
  });
});

describe('the agent', () => {
  it('follows a T0 that was moved, both at the old hour and at the new one', async () => {
    await stage.bring(id(4), 'armed');
    const agents = [await agentOf('ada'), await agentOf('bo')];
    for (const agent of agents) await agent.wake();
    const moved = stage.releaseTime + HOUR;
    await assertTold(id(4));
    const [before, after] = [formatTime(stage.releaseTime), formatTime(moved)];
    await decide('reschedule', id(4), { releaseTime: after, reason: 'build broken' });
    await assertTold(
      id(4),
      new RegExp(`from ${before}\\n    to   ${after}`),
      /Reason: build broken\n/,
      /Run: sealdrop prefetch SDX-2026-T004/,
      /The embargo stands: tell nobody/,
    );
    const same = { releaseTime: after, reason: 'build broken' };
    assertDone(await stage.run('cy', `reschedule ${id(4)}`, same));

    stage.advanceTo(stage.releaseTime);
    for (const agent of agents) await agent.wake();
    for (const agent of agents) assert.equal(agent.attempts(id(4)), 0);
    await assert.rejects(stage.run('ada', `share publish ${id(4)}`), { name: 'NotReleasedError' });

    stage.advanceTo(moved);
    for (const agent of agents) await agent.wake();
    assert.deepEqual(await published(id(4)), ['ada', 'bo']);
    // One that starts anew finds its share out, and that is no trouble.
    const restarted = await agentOf('ada');
    await restarted.wake();
    assert.equal(restarted.memory.troubles.size, 0);
  });
});

describe('an agent that runs for weeks', () => {
  it('is never early, however far T0 is, and whichever way its clock jumps', async () => {
    const campaign = 'SDX-2026-JUMP';
    await stage.bring(campaign, 'armed');
    const DAY = 24 * HOUR;
    const distances = [1000, HOUR, 24 * DAY, 25 * DAY, 60 * DAY, 3653 * DAY];
    let clock = stage.now();
    const agent = await agentOf('ada', fetch, () => clock);
    await agent.wake();
    stage.advanceTo(stage.releaseTime);
    for (const left of [...distances, ...distances.toReversed()]) {
      clock = stage.releaseTime - left;
      const wait = await agent.wake();
      assert.ok(wait > 0 && wait <= Math.min(60_000, Math.max(left, 1000)), `${left}: ${wait}`);
      assert.equal(agent.attempts(campaign), 0, String(left));
    }
    clock = stage.releaseTime;
    await agent.wake();
    assert.deepEqual(await published(campaign), ['ada']);
  });

  it('asks for a newer root of trust whenever it looks', async () => {
    const asked: string[] = [];
    const agent = await agentOf('ada', (input, init) => {
      asked.push(input instanceof Request ? input.url : input.toString());
      return fetch(input, init);
    });
    asked.length = 0;
    await agent.wake();
    assert.ok(asked.some((url) => url.endsWith('/tuf/2.root.json')));
  });
});

describe('an officer who signs an abort', () => {
  it('has no share out at T0, even when nobody else agrees', async () => {
    await stage.bring(id(5), 'armed');
    const agent = await agentOf('ada');
    await agent.wake();
    assert.match(agent.memory.said.get(id(5)) ?? '', /T0 is [^;]*$/);
    await stage.run('ada', `abort ${id(5)}`, { reason: 'fix is incomplete' });
    await assertTold(id(5));
    await agent.wake();
    assert.match(agent.memory.said.get(id(5)) ?? '', /held back, because we signed an abort/);
    stage.advanceTo(stage.releaseTime);
    const ada = await agentOf('ada');
    assert.ok((await ada.wake()) >= 1_000, 'what is held back is no reason to hurry');
    assert.match([...ada.memory.troubles.values()].join(), /held back/);
    assert.equal(ada.attempts(id(5)), 0);
    await assert.rejects(stage.run('ada', `share publish ${id(5)}`), { message: /held back/ });
    await wakeAll('bo', 'cy');
    assert.deepEqual(await published(id(5)), ['bo', 'cy']);

    const home = openHome(await stage.contextOf('ada'));
    await rm(await stopPath(home, id(5)));
    await stage.run('ada', `share publish ${id(5)}`);
    assert.deepEqual(await published(id(5)), ['ada', 'bo', 'cy']);
  });

  it('stops it for good with a second one, and it may be disclosed', async () => {
    const path = await stage.bring(id(6), 'armed');
    await decide('abort', id(6), { reason: 'fix is incomplete' });
    await assertTold(
      id(6),
      /has been aborted. Nothing is released at the announced time/,
      /Reason: fix is incomplete\n/,
      /There is nothing to do/,
      /The embargo stands: tell nobody/,
    );
    assertDone(await stage.run('cy', `abort ${id(6)}`, { reason: 'fix is incomplete' }));
    stage.advanceTo(stage.releaseTime);
    const cy = await agentOf('cy'); // who signed nothing
    await cy.wake();
    assert.equal(cy.attempts(id(6)), 0);
    assert.equal(await statusOf(id(6)), 'aborted');
    await assert.rejects(stage.run('cy', `share publish ${id(6)}`), { message: /stays closed/ });

    const draft = { draft: draftPath(path, 'ada') };
    await stage.run('ada', `disclose ${id(6)}`, draft);
    await stage.run('bo', `approve ${id(6)}`, { yes: true });
    await wakeAll('ada', 'bo');
    assert.equal((await stage.run('cy', `status ${id(6)}`)).summary['opened'], true);
    assert.deepEqual(await published(id(6)), []);
  });
});

describe('an officer who signs another T0', () => {
  const campaign = 'SDX-2026-T0R1';
  const silent: typeof fetch = () => Promise.reject(new TypeError('fetch failed'));

  it('has no share out at the old one, with the server or without, even when nobody else agrees', async () => {
    await stage.bring(campaign, 'armed');
    const [ada, bo] = [await agentOf('ada'), await agentOf('bo')];
    for (const agent of [ada, bo]) await agent.wake();
    const [old, moved] = [stage.releaseTime, stage.releaseTime + HOUR];
    await stage.run('ada', `reschedule ${campaign}`, {
      releaseTime: formatTime(moved),
      reason: 'build broken',
    });
    stage.advanceTo(old);
    let through = fetch;
    const offline = await agentOf('ada', (input, init) => through(input, init));
    through = silent;
    for (const agent of [ada, bo, offline]) await agent.wake();
    for (const agent of [ada, offline]) {
      assert.equal(agent.attempts(campaign), 0);
      assert.match([...agent.memory.troubles.values()].join(), /held back until .* remove /);
    }
    await assert.rejects(stage.run('ada', `share publish ${campaign}`), { message: /held back/ });
    assert.equal(bo.attempts(campaign), 1, 'who did not sign it goes on as decided');

    // However the others decided, it is due by then.
    stage.advanceTo(moved);
    await ada.wake();
    assert.deepEqual(await published(campaign), ['ada', 'bo']);
    assert.ok(![...ada.memory.troubles.keys()].some((about) => about.startsWith(campaign)));
  });

  it('is held to the latest T0 that may have been decided on, and to none that was overruled', () => {
    const at = (hour: number): string => `2026-11-20T${hour}:00:00Z`;
    const votes = [
      { sequence: 4, releaseTime: at(18) },
      { sequence: 5, releaseTime: at(16) },
      { sequence: 5, releaseTime: at(15) },
    ];
    const armed = { sequence: 3, action: 'arm' } as const;
    assert.equal(laterTime(votes, [armed]), at(18));
    const moved = [armed, { sequence: 4, action: 'reschedule' } as const];
    assert.equal(laterTime(votes, moved), at(16));
    // A new wording says nothing about T0.
    const worded = [armed, { sequence: 5, action: 'commit' } as const];
    assert.equal(laterTime(votes, worded), at(18));
    assert.equal(laterTime(votes, [...moved, { sequence: 5, action: 'reschedule' }]), undefined);
    assert.equal(laterTime([], [armed]), undefined);
  });
});

describe('a campaign that goes wrong', () => {
  it('is withdrawn with a reason, and then disclosed with one', async () => {
    await stage.bring(id(7), 'armed');
    stage.advanceTo(stage.releaseTime);
    await wakeAll('ada', 'bo');
    await assert.rejects(decide('withdraw', id(7)), { name: 'UsageError' });
    await decide('withdraw', id(7), { reason: 'patched nodes halt' });
    await assertTold(
      id(7),
      /Reason: patched nodes halt\n/,
      /Do not apply it\. Whoever runs it goes back[^]*sealdrop revert SDX-2026-T007 --reason TEXT/,
      /The embargo stands: tell nobody/,
    );
    assert.equal(await statusOf(id(7)), 'withdrawn');
    await decide('disclose', id(7), { reason: 'nothing left to protect' });
    await wakeAll('ada', 'cy');
    assert.equal((await stage.run('cy', `status ${id(7)}`)).summary['opened'], true);
  });

  it('is released and disclosed at once when it leaked', async () => {
    await stage.bring(id(8), 'armed');
    await decide('leaked', id(8), { reason: 'the diff is on a public mirror' });
    await assertTold(
      id(8),
      /THE EMBARGO IS BROKEN/,
      /Reason: the diff is on a public mirror\n/,
      /Do not wait for the announced time\. Run: sealdrop fetch SDX-2026-T008 --wait/,
      /^(?![^]*tell nobody)/,
    );
    await wakeAll('ada', 'bo');
    assert.deepEqual(await published(id(8)), ['ada', 'bo']);
    assert.equal((await stage.run('cy', `status ${id(8)}`)).summary['opened'], true);
  });

  it('is disclosed by an override that says why, as approved by two', async () => {
    const draft = { draft: draftPath(await stage.bring(id(9), 'armed'), 'bo') };
    stage.advanceTo(stage.releaseTime);
    await wakeAll('ada', 'bo');
    const [operator] = stage.operators;
    assert.ok(operator);
    await stage.attest(operator, 'attest', 1, id(9));
    await decide('disclose', id(9), { override: true, reason: 'exploited in the open' });
    assert.equal(await statusOf(id(9)), 'disclosed');
    // The closing mail carries the documents, so it takes a draft to tell anybody.
    await assertTold(id(9));
    await stage.run('bo', `disclose ${id(9)}`, draft);
    await assertTold(
      id(9),
      /The campaign is disclosed now, by override/,
      /written: 40 of 100 of stake, 40\.00 %\.\nThe threshold, more than 2\/3, is not reached\./,
      /Reason: exploited in the open\n/,
      /Whoever does not run the patch applies it at once[^]*sealdrop fetch SDX-2026-T009/,
      /^(?![^]*tell nobody)/,
    );
  });
});

describe('a server that lies', () => {
  const campaign = 'SDX-2026-LIES';
  before(async () => {
    await stage.bring(campaign, 'armed');
    stage.advanceTo(stage.releaseTime);
    await wakeAll('ada', 'bo');
    for (const operator of stage.operators) {
      await stage.attest(operator, 'attest', 1, campaign);
    }
    await stage.run('ada', `disclose ${campaign}`);
  });

  const approve = (fetch: typeof globalThis.fetch): Promise<unknown> =>
    stage.run('bo', `approve ${campaign}`, { yes: true }, { fetch });

  it('gets no signature under a disclosure by claiming adoption', async () => {
    const none = lying(/statements$/, () => '{"statements":[]}');
    await assert.rejects(approve(none), { code: 'transition_refused', message: /0\.00 %/ });
  });

  it('gets none by counting statements of operators whose proofs do not hold', async () => {
    const forged = lying(/enrolments$/, (body) => {
      const json = JSON.parse(body) as { enrolments: { envelope: { payload: string } }[] };
      for (const { envelope } of json.enrolments) {
        const text = Buffer.from(envelope.payload, 'base64').toString();
        const flipped = text.replace(/"nonce":"(.)/, (_, digit) =>
          digit === '0' ? '"nonce":"1' : '"nonce":"0',
        );
        envelope.payload = Buffer.from(flipped).toString('base64');
      }
      return JSON.stringify(json);
    });
    await assert.rejects(approve(forged), { code: 'transition_refused', message: /0\.00 %/ });
  });

  it('gets none by another snapshot than the one in the plan', async () => {
    const other = lying(/snapshots\//, (body) => body.replace('epoch 650', 'epoch 651'));
    await assert.rejects(approve(other), { code: 'commitment_mismatch' });
  });

  it('cannot take a campaign back to where it was, however well its answers agree', async () => {
    const older = lying(/directives$|LIES$/, (body) => {
      const json = JSON.parse(body) as { completed?: unknown[]; status?: string };
      return JSON.stringify(
        json.completed
          ? { ...json, completed: json.completed.slice(0, 2), pending: null }
          : { ...json, status: 'notified' },
      );
    });
    await assert.rejects(approve(older), { code: 'transition_refused', message: /seen before/ });
  });

  it('cannot claim a state that the directives do not lead to', async () => {
    const claims = lying(/LIES$/, (body) => body.replace('"adopted"', '"withdrawn"'));
    await assert.rejects(approve(claims), { code: 'transition_refused', message: /lead to/ });
  });

  it('cannot move T0 by its own word', async () => {
    const next = 'SDX-2026-N0TY';
    await stage.bring(next, 'armed');
    const claims = lying(/campaigns(\/SDX-2026-N0TY)?$/, (body) =>
      body.replaceAll(formatTime(stage.releaseTime), formatTime(stage.now() - HOUR)),
    );
    const agent = await agentOf('ada', claims);
    await agent.wake();
    assert.ok(agent.memory.said.has(next));
    assert.equal(agent.attempts(next), 0);
  });

  it('cannot say that a campaign is released while no shares are out', async () => {
    const next = 'SDX-2026-N0TY';
    const claims = lying(/campaigns\/SDX-2026-N0TY$/, (body) =>
      body.replace('"status":"armed"', '"status":"released"'),
    );
    await assert.rejects(stage.run('ada', `status ${next}`, {}, { fetch: claims }), {
      code: 'transition_refused',
    });
  });

  it('is signed for when it tells the truth', async () => {
    await approve(fetch);
    assert.equal(await statusOf(campaign), 'disclosed');
  });

  it('cannot make an agent forget a campaign by calling it a draft, or disclosed and opened', async () => {
    const id = 'SDX-2026-GONE';
    await stage.bring(id, 'armed');
    let claims: typeof fetch = fetch;
    const agent = await agentOf('ada', (input, init) => claims(input, init));
    await agent.wake();

    const calling = (change: (view: Record<string, unknown>) => object): typeof fetch =>
      lying(/campaigns$/, (body) => {
        const { campaigns } = JSON.parse(body) as { campaigns: Record<string, unknown>[] };
        const changed = campaigns.map((it) => (it['campaign'] === id ? change(it) : it));
        return JSON.stringify({ campaigns: changed });
      });
    claims = calling((it) => ({ ...it, status: 'disclosed', opened: true }));
    await agent.wake();
    stage.advanceTo(stage.releaseTime);
    // By what this home has kept it is armed, and its T0 has come.
    claims = calling((it) => ({ ...it, status: 'draft', sequence: 0 }));
    await agent.wake();
    assert.deepEqual(await published(id), ['ada']);

    // What was claimed for a while is not believed for ever.
    claims = calling((it) => ({ ...it, status: 'disclosed', opened: true }));
    await agent.wake();
    stage.advanceTo(stage.releaseTime + 14 * 24 * HOUR);
    claims = fetch;
    await agent.wake();
    assert.equal(agent.attempts(id), 2, 'the release share, then the closing share');
  });
});

describe('the latest disclosure date', () => {
  it('opens the disclosure without a directive, by the agents alone', async () => {
    const campaign = 'SDX-2026-LAST';
    await stage.bring(campaign, 'notified');
    stage.advanceTo(stage.releaseTime + 14 * 24 * HOUR - 1_000);
    const early = await agentOf('ada');
    await early.wake();
    assert.equal(early.attempts(campaign), 0);
    assert.equal(await statusOf(campaign), 'notified');
    await assert.rejects(stage.run('ada', `share publish ${campaign}`, { key: 'closing' }), {
      name: 'NotReleasedError',
    });
    stage.advanceTo(stage.releaseTime + 14 * 24 * HOUR);
    await wakeAll('ada', 'bo');
    const { summary } = await stage.run('cy', `status ${campaign}`);
    assert.equal(summary['status'], 'disclosed');
    assert.equal(summary['opened'], true);
  });
});
