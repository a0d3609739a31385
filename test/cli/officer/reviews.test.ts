import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent } from '../../../cli/officer/agent/memory.ts';
import { draftPath, sealedPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { openHome } from '../../../cli/home/home.ts';
import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { parsePlan } from '../../../protocol/plan/plan.ts';
import { generateKey, type AgeKey } from '../../../protocol/embargo/age.ts';
import { openDraft } from '../../../protocol/embargo/draft.ts';
import { CAMPAIGN } from './support/campaign.ts';
import { lying } from './support/lying.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// A campaign that two firms have to review, repeated by one of two endorsers, from sealing to its record.

const FIRMS = ['acme', 'bolt', 'coda'];
const ENDORSERS = ['max', 'nina'];
const seeds = new Map([...FIRMS, ...ENDORSERS].map((id) => [id, generateSeed()]));
const ages = new Map<string, AgeKey>();

let stage: Stage;
let path: string;
let commitment: string;

const seedOf = (id: string): Uint8Array => seeds.get(id) ?? new Uint8Array(32);
const keyOf = (id: string): ReturnType<typeof signerFromSeed>['publicKey'] =>
  signerFromSeed(seedOf(id)).publicKey;
const place = (name: string): string => join(stage.folder, name);
const draft = (id: string): { draft: string } => ({ draft: draftPath(path, id) });
const approve = (): Promise<Run> =>
  stage.run('bo', `approve ${CAMPAIGN}`, { ...draft('bo'), yes: true });
const review = (firm: string, changes: Record<string, string | boolean> = {}): Promise<Run> =>
  stage.run(firm, `review ${CAMPAIGN}`, {
    draft: place(`${firm}.draft.age`),
    verdict: 'sound',
    yes: true,
    ...changes,
  });

before(async () => {
  for (const firm of FIRMS) ages.set(firm, await generateKey());
  stage = await startStage({
    vouchers: {
      reviewers: new Map(
        FIRMS.map((id) => {
          const age = ages.get(id)?.recipient ?? '';
          return [id, { id, name: `${id} Ltd`, key: keyOf(id), age }];
        }),
      ),
      endorsers: new Map(ENDORSERS.map((id) => [id, { id, name: `Dr ${id}`, key: keyOf(id) }])),
      endorsementThreshold: 1,
    },
    reviews: { required: 2, by: ['acme', 'bolt'] },
  });
  for (const id of [...FIRMS, ...ENDORSERS, 'op']) {
    const home = openHome(await stage.contextOf(id));
    const age = ages.get(id);
    const seed = seedOf(id);
    if (age !== undefined) await home.writeReviewerKeys({ id, seed, ageIdentity: age.identity });
    else if (id !== 'op') await home.writeEndorserKeys({ id, seed });
    const { url, rootSha256 } = stage.server;
    await stage.run(id, `trust add ${url}`, { rootSha256 });
  }
  path = await stage.seal();
  await stage.run('ada', `propose ${path}`);
});
after(() => stage[Symbol.asyncDispose]());

describe('handover to a reviewer', () => {
  it('encrypts the draft to the key that the root lists, for that firm alone', async () => {
    for (const to of FIRMS) {
      const out = place(`${to}.draft.age`);
      const { stderr } = await stage.run('ada', `handover ${path}`, { to, out });
      assert.equal(/does not ask/.test(stderr), to === 'coda');
    }
    const file = new Uint8Array(await readFile(place('acme.draft.age')));
    await openDraft(file, ages.get('acme')?.identity ?? '');
    await assert.rejects(openDraft(file, ages.get('bolt')?.identity ?? ''), {
      code: 'bundle_invalid',
    });
  });

  it('believes a card only when the root lists its keys', async () => {
    const card = place('eve.card.json');
    await stage.run('eve', 'reviewer init', { id: 'acme', name: 'acme Ltd', out: card });
    const out = place('eve.draft.age');
    await assert.rejects(stage.run('ada', `handover ${path}`, { to: card, out }), {
      code: 'trust_invalid',
    });
  });
});

describe('review', () => {
  it('is refused to strangers, to firms that are not asked, and with another’s draft', async () => {
    await stage.run('eve', `trust add ${stage.server.url}`, {
      rootSha256: stage.server.rootSha256,
    });
    await assert.rejects(review('eve', { draft: place('acme.draft.age') }), { name: 'LoginError' });
    await assert.rejects(review('coda'), /does not ask coda/);
    await assert.rejects(review('acme', { draft: place('bolt.draft.age') }), {
      code: 'bundle_invalid',
    });
    await assert.rejects(review('acme', { verdict: 'fine' }), { name: 'UsageError' });
  });

  it('is signed by nobody who does not type the verdict', async () => {
    const ask = (): Promise<string> => Promise.resolve('');
    const options = { draft: place('acme.draft.age'), verdict: 'sound' };
    await assert.rejects(stage.run('acme', `review ${CAMPAIGN}`, options, { ask }), /not signed/);
  });

  it('looks at the ciphertext that the server holds, not at the draft alone', async () => {
    const plan = parsePlan(new Uint8Array(await readFile(join(sealedPath(path), 'plan.txt'))));
    const sha256 = plan.bundles[0]?.sha256 ?? '';
    const fetch = lying(new RegExp(sha256), (body) => `${body} `);
    const options = { draft: place('acme.draft.age'), verdict: 'sound', yes: true };
    await assert.rejects(stage.run('acme', `review ${CAMPAIGN}`, options, { fetch }));
    const { reviews } = (await stage.run('ada', `inspect ${CAMPAIGN}`)).summary;
    assert.deepEqual(reviews, { required: 2, sound: [], unsound: [], missing: ['acme', 'bolt'] });
  });

  it('shows what was read, and is answered with a receipt that is kept', async () => {
    const { summary } = await review('acme');
    assert.equal(summary['verdict'], 'sound');
    assert.match(await readFile(String(summary['receipt']), 'utf8'), /sealdrop-receipt\/v1/);
    assert.equal((await review('acme')).summary['receipt'], summary['receipt']);
    stage.advanceTo(stage.now() + 1000);
    await assert.rejects(review('acme'), { status: 409 });
  });
});

describe('arm', () => {
  before(async () => {
    await approve();
    await stage.server.sequence();
    const context = await stage.contextOf('ada');
    const session = await openOfficerSession(context);
    commitment = (await session.client.campaign(CAMPAIGN)).commitment;
  });

  it('is refused by the CLI below the reviews that the plan asks for, whatever the server lists', async () => {
    const arm = (overrides = {}): Promise<Run> =>
      stage.run('ada', `arm ${CAMPAIGN}`, draft('ada'), overrides);
    await assert.rejects(arm(), { name: 'RefusedMoveError', code: 'threshold_unmet' });
    // The same review twice is one, also where a server makes two of it.
    const fetch = lying(/\/reviews$/, (body) => {
      const { reviews } = JSON.parse(body) as { reviews: unknown[] };
      return JSON.stringify({ reviews: [...reviews, ...reviews] });
    });
    await assert.rejects(arm({ fetch }), { name: 'RefusedMoveError', code: 'threshold_unmet' });
    const { summary } = await stage.run('ada', `status ${CAMPAIGN}`);
    assert.deepEqual(summary['reviews'], {
      required: 2,
      sound: ['acme'],
      unsound: [],
      missing: ['bolt'],
    });
  });

  it('goes on with enough of them, which the approver counts as well', async () => {
    await review('bolt');
    await stage.run('ada', `arm ${CAMPAIGN}`, draft('ada'));
    const { summary } = await approve();
    assert.equal(summary['status'], 'armed');
    assert.match(JSON.stringify(summary['checked']), /found sound by acme, bolt/);
  });
});

describe('endorse', () => {
  const posted = ['https://social.example/@max/1', 'https://github.com/max/notes/issues/1'];

  it('is refused to strangers, for what is not public, and with an address that is none', async () => {
    await assert.rejects(stage.run('acme', `endorse ${commitment}`, { posted }), {
      name: 'LoginError',
    });
    await assert.rejects(stage.run('max', `endorse ${'ab'.repeat(32)}`, { posted }), {
      code: 'commitment_mismatch',
    });
    const wrong = { posted: ['http://social.example/1'] };
    await assert.rejects(stage.run('max', `endorse ${commitment}`, wrong), { name: 'UsageError' });
  });

  it('is told to operators by verify-notice, with what is missing', async () => {
    const session = await openOfficerSession(await stage.contextOf('ada'));
    const file = new Uint8Array(await readFile(draftPath(path, 'ada')));
    const { documents } = await openDraft(file, session.keys.ageIdentity);
    for (const name of ['notice.txt', 'COMMITMENT']) {
      await writeFile(place(name), documents.get(name) ?? '');
    }
    const verify = (): Promise<Run> =>
      stage.run('op', `verify-notice ${place('notice.txt')}`, { list: place('COMMITMENT') });

    const none = await verify();
    assert.match(none.stderr, /only 0 of the 1 endorsements/);
    assert.deepEqual(none.summary['endorsements'], {
      required: 1,
      endorsed: [],
      missing: ['max', 'nina'],
    });
    await stage.run('max', `endorse ${commitment}`, { posted, out: place('max.endorsement') });
    const { summary, stderr } = await verify();
    const { endorsed, missing } = summary['endorsements'] as {
      endorsed: { endorser: string; posted: string[] }[];
      missing: string[];
    };
    assert.deepEqual(endorsed[0]?.posted, posted.toSorted());
    assert.deepEqual([endorsed.length, missing], [1, ['nina']]);
    assert.doesNotMatch(stderr, /endorsements needed/);
  });
});

describe('operators', () => {
  before(() => stage.enrolAs('op'));
  const counted = { required: 2, sound: ['acme', 'bolt'], unsound: [], missing: [] };
  /** A server that keeps back what bolt said. */
  const hiding = lying(/\/reviews$/, (body) => {
    const { reviews } = JSON.parse(body) as { reviews: { payload: string }[] };
    const said = (it: { payload: string }): string =>
      Buffer.from(it.payload, 'base64').toString('utf8');
    return JSON.stringify({ reviews: reviews.filter((it) => !said(it).includes('"bolt"')) });
  });
  const fetchPatch = (out: string): Promise<Run> =>
    stage.run('op', `fetch ${CAMPAIGN}`, { out: place(out) });

  it('are refused by prefetch, and warned by fetch, without the reviews that the plan asks for', async () => {
    const short = stage.run('op', `prefetch ${CAMPAIGN}`, {}, { fetch: hiding });
    await assert.rejects(short, { name: 'VerificationError', message: /^1 of the 2 reviews/ });

    stage.advanceTo(stage.releaseTime);
    for (const id of ['ada', 'bo']) {
      const session = await openOfficerSession(await stage.contextOf(id));
      await serveOnce(session, await startAgent(session, [draftPath(path, id)]), 60_000);
    }
    // What was fetched is kept: who hides a review holds no patch back.
    const { stderr, summary } = await fetchPatch('short');
    assert.match(stderr, /armed WITHOUT the reviews/);
    assert.deepEqual(summary['reviews'], { ...counted, sound: ['acme'], missing: ['bolt'] });
  });

  it('count them from the signatures of the firms, and find them again at T0', async () => {
    const { summary, stderr } = await stage.run('op', `prefetch ${CAMPAIGN}`);
    assert.deepEqual(summary['reviews'], counted);
    assert.equal(stderr, '');
    const opened = await fetchPatch('whole');
    assert.deepEqual(opened.summary['reviews'], counted);
    assert.doesNotMatch(opened.stderr, /reviews/);
  });
});

describe('the record of it', () => {
  it('holds reviews and endorsements, and an audit finds them in order', async () => {
    stage.advanceTo(stage.releaseTime);
    const wake = async (id: string): Promise<void> => {
      const session = await openOfficerSession(await stage.contextOf(id));
      await serveOnce(session, await startAgent(session, [draftPath(path, id)]), 60_000);
    };
    for (const it of stage.operators.slice(0, 2)) await stage.attest(it, 'attest', 1);
    await stage.run('ada', `disclose ${CAMPAIGN}`, draft('ada'));
    await approve();
    for (const id of ['ada', 'bo']) await wake(id);
    await stage.server.sequence();
    await stage.server.sequence();
    const out = place('record');
    await stage.run('ada', `record ${CAMPAIGN}`, { out });
    const lines = async (name: string): Promise<number> =>
      (await readFile(join(out, 'statements', name), 'utf8')).split('\n').length - 1;
    assert.equal(await lines('reviews.jsonl'), 2);
    assert.equal(await lines('endorsements.jsonl'), 1);
    const options = { rootSha256: stage.server.rootSha256 };
    const { summary } = await stage.run('op', `audit ${out}`, options);
    assert.equal(summary['failed'], 0, JSON.stringify(summary));
  });
});
