import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openMirror, publicationPath } from '../../../cli/client/mirror.ts';
import { runCommand } from '../../../cli/command.ts';
import { agentCommand } from '../../../cli/commands/agent.ts';
import { openHome } from '../../../cli/home/home.ts';
import { bundlePath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { parsePlan, planDigest, type Plan } from '../../../protocol/plan/plan.ts';
import { encodeEnvelope, parseEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import { encodePublication, parsePublication } from '../../../protocol/statement/share.ts';
import { exitOf } from './support/exit-of.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// What was hidden is opened against the will of whoever has the server: two of three officers' agents,
// a folder, and an operator.

const GONE = 'SDX-2026-G0NE';
const REFUSED = 'SDX-2026-REFU';

let stage: Stage;
let plan: Plan;
let digest: string;

const place = (name: string): string => join(stage.folder, name);
const mirror = (): string => place('mirror');

/** The server is switched off. */
const gone: typeof fetch = () => Promise.reject(new TypeError('down'));
/** It answers, and no to everything. */
const refusing: typeof fetch = () => Promise.resolve(new Response('no', { status: 403 }));

const olga = (line: string, options = {}, through = gone): Promise<Run> =>
  stage.run('olga', line, options, { fetch: through });
/** An officer's agent, started anew; what is missing at the server is a trouble that it tells. */
async function wake(officer: string, through: typeof fetch, folder = mirror()): Promise<void> {
  const context = await stage.contextOf(officer, { fetch: through });
  const input = { options: { once: true, mirror: [folder] } };
  await runCommand(agentCommand, input, context).catch((error: unknown) => {
    assert.match(String(error), /not everything could be looked after/);
  });
}
const closingShares = async (folder = mirror()): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true }).catch(() => []))
    .filter((name) => name.startsWith(`${digest}/`) && name.endsWith('.closing.json'))
    .sort();
const open = (out: string, through = gone, folder = mirror()): Promise<Run> =>
  olga(`disclosure ${plan.campaign}`, { out: place(out), mirror: [folder] }, through);

/** A campaign that is armed, as olga and the officers' homes have it. */
async function prepare(campaign: string): Promise<string> {
  const path = await stage.bring(campaign, 'armed');
  await stage.readNotice('olga', campaign);
  await stage.run('olga', `prefetch ${campaign}`);
  for (const id of ['ada', 'bo', 'cy']) await stage.run(id, 'agent', { once: true }, { fetch });
  const bytes = await openHome(await stage.contextOf('olga'))
    .campaign(campaign)
    .find('plan.txt');
  assert.ok(bytes);
  plan = parsePlan(bytes);
  digest = planDigest(bytes);
  return path;
}

async function requireDocuments(out: string): Promise<void> {
  const names = ['COMMITMENT', ...plan.documents.map(({ name }) => name)].sort();
  assert.deepEqual((await readdir(place(out))).sort(), names);
  const read = async (name: string): Promise<string> =>
    sha256Hex(new Uint8Array(await readFile(join(place(out), name))));
  assert.equal(await read('COMMITMENT'), plan.commitment);
  for (const { name, sha256 } of plan.documents) assert.equal(await read(name), sha256);
  const text = await readFile(join(place(out), 'disclosure.md'), 'utf8');
  assert.match(text, /# Unchecked addition/);
}

before(async () => {
  stage = await startStage();
  await stage.enrolAs('olga');
});
after(() => stage[Symbol.asyncDispose]());

/** The server answers everybody as ever, but that it has no campaign. */
const hiding: typeof fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : input.toString();
  if (new URL(url).pathname !== '/v1/campaigns') return fetch(input, init);
  return Response.json({ campaigns: [] });
};

describe('a disclosure that the server refuses', () => {
  it('goes by the directive that this home has seen, long before the latest date', async () => {
    await prepare(REFUSED);
    const folder = place('second');
    await stage.run('ada', `leaked ${REFUSED}`, {
      reason: 'it is on a public list',
    });
    await stage.run('bo', `approve ${REFUSED}`, { yes: true });
    const early = open('hidden', refusing, folder);
    assert.equal(await exitOf(early, /is armed by all that is known here/), 3);
    const fetched = open('hidden', fetch, folder);
    assert.equal(await exitOf(fetched, /0 of 2 shares of the closing key/), 5);

    for (const id of ['ada', 'bo']) await stage.run(id, `status ${REFUSED}`);
    await wake('ada', refusing, folder);
    // Nothing is there, it says: whatever agents have kept decides.
    await wake('bo', hiding, folder);
    assert.deepEqual(await closingShares(folder), [
      `${digest}/ada.closing.json`,
      `${digest}/bo.closing.json`,
    ]);
    const { stderr } = await open('refused', refusing, folder);
    assert.match(stderr, /going on without the server/);
    await requireDocuments('refused');
  });
});

describe('a disclosure without the server', () => {
  let path: string;

  it('stays closed until the latest date, for agents and for operators', async () => {
    path = await prepare(GONE);
    stage.advanceTo(parseTime(plan.latestDisclosure) - 1000);
    await wake('ada', gone);
    assert.deepEqual(await closingShares(), []);
    const told = /is armed by all that is known here; its latest disclosure date is 20/;
    assert.equal(await exitOf(open('early'), told), 3);
  });

  it('does not open with one share fewer than it takes', async () => {
    stage.advanceTo(parseTime(plan.latestDisclosure));
    assert.equal(plan.shareThreshold, 2);
    assert.equal(await exitOf(open('none'), /0 of 2 shares of the closing key/), 5);
    await wake('ada', gone);
    assert.deepEqual(await closingShares(), [`${digest}/ada.closing.json`]);
    assert.equal(await exitOf(open('one'), /1 of 2 shares of the closing key/), 5);
    // The same share in another's place is still one person's.
    const bytes = await readFile(join(mirror(), `${digest}/ada.closing.json`));
    await writeFile(join(mirror(), `${digest}/cy.closing.json`), bytes);
    assert.equal(await exitOf(open('one'), /1 of 2/), 5);
    await rm(join(mirror(), `${digest}/cy.closing.json`));
  });

  it('names the officer whose share is bad, and opens with the others', async () => {
    const bo = stage.officers.officers.get('bo');
    assert.ok(bo);
    await wake('bo', gone, place('aside'));
    const name = publicationPath(digest, 'bo', 'closing');
    const good = parsePublication(
      parseEnvelope(await readFile(join(place('aside'), name))).payload,
    );
    const bad = encodePublication({ ...good, sealed: new TextEncoder().encode('no share') });
    const target = openMirror(await stage.contextOf('olga'), mirror());
    await target.put(name, encodeEnvelope(signEnvelope(bad, signerFromSeed(bo.keys.seed))));
    assert.equal(await exitOf(open('bad'), /1 of 2 shares of the closing key; bad: bo/), 5);

    await wake('cy', gone);
    const { stderr, summary } = await open('opened');
    assert.match(stderr, /what bo published of the closing key is bad/);
    assert.equal(summary['commitment'], plan.commitment);
    await requireDocuments('opened');
    for (const name of ['early', 'none', 'one', 'bad']) {
      assert.ok(!(await readdir(stage.folder)).includes(name), name);
    }
  });

  it('takes ciphertext that is not here from a mirror, and no other than the planned one', async () => {
    const { sha256 } = plan.closingBundle;
    const kept = join(
      openHome(await stage.contextOf('olga')).path('campaigns', GONE),
      `${sha256}.age`,
    );
    await writeFile(kept, 'spoilt');
    assert.equal(await exitOf(open('lost'), /cannot reach/), 5);
    await mkdir(join(mirror(), 'bundles'));
    const copy = join(mirror(), 'bundles', `${sha256}.age`);
    await copyFile(bundlePath(path, plan.bundles[0]?.sha256 ?? ''), copy);
    assert.equal(await exitOf(open('lost', refusing), /403|another role|answered/), 4);
    await copyFile(bundlePath(path, sha256), copy);
    await open('found', refusing);
    await requireDocuments('found');
  });
});
