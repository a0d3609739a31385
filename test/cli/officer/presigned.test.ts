import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { hasTroubles, startAgent } from '../../../cli/officer/agent/memory.ts';
import { describeMove } from '../../../cli/officer/decisions/move.ts';
import {
  loadPresigned,
  presignedTexts,
  verifyNext,
} from '../../../cli/officer/decisions/presigned.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { applyRelease } from '../../../protocol/campaign/campaign.ts';
import { open, seal } from '../../../protocol/embargo/age.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import {
  encodeEnvelope,
  mergeSignatures,
  parseEnvelope,
  signEnvelope,
  type Envelope,
} from '../../../protocol/signature/dsse.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// Three of five decide, so that it takes two beside the one who acts.

const [DRAFT, ARMED] = ['SDX-2026-PRE1', 'SDX-2026-PRE2'];
const HOUR = 3_600_000;
const REASON = 'it is out: release and disclose';

interface Summary {
  kept: { people: string[]; until: string; problem: string | null } | null;
  given: { until: string } | null;
}

let stage: Stage;
let files = 0;
before(async () => {
  stage = await startStage({ ids: ['ada', 'bo', 'cy', 'dee', 'eli'], threshold: 3 });
  await stage.bring(DRAFT, 'draft');
});
after(() => stage[Symbol.asyncDispose]());

/** Sign ahead; the file for the others. */
async function prepare(officer: string, campaign: string, options: object = {}): Promise<string> {
  const out = join(stage.folder, `ahead-${files++}.age`);
  await stage.run(officer, `leaked ${campaign}`, { prepare: true, out, ...options });
  return out;
}

const keep = (officer: string, campaign: string, file: string, options = {}): Promise<Run> =>
  stage.run(officer, `leaked ${campaign}`, { keep: file, ...options });

const act = (officer: string, campaign: string): Promise<Run> =>
  stage.run(officer, `leaked ${campaign}`, { yes: true });

const keyOf = (officer: string): string => {
  const found = stage.officers.officers.get(officer);
  assert.ok(found);
  return found.keys.ageIdentity;
};

const opened = async (file: string, officer: string): Promise<Envelope> =>
  parseEnvelope(await open(await readFile(file), keyOf(officer)));

/** The same as `prepare` would write, made by somebody who does not keep to the rules. */
async function forge(envelope: Envelope): Promise<string> {
  const file = join(stage.folder, `ahead-${files++}.age`);
  const ages = [...stage.officers.root.people.values()].map(({ age }) => age);
  await writeFile(file, await seal(encodeEnvelope(envelope), ages));
  return file;
}

async function presigned(officer: string, campaign: string): Promise<Summary> {
  const inspected = await stage.run(officer, `inspect ${campaign}`);
  const { summary } = await stage.run(officer, `status ${campaign}`);
  assert.deepEqual(inspected.summary['presigned'], summary['presigned']);
  return summary['presigned'] as Summary;
}

/** The reminders that `status` gives. */
async function reminded(officer: string, campaign: string): Promise<string> {
  const { stderr } = await stage.run(officer, `status ${campaign}`);
  const lines = stderr.split('\n').filter((line) => line.includes('ahead for a leak'));
  return lines.map((line) => (JSON.parse(line) as { message: string }).message).join('\n');
}

async function standsAt(campaign: string): Promise<readonly unknown[]> {
  const { summary } = await stage.run('eli', `inspect ${campaign}`);
  const pending = summary['pending'] as { action: string; signed: string[] } | undefined;
  return [summary['status'], ...(pending ? [pending.action, pending.signed] : [])];
}

describe('what is signed ahead for a leak', () => {
  let byAda: string;

  it('is an age file to the other officers, and reaches neither the server nor our own home', async () => {
    byAda = await prepare('ada', DRAFT, { reason: REASON });
    await assert.rejects(opened(byAda, 'ada'), { code: 'bundle_invalid' });
    for (const other of ['bo', 'cy', 'dee', 'eli']) {
      assert.equal((await opened(byAda, other)).signatures.length, 1);
    }
    assert.deepEqual(await standsAt(DRAFT), ['draft', 'commit', ['ada']]);
    const { kept, given } = await presigned('ada', DRAFT);
    assert.equal(kept, null);
    assert.equal(given?.until, formatTime(stage.now() + 48 * HOUR));
    const signature = (await opened(byAda, 'bo')).signatures[0]?.sig ?? new Uint8Array();
    const home = join(stage.folder, 'home-ada', 'campaigns', DRAFT);
    for (const name of await readdir(home)) {
      const text = await readFile(join(home, name), 'utf8');
      assert.ok(!text.includes(Buffer.from(signature).toString('base64')), name);
    }
  });

  it('is kept from other officers only, each once, and only as it is', async () => {
    const envelope = await opened(byAda, 'bo');
    const [eve] = stage.operators;
    assert.ok(eve);
    const session = await openOfficerSession(await stage.contextOf('cy'));
    const standing = await loadStanding(session, DRAFT);
    const { signer } = session.keys;
    const move = { action: 'abort', reason: REASON } as const;
    const abort = describeMove(session, standing, move);
    const long = { action: 'leaked', reason: REASON, validMs: 8 * 24 * HOUR } as const;
    const forever = describeMove(session, standing, long);
    const byStranger = signEnvelope(envelope.payload, eve.signer);
    const byCy = signEnvelope(envelope.payload, signer);
    const wrong: Record<string, [Envelope, { code?: string; message?: RegExp }]> = {
      'by a stranger': [byStranger, { code: 'signature_invalid' }],
      'by a stranger, too': [mergeSignatures(byCy, byStranger), { code: 'signature_invalid' }],
      'by two': [mergeSignatures(byCy, envelope), { code: 'envelope_invalid' }],
      'under other words': [
        { ...byCy, payload: signEnvelope(forever, signer).payload },
        { code: 'signature_invalid' },
      ],
      'of another move': [signEnvelope(abort, signer), { message: /nobody signs abort ahead/ }],
      'for longer than a week': [signEnvelope(forever, signer), { message: /than a week/ }],
    };
    for (const [name, [forged, refusal]] of Object.entries(wrong)) {
      await assert.rejects(keep('bo', DRAFT, await forge(forged)), refusal, name);
    }
    const own = await prepare('bo', DRAFT, { reason: 'other words' });
    const mine = await forge(await opened(own, 'cy'));
    await assert.rejects(keep('bo', DRAFT, mine), { message: /your own signature/ });
    assert.equal((await presigned('bo', DRAFT)).kept, null);

    await keep('bo', DRAFT, byAda);
    await assert.rejects(keep('bo', DRAFT, byAda), { message: /ada is kept already/ });
    await keep('cy', DRAFT, byAda);
    await assert.rejects(keep('cy', DRAFT, own), { message: /other words are kept/ });
    assert.deepEqual((await presigned('bo', DRAFT)).kept?.people, ['ada']);
  });

  it('is pending as any other move while it is too few, and approved by the others', async () => {
    await act('cy', DRAFT);
    assert.deepEqual(await standsAt(DRAFT), ['draft', 'leaked', ['ada', 'cy']]);
    await stage.run('eli', `approve ${DRAFT}`, { yes: true });
    assert.deepEqual(await standsAt(DRAFT), ['disclosed']);
    assert.match(
      (await presigned('bo', DRAFT)).kept?.problem ?? '',
      /directive 1 was decided since/,
    );
  });

  it('is void once anything else is decided, and says so', async () => {
    await stage.bring(ARMED, 'armed');
    const first = await prepare('ada', ARMED, { reason: REASON });
    await keep('bo', ARMED, first);
    await keep('cy', ARMED, first);
    await keep('cy', ARMED, await prepare('bo', ARMED));
    assert.deepEqual((await presigned('cy', ARMED)).kept?.people, ['ada', 'bo']);
    // Only the one who acts could be the third.
    await keep('dee', ARMED, first);
    const third = await prepare('dee', ARMED);
    await assert.rejects(keep('cy', ARMED, third), { message: /as it takes beside your own/ });
    const home = join(stage.folder, 'home-cy', 'campaigns', ARMED, 'leaked-kept.json');
    assert.equal((await stat(home)).mode & 0o777, 0o600);
    assert.equal(parseEnvelope(await readFile(home)).signatures.length, 2);

    const releaseTime = formatTime(stage.releaseTime + HOUR);
    await stage.run('eli', `reschedule ${ARMED}`, { releaseTime, reason: 'a holiday' });
    for (const id of ['dee', 'ada']) await stage.run(id, `approve ${ARMED}`, { yes: true });
    const { kept } = await presigned('cy', ARMED);
    assert.match(kept?.problem ?? '', /directive 4 was decided since/);
    const session = await openOfficerSession(await stage.contextOf('cy'));
    const texts = presignedTexts(
      session,
      await loadPresigned(session, await loadStanding(session, ARMED)),
    );
    assert.deepEqual(texts, ['leaked, VOID: directive 4 was decided since']);
    assert.match(
      await reminded('cy', ARMED),
      /^\S*: what others signed .* void \(directive 4 .*new/,
    );
    assert.match(
      await reminded('dee', ARMED),
      /^\S*: what others[^\n]*\n\S*: what you signed .* void/,
    );
    assert.equal(await reminded('eli', ARMED), '', 'of whom nobody has got anything');
    await assert.rejects(act('cy', ARMED), { message: /is void: directive 4 was decided/ });
    await assert.rejects(keep('cy', ARMED, first), { code: 'transition_refused' });
    assert.deepEqual(await standsAt(ARMED), ['armed']);
  });

  it('is void once the campaign is released, or the root is another', async () => {
    const session = await openOfficerSession(await stage.contextOf('cy'));
    const standing = await loadStanding(session, ARMED);
    const payload = describeMove(session, standing, { action: 'leaked', reason: REASON });
    assert.equal(verifyNext(session, standing, payload).from, 'armed');
    const released = { ...standing, state: applyRelease(standing.state) };
    assert.throws(() => verifyNext(session, released, payload), { code: 'transition_refused' });
    const { trust } = session;
    const rotated = { ...session, trust: { ...trust, root: { ...trust.root, version: 2 } } };
    assert.throws(() => verifyNext(rotated, standing, payload), { code: 'trust_invalid' });
  });

  it('does not count once it has expired', async () => {
    const until = formatTime(stage.now() + HOUR / 2);
    const file = await prepare('ada', ARMED, { reason: REASON, until });
    await keep('cy', ARMED, file);
    assert.equal((await presigned('cy', ARMED)).kept?.until, until);
    assert.match(await reminded('ada', ARMED), /what you signed .* is good until \S* only/);
    stage.advanceTo(stage.now() + HOUR / 2);
    await assert.rejects(act('cy', ARMED), { message: /is void: .*it has expired/ });
    await assert.rejects(keep('dee', ARMED, file), { code: 'transition_refused' });
  });

  it('is decided on by one officer at once who keeps enough, before T0', async () => {
    const file = await prepare('ada', ARMED, { reason: REASON });
    for (const officer of ['bo', 'cy']) await keep(officer, ARMED, file);
    const few = /signed ahead for a leak, 1 more are missing, of any of bo, dee, eli$/;
    assert.match(await reminded('cy', ARMED), few);
    const agent = await openOfficerSession(await stage.contextOf('cy'));
    const memory = await startAgent(agent, []);
    for (let i = 0; i < 2; i += 1) await serveOnce(agent, memory, 60_000);
    assert.match([...memory.reminded].join('\n'), few);
    assert.ok(!hasTroubles(memory), 'a reminder is no failure');
    await keep('cy', ARMED, await prepare('bo', ARMED));
    await assert.rejects(stage.run('cy', `leaked ${ARMED}`), { name: 'UsageError' });
    const asked: string[] = [];
    const ask = (question: string): Promise<string> => {
      asked.push(question);
      return Promise.resolve('yes');
    };
    await assert.rejects(stage.run('cy', `leaked ${ARMED}`, {}, { ask }), {
      message: 'not signed',
    });
    assert.equal(asked.length, 1);
    assert.deepEqual(await standsAt(ARMED), ['armed']);

    const { summary } = await act('cy', ARMED);
    assert.deepEqual(
      [summary['completed'], summary['signed'], summary['status']],
      [true, ['ada', 'bo', 'cy'], 'disclosed'],
    );
    assert.ok(stage.now() < stage.releaseTime);
    for (const id of ['cy', 'dee', 'eli']) {
      const session = await openOfficerSession(await stage.contextOf(id));
      await serveOnce(session, await startAgent(session, []), 60_000);
    }
    const status = (await stage.run('eli', `status ${ARMED}`)).summary;
    assert.equal(status['opened'], true);
    assert.deepEqual((status['shares'] as { published: string[] }).published, ['cy', 'dee', 'eli']);
  });
});
