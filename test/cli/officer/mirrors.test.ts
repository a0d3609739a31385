import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { withAnswerLimit } from '../../../cli/client/http.ts';
import { openMirror } from '../../../cli/client/mirror.ts';
import { openHome } from '../../../cli/home/home.ts';
import { serveOnce } from '../../../cli/officer/agent/agent.ts';
import { startAgent, type AgentMemory } from '../../../cli/officer/agent/memory.ts';
import { openOfficerForRelease } from '../../../cli/officer/session.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { parsePlan, planDigest } from '../../../protocol/plan/plan.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import { verifyPublication } from '../../../protocol/statement/share.ts';
import { listen, type TestServer } from '../support/static-server.ts';
import { startStage, type Stage } from './support/stage.ts';

const CAMPAIGN = 'SDX-2026-M1RR';
const ABORTED = 'SDX-2026-N0NE';

let stage: Stage;
let remote: TestServer;
const uploads = new Map<string, Uint8Array>();
/** Shares among them: what was decided is there from the start. */
const shares = (): readonly string[] =>
  [...uploads.keys()].filter((path) => path.endsWith('.json')).sort();

before(async () => {
  stage = await startStage();
  stage.mirrors = [PLANNED];
  stage.reach = reach;
  remote = await listen((request, response) => {
    if (request.method === 'GET') {
      const bytes = uploads.get(request.url ?? '');
      return void response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      uploads.set(request.url ?? '', Buffer.concat(parts));
      response.writeHead(201).end();
    });
  });
});
after(async () => {
  await remote[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const folder = (): string => join(stage.folder, 'mirror');
const filesIn = async (path: string): Promise<readonly string[]> =>
  (await readdir(path, { recursive: true }).catch(() => [])).filter((it) => it.endsWith('.json'));

/** The mirror that plans name is on this machine. */
const PLANNED = 'https://mirror.example/planned';
const reach: typeof fetch = (input, init) => {
  const url = input instanceof Request ? input.url : input.toString();
  return fetch(url.replace(PLANNED, `${remote.url}/planned`), init);
};
/** The server is gone; mirrors are not. */
const seized: typeof fetch = (input, init) => {
  const url = input instanceof Request ? input.url : input.toString();
  const isMirror = [remote.url, PLANNED].some((mirror) => url.startsWith(mirror));
  return isMirror ? reach(url, init) : Promise.reject(new TypeError('down'));
};

/** An agent of ada's that starts now, as after a restart of her machine. */
async function wakeAgent(through: typeof fetch): Promise<AgentMemory> {
  const context = await stage.contextOf('ada', { fetch: through });
  const mirrors = [folder(), `${remote.url}/shares`].map((it) => openMirror(context, it));
  const session = await openOfficerForRelease(context);
  const memory = await startAgent(session, [], mirrors);
  await serveOnce(session, memory, 60_000);
  return memory;
}

describe('an agent with mirrors', () => {
  it('publishes nothing before T0, with the server and without', async () => {
    await stage.bring(CAMPAIGN, 'armed');
    assert.deepEqual([...(await wakeAgent(reach)).said.keys()], [CAMPAIGN]);
    stage.advanceTo(stage.releaseTime - 1);
    assert.deepEqual([...(await wakeAgent(seized)).said.keys()], [CAMPAIGN]);
    assert.deepEqual(await filesIn(folder()), []);
    assert.deepEqual(shares(), []);
  });

  it('publishes at T0 to every mirror when the server is gone, also after a restart', async () => {
    stage.advanceTo(stage.releaseTime);
    const memory = await wakeAgent(seized);
    const planBytes = await openHome(await stage.contextOf('ada'))
      .campaign(CAMPAIGN)
      .find('plan.txt');
    assert.ok(planBytes);
    const name = `${planDigest(planBytes)}/ada.release.json`;
    assert.deepEqual(await filesIn(folder()), [name]);
    // Where the agent was told to, and where the plan says, without a flag.
    assert.deepEqual(shares(), [`/planned/${name}`, `/shares/${name}`]);
    const bytes = await readFile(join(folder(), name));
    assert.deepEqual(new Uint8Array(bytes), new Uint8Array(uploads.get(`/shares/${name}`) ?? []));
    const { root } = stage.officers;
    const share = verifyPublication(
      parseEnvelope(bytes),
      verifyEd25519,
      root,
      parsePlan(planBytes),
    );
    assert.equal(share.officer, 'ada');
    // What the server has not got is tried again.
    assert.equal(memory.done.has(`${CAMPAIGN} release`), false);
  });

  it('brings the server what it missed', async () => {
    const memory = await wakeAgent(reach);
    assert.ok(memory.done.has(`${CAMPAIGN} release`));
    const { summary } = await stage.run('bo', `status ${CAMPAIGN}`);
    assert.deepEqual((summary['shares'] as { published: string[] }).published, ['ada']);
  });

  it('publishes nowhere once its officer has signed an abort', async () => {
    await stage.bring(ABORTED, 'armed');
    await wakeAgent(reach);
    await stage.run('ada', `abort ${ABORTED}`, { reason: 'a mistake' });
    stage.advanceTo(stage.releaseTime + 60_000);
    const before = [await filesIn(folder()), shares()];
    const memory = await wakeAgent(seized);
    assert.ok(memory.troubles.has(`${ABORTED} held back`));
    await wakeAgent(reach);
    assert.deepEqual([await filesIn(folder()), shares()], before);
  });

  it('waits seconds, not a minute, for a server that takes requests and never answers', async () => {
    await stage.run('cy', 'agent', { once: true }, { fetch: reach });
    const silent = await listen(() => undefined);
    let isHanging = false;
    const context = await stage.contextOf('cy', {
      fetch: (input, init) => {
        const url = input instanceof Request ? input.url : input.toString();
        return reach(isHanging ? url.replace(stage.server.url, silent.url) : url, init);
      },
    });
    const session = await openOfficerForRelease(withAnswerLimit(context));
    const memory = await startAgent(
      session,
      [],
      [openMirror(context, join(stage.folder, 'hanging'))],
    );
    isHanging = true;
    const started = performance.now();
    await serveOnce(session, memory, 60_000);
    // It gave up on the server twice, each time after five seconds; the default is thirty.
    assert.ok(performance.now() - started < 29_000);
    assert.equal((await filesIn(join(stage.folder, 'hanging'))).length, 2);
    await silent[Symbol.asyncDispose]();
  });

  it('goes on when the folder of a mirror cannot be written', async () => {
    const context = await stage.contextOf('bo', { fetch: reach });
    const blocked = join(stage.folder, 'a file');
    await writeFile(blocked, '');
    const good = join(stage.folder, 'beside');
    const session = await openOfficerForRelease(context);
    const mirrors = [blocked, good].map((it) => openMirror(context, it));
    const memory = await startAgent(session, [], mirrors);
    await serveOnce(session, memory, 60_000);
    assert.equal((await filesIn(good)).length, 2);
    assert.match(memory.troubles.get(`${CAMPAIGN} release ${blocked}`) ?? '', /cannot be used/);
  });

  it('is joined by share publish, which a dead mirror of the plan does not hold back', async () => {
    const dead: typeof fetch = (input, init) => {
      const url = input instanceof Request ? input.url : input.toString();
      return url.startsWith(PLANNED) ? Promise.reject(new TypeError('dead')) : fetch(input, init);
    };
    const line = `share publish ${CAMPAIGN}`;
    uploads.clear();
    await stage.run('cy', line, {}, { fetch: reach });
    assert.match(shares().join(), /^\/planned\/[0-9a-f]{64}\/cy\.release\.json$/);
    const mirror = join(stage.folder, 'third');
    await assert.rejects(stage.run('cy', line, { mirror: [mirror] }, { fetch: dead }), {
      message: /cannot reach mirror.example/,
    });
    assert.equal((await filesIn(mirror)).length, 1);
  });

  it('tells of a mirror that refuses, and publishes to the others', async () => {
    const context = await stage.contextOf('bo', { fetch: seized });
    await stage.run('bo', 'agent', { once: true }, { fetch: reach });
    const mirrors = [`${remote.url}/x`, join(stage.folder, 'other')];
    await using refusing = await listen((_, response) => void response.writeHead(507).end());
    const all = [...mirrors, refusing.url].map((it) =>
      openMirror({ ...context, fetch: it === refusing.url ? reach : seized }, it),
    );
    const session = await openOfficerForRelease(context);
    const memory = await startAgent(session, [], all);
    await serveOnce(session, memory, 60_000);
    assert.equal((await filesIn(join(stage.folder, 'other'))).length, 2);
    assert.match(memory.troubles.get(`${CAMPAIGN} release ${refusing.url}`) ?? '', /507/);
  });
});
