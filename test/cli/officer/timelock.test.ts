import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';

import { auditRecord } from '../../../cli/audit/audit.ts';
import type { CheckResult } from '../../../cli/audit/check.ts';
import { connectTo } from '../../../cli/client/connect.ts';
import { envelopeJsonOf } from '../../../cli/client/envelope.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openRecordDirectory } from '../../../cli/record/record-files.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { encodeDirective, parseDirective } from '../../../protocol/campaign/directive.ts';
import { open } from '../../../protocol/embargo/age.ts';
import { readBeacon } from '../../../protocol/embargo/beacon.ts';
import { readLock, unlock } from '../../../protocol/embargo/lock.ts';
import { parseShare } from '../../../protocol/embargo/share.ts';
import { fromBase64 } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { QUICKNET, timeOfRound } from '../../../protocol/plan/timelock.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { beaconJson, QUICKNET_ROUNDS } from '../../protocol/embargo/drand.ts';
import { tamperWith } from '../audit/support/tamper.ts';
import { listen, type TestServer } from '../support/static-server.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

/** Quicknet signed this round long ago, so the clocks of this story are set to when it did. */
const [, [EARLIER, earlier], [ROUND, signature]] = QUICKNET_ROUNDS as [
  unknown,
  [number, string],
  [number, string],
];
const T0 = timeOfRound(QUICKNET, ROUND);
const LOCKED = 'SDX-2023-L0CK';
const LEAKED = 'SDX-2023-LEAK';
const HALTED = 'SDX-2023-HALT';

let stage: Stage;
let relay: TestServer;
let asked: string[] = [];
/** What a relay gone bad answers. */
let answer: Uint8Array = new Uint8Array();
let beacon: string;

before(async () => {
  // The TUF client asks the machine for the day.
  mock.timers.enable({ apis: ['Date'], now: T0 - 2 * 3_600_000 });
  stage = await startStage({
    start: T0 - 2 * 3_600_000,
    file: { timelock: { breakGlassThreshold: 3 } },
  });
  relay = await listen((request, response) => {
    asked.push(request.url ?? '');
    response.end(answer);
  });
  beacon = join(stage.folder, 'beacon.json');
  await writeFile(beacon, beaconJson(ROUND, signature));
  await stage.enrolAs('olga');
});
after(async () => {
  await relay[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
  mock.timers.reset();
});

const published = async (id: string): Promise<{ shares: string[]; breakGlass: string[] }> => {
  const { summary } = await stage.run('bo', `status ${id}`);
  const { shares, breakGlass } = summary as Record<string, { published: string[] }>;
  return { shares: shares?.published ?? [], breakGlass: breakGlass?.published ?? [] };
};

const runAgent = (officer: string, ...sources: string[]): Promise<{ stderr: string }> =>
  stage.run(officer, 'agent', { once: true, beacon: sources });

describe('a time-locked campaign', () => {
  it('tells who approves what was checked of the lock, and what cannot be', async () => {
    const path = await stage.seal(LOCKED);
    assert.equal(stage.releaseTime, T0);
    const draft = (id: string): object => ({ draft: join(path, 'sealed', `draft.${id}.age`) });
    await stage.run('ada', `propose ${path}`);
    const { summary } = await stage.run('bo', `approve ${LOCKED}`, { ...draft('bo'), yes: true });
    const checked = (summary['checked'] as string[]).join('\n');
    assert.match(checked, /names drand round 1000, the first from T0 on, and nobody besides/);
    assert.match(checked, /whether it opens then, only that round will tell/);
    for (const action of ['notify', 'arm']) {
      await stage.run('ada', `${action} ${LOCKED}`, { ...draft('ada') });
      await stage.run('bo', `approve ${LOCKED}`, { ...draft('bo'), yes: true });
    }
    const inspected = await stage.run('cy', `inspect ${LOCKED}`);
    assert.deepEqual(inspected.summary['timelock'], { chain: QUICKNET.hash, round: ROUND });
    assert.equal(inspected.summary['breakGlass'], 'sealed');
    assert.doesNotMatch(inspected.stderr, /BREAK-GLASS/);
  });

  it('keeps its release shares from all officers and the server together before the round', async () => {
    const early = readBeacon(beaconJson(EARLIER, earlier), QUICKNET, EARLIER);
    const due = readBeacon(beaconJson(ROUND, signature), QUICKNET, ROUND);
    for (const { keys } of stage.officers.officers.values()) {
      const signer = signerFromSeed(keys.seed);
      const client = connectTo(await stage.contextOf(keys.id), stage.server.url, signer);
      const custody = await client.custody(LOCKED, planDigest(await client.plan(LOCKED)));
      const sealed = custody.find(({ key }) => key === 'release')?.sealed ?? '';
      const file = await open(fromBase64(sealed), keys.ageIdentity);
      assert.deepEqual(await readLock(file), { chain: QUICKNET.hash, round: ROUND });
      assert.throws(() => parseShare(file));
      const passedOff = { ...early, round: ROUND };
      await assert.rejects(unlock(file, passedOff), { code: 'timelock_invalid' });
      // With the beacon it is the share, so it was the lock that kept it.
      assert.equal(parseShare(await unlock(file, due)).officer, keys.id);
    }
  });

  it('moves its T0 later only, says the CLI and says the server', async () => {
    const releaseTime = formatTime(T0 - 60_000);
    const options = { releaseTime, reason: 'sooner' };
    const move = stage.run('ada', `reschedule ${LOCKED}`, options);
    await assert.rejects(move, /which can only move later/);
    // Whoever signs another T0 holds their own share back: cy's is not needed below.
    const cy = stage.officers.officers.get('cy');
    assert.ok(cy);
    const signer = signerFromSeed(cy.keys.seed);
    const client = connectTo(await stage.contextOf('cy'), stage.server.url, signer);
    const { completed } = await client.directives(LOCKED);
    const { summary } = await stage.run('ada', `inspect ${LOCKED}`);
    const last = parseDirective(fromBase64(completed.at(-1)?.envelope.payload ?? ''));
    const forged = (time: string): ReturnType<typeof client.sendDirective> => {
      const payload = encodeDirective({
        ...last,
        action: 'reschedule',
        from: 'armed',
        to: 'armed',
        sequence: last.sequence + 1,
        previous: (summary['directives'] as { digest: string }[]).at(-1)?.digest ?? '',
        reason: 'sooner',
        releaseTime: time,
      });
      const envelope = envelopeJsonOf(signEnvelope(payload, signer));
      return client.sendDirective(LOCKED, { envelope });
    };
    await assert.rejects(forged(releaseTime), /which can only move later/);
    assert.equal((await forged(formatTime(T0 + 60_000))).completed, false);
  });

  it('releases nothing before the round, and asks nobody for it', async () => {
    stage.advanceTo(T0 - 1);
    await runAgent('ada', relay.url, beacon);
    assert.deepEqual([asked, (await published(LOCKED)).shares], [[], []]);
    const byHand = stage.run('ada', `share publish ${LOCKED}`, { beacon: [beacon] });
    await assert.rejects(byHand, /nothing was published/);
  });

  it('releases nothing by a beacon of another round, of nobody, or of no JSON', async () => {
    stage.advanceTo(T0);
    const other = signature.replace(/9$/, '8');
    const bad = [beaconJson(EARLIER, earlier), beaconJson(ROUND, other), new Uint8Array(9999)];
    for (const each of bad) {
      answer = each;
      await assert.rejects(runAgent('ada', relay.url), /not everything could be looked after/);
    }
    assert.equal(asked[0], `/${QUICKNET.hash}/public/${ROUND}`);
    assert.deepEqual((await published(LOCKED)).shares, []);
  });

  it('releases by any one good source, whatever the others say', async () => {
    answer = beaconJson(EARLIER, earlier);
    const gone = 'http://127.0.0.1:9/drand';
    await runAgent('ada', gone, relay.url, join(stage.folder, 'none.json'), beacon);
    answer = beaconJson(ROUND, signature);
    await stage.run('bo', `share publish ${LOCKED}`, { beacon: [gone, relay.url] });
    assert.deepEqual(await published(LOCKED), { shares: ['ada', 'bo'], breakGlass: [] });
    const { summary } = await stage.run('cy', `status ${LOCKED}`);
    assert.equal(summary['status'], 'released');
  });
});

describe('a time-locked campaign whose beacon never comes', () => {
  let path: string;
  const fetchPatch = (): Promise<Run> =>
    stage.run('olga', `fetch ${HALTED}`, { out: join(stage.folder, 'patch') });

  it('comes out when enough officers say so by hand, which no agent does by itself', async () => {
    stage.advanceTo(T0 - 2 * 3_600_000);
    path = await stage.bring(HALTED, 'armed');
    await stage.readNotice('olga', HALTED);
    await stage.run('olga', `prefetch ${HALTED}`);
    stage.advanceTo(T0 - 1);
    const options = { key: 'break-glass' };
    const early = stage.run('ada', `share publish ${HALTED}`, options);
    await assert.rejects(early, /nothing was published/);
    stage.advanceTo(T0);
    answer = beaconJson(EARLIER, earlier);
    await assert.rejects(runAgent('ada', relay.url), /not everything could be looked after/);
    assert.deepEqual(await published(HALTED), { shares: [], breakGlass: [] });
    for (const officer of ['ada', 'bo', 'cy']) {
      await assert.rejects(fetchPatch(), { name: 'NotReleasedError' });
      assert.equal((await stage.run('ada', `status ${HALTED}`)).summary['status'], 'armed');
      const { stderr } = await stage.run(officer, `share publish ${HALTED}`, options);
      assert.match(stderr, /BREAK-GLASS/);
    }
    const { summary, stderr } = await stage.run('ada', `status ${HALTED}`);
    assert.equal(summary['status'], 'released');
    assert.match(stderr, /BREAK-GLASS: officers used the second split by hand; 3 of 3/);
  });

  it('is opened by operators through the second split, who are told so', async () => {
    const { summary, stderr } = await fetchPatch();
    assert.match(stderr, /BREAK-GLASS/);
    assert.deepEqual(summary['approvedBy'], ['ada', 'bo']);
    await stage.run('olga', `verify ${join(stage.folder, 'patch')}`);
  });

  it('has a record that tells who used the second split, and holds by its shares alone', async () => {
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 1, HALTED);
    await stage.run('ada', `disclose ${HALTED}`, { draft: draftPath(path, 'ada') });
    await stage.run('bo', `approve ${HALTED}`, { draft: draftPath(path, 'bo'), yes: true });
    for (const officer of ['bo', 'cy']) {
      await stage.run(officer, `share publish ${HALTED}`, { key: 'closing' });
    }
    await stage.server.sequence();
    await stage.server.sequence();
    const record = join(stage.folder, 'record');
    const sleep = (): Promise<void> => stage.server.sequence();
    const run = await stage.run('olga', `record ${HALTED}`, { out: record }, { sleep });
    assert.equal(run.summary['result'], 'pass');
    assert.match(run.stderr, /BREAK-GLASS/);
    const results = async (directory: string): Promise<readonly CheckResult[]> =>
      auditRecord({ files: await openRecordDirectory(directory), verify: verifyEd25519 });
    const used = (await results(record)).find(({ id }) => id === 'shares.break-glass');
    assert.equal(used?.status, 'pass');
    assert.match(used.detail, /BREAK-GLASS.*ada, bo, cy/);

    const other = await readFile(join(record, 'shares', 'break-glass.bo'));
    const copy = await tamperWith(record, stage.folder, 'shares/break-glass.ada', () => other);
    const failed = (await results(copy)).filter(({ status }) => status === 'fail');
    assert.ok(failed.some(({ id }) => id === 'shares.break-glass'));
  });
});

describe('a time-locked campaign whose embargo is broken', () => {
  it('comes out through the second split, with more officers, and loudly', async () => {
    stage.advanceTo(T0 - 2 * 3_600_000);
    await stage.bring(LEAKED, 'armed');
    const byHand = stage.run('ada', `share publish ${LEAKED}`, { key: 'break-glass' });
    await assert.rejects(byHand, /nothing was published/);
    await runAgent('cy');
    await stage.run('ada', `leaked ${LEAKED}`, { reason: 'the diff is on a mirror' });
    assert.deepEqual(await published(LEAKED), { shares: [], breakGlass: [] });
    await stage.run('bo', `approve ${LEAKED}`, { yes: true });

    asked = [];
    const { stderr } = await runAgent('ada', relay.url);
    assert.match(stderr, /BREAK-GLASS: published our share of the break-glass key/);
    await runAgent('bo', relay.url);
    // Two closing shares have opened the disclosure; the third of the second split must still come.
    const between = await stage.run('cy', `status ${LEAKED}`);
    assert.equal(between.summary['opened'], true);
    assert.equal(between.summary['releasedAt'], null);
    assert.match(between.stderr, /BREAK-GLASS: officers broke .*; 2 of 3 shares are out: ada, bo/);
    await runAgent('cy', relay.url);
    assert.deepEqual(await published(LEAKED), { shares: [], breakGlass: ['ada', 'bo', 'cy'] });
    assert.deepEqual(asked, []);
    const { summary } = await stage.run('cy', `status ${LEAKED}`);
    assert.notEqual(summary['releasedAt'], null);

    for (const screen of ['inspect', 'status']) {
      const { stderr: said } = await stage.run('ada', `${screen} ${LEAKED}`);
      assert.match(said, /BREAK-GLASS: officers broke the time-lock/);
    }
    const client = connectTo(await stage.contextOf('ada'), stage.server.url);
    const events = await client.events(LEAKED);
    const told = events.map(({ type, detail }) => `${type} ${detail}`);
    assert.ok(told.includes('share break-glass cy'));
    assert.ok(told.includes('released 3 break-glass shares'));
  });
});
