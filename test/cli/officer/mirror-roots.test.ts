import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hearRoots, rootPath } from '../../../cli/client/mirror-roots.ts';
import { openMirror } from '../../../cli/client/mirror.ts';
import { followRoots, loadTrust, saveTrust } from '../../../cli/client/trust.ts';
import { runCommand } from '../../../cli/command.ts';
import { agentCommand } from '../../../cli/commands/agent.ts';
import { openHome } from '../../../cli/home/home.ts';
import { exitOf } from './support/exit-of.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// Two rotations follow each other while a campaign is armed, and a leak is decided under the last root.
// olga and cy hear of none of it from the server: it is gone.

const ID = 'SDX-2026-R00T';
const ARMED = /is armed by all that is known here/;
const gone = (): Promise<Response> => Promise.reject(new TypeError('down'));

let stage: Stage;
const place = (name: string): string => join(stage.folder, name);
const rootOn = (mirror: string, version: number): string =>
  join(place(mirror), rootPath(stage.server.rootSha256, version));

before(async () => {
  stage = await startStage();
  await stage.enrolAs('olga');
  await stage.bring(ID, 'armed');
  await stage.readNotice('olga', ID);
  await stage.run('olga', `prefetch ${ID}`);
  for (const id of ['ada', 'bo', 'cy']) await wake(id, fetch);
  await cp((await stage.contextOf('olga')).home, place('as-it-was'), { recursive: true });

  await stage.run('flo', 'officer init', { id: 'flo', out: place('flo.card.json') });
  await stage.run('flo', `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });
  await rotate('second', { officer: [place('flo.card.json')], threshold: '3' });
  await rotate('third', {});
  await stage.run('ada', `leaked ${ID}`, { reason: 'the diff is on a public list' });
  await stage.run('bo', `approve ${ID}`, { yes: true });
  await stage.run('flo', `approve ${ID}`, { yes: true });
  for (const id of ['ada', 'bo']) await wake(id, fetch, 'mirror');
  await copyWith('bare', () => rm(join(place('bare'), 'trust'), { recursive: true }));
});
after(() => stage[Symbol.asyncDispose]());

async function rotate(name: string, options: Record<string, string | string[]>): Promise<void> {
  const out = place(name);
  await stage.run('ada', 'trust rotate', { expires: '365', ...options, out });
  for (const id of ['bo', 'flo']) await stage.run(id, `trust sign ${out}`);
  await stage.run('ada', `trust publish ${out}`);
}

/** An officer's agent looks once, and brings what it has to a mirror. @returns What it says. */
async function wake(officer: string, through: typeof fetch, mirror?: string): Promise<string> {
  const context = await stage.contextOf(officer, { fetch: through });
  const options = { once: true, ...(mirror && { mirror: [place(mirror)] }) };
  await runCommand(agentCommand, { options }, context).catch((error: unknown) => {
    assert.match(String(error), /not everything could be looked after/);
  });
  return (context as unknown as { said: { stderr: string } }).said.stderr;
}

/** A copy of the mirror, with something done to it. */
async function copyWith(name: string, change: () => Promise<void>): Promise<void> {
  await cp(place('mirror'), place(name), { recursive: true });
  await change();
}

const olga = (line: string, mirrors: readonly string[], out: string): Promise<Run> => {
  const options = { mirror: mirrors.map(place), out: place(out) };
  return stage.run('olga', line, options, { fetch: gone });
};
const rootsOf = async (id: string): Promise<readonly string[]> => {
  const home = openHome(await stage.contextOf(id));
  const { rootVersion } = await home.state.read();
  const names = (await readdir(home.path('trust'))).sort();
  assert.equal(names.length, rootVersion);
  return names;
};

describe('roots of trust on mirrors', () => {
  it('are the signed files that the server has, the first one left out', async () => {
    const folder = join(place('mirror'), 'trust', stage.server.rootSha256);
    assert.deepEqual((await readdir(folder)).sort(), ['2.root.json', '3.root.json']);
    for (const version of [2, 3]) {
      const served = await fetch(`${stage.server.url}/tuf/${version}.root.json`);
      assert.deepEqual(
        await readFile(rootOn('mirror', version)),
        Buffer.from(await served.bytes()),
      );
    }
  });

  it('are missed where a mirror has none: what was decided under them is refused', async () => {
    assert.equal(await exitOf(olga(`disclosure ${ID}`, ['bare'], 'early'), ARMED), 3);
    assert.deepEqual(await rootsOf('olga'), ['1.root.json']);
  });

  it('are refused when they do not follow, and nothing of them is kept', async () => {
    const [second, third] = await Promise.all(
      [2, 3].map(async (version) => readFile(rootOn('mirror', version))),
    );
    assert.ok(second && third);
    const parsed = JSON.parse(second.toString()) as { signatures: unknown[]; signed: object };
    const byOne = JSON.stringify({ ...parsed, signatures: parsed.signatures.slice(0, 1) });
    const edited = second.toString().replace(/"expires":"20(\d\d)/, '"expires":"21$1');
    assert.notEqual(edited, second.toString());
    for (const [what, bytes] of Object.entries({
      junk: 'junk',
      empty: '',
      'too long': ' '.repeat(600_000),
      'the one after the next': third,
      'by one of the old people': byOne,
      edited,
    })) {
      await rm(place('liar'), { recursive: true, force: true });
      await copyWith('liar', () => writeFile(rootOn('liar', 2), bytes));
      assert.equal(await exitOf(olga(`disclosure ${ID}`, ['liar'], 'early'), ARMED), 3, what);
      assert.deepEqual(await rootsOf('olga'), ['1.root.json'], what);
    }
  });

  it('take a home across two rotations without a server, past a mirror that lies', async () => {
    const { summary, stderr } = await olga(`fetch ${ID}`, ['liar', 'bare', 'mirror'], 'patch');
    assert.equal(summary['variant'], 'agave');
    assert.match(stderr, /liar hands out a root 2 that is refused/);
    assert.deepEqual(await rootsOf('olga'), ['1.root.json', '2.root.json', '3.root.json']);
    await olga(`disclosure ${ID}`, ['mirror'], 'disclosed');
    assert.match(await readFile(join(place('disclosed'), 'disclosure.md'), 'utf8'), /Unchecked/);
  });

  it('take a home along that waits, before any share is out', async () => {
    const { home } = await stage.contextOf('olga');
    const waiter = await stage.contextOf('waiter');
    await cp(place('as-it-was'), waiter.home, { recursive: true });
    assert.notEqual(waiter.home, home);
    // First what was decided, then the shares: the decisions are read again in between.
    const brought: string[][] = [['trust', 'sealed'], await readdir(place('mirror'))];
    const sleep = async (): Promise<void> => {
      for (const name of brought.shift() ?? assert.fail('it waits for nothing')) {
        await cp(join(place('mirror'), name), join(place('late'), name), { recursive: true });
      }
      stage.advanceTo(stage.now() + 31_000);
    };
    const options = { mirror: [place('late')], out: place('awaited'), wait: true };
    const { stderr } = await stage.run('waiter', `fetch ${ID}`, options, { fetch: gone, sleep });
    assert.equal(brought.length, 0);
    assert.doesNotMatch(stderr, /refused/);
    assert.equal((await rootsOf('waiter')).length, 3);
  });

  it('name newcomers, whose copies of what was decided are then asked for', async () => {
    await wake('flo', fetch, 'of-flo');
    await cp(place('as-it-was'), (await stage.contextOf('other')).home, { recursive: true });
    const options = { mirror: [place('of-flo')], out: place('early') };
    const asked = stage.run('other', `disclosure ${ID}`, options, { fetch: gone });
    // Disclosed by all that is known now: what is missing are shares, of which flo has none.
    assert.equal(await exitOf(asked, /0 of 2 shares/), 5);
  });

  it('are put right by the server where a mirror has spelt one otherwise', async () => {
    const spelt = await stage.contextOf('spelt');
    await cp(place('as-it-was'), spelt.home, { recursive: true });
    const right = await readFile(rootOn('mirror', 2));
    const { signatures, signed } = JSON.parse(right.toString()) as Record<string, unknown>;
    await copyWith('speller', () =>
      writeFile(rootOn('speller', 2), JSON.stringify({ signed, signatures }, null, 1)),
    );
    const options = { mirror: [place('speller')], out: place('spelt-patch') };
    await stage.run('spelt', `fetch ${ID}`, options, { fetch: gone });
    const kept = openHome(spelt).path('trust', '2.root.json');
    assert.notDeepEqual(await readFile(kept), right);
    await stage.run('spelt', 'trust show', { refresh: true });
    assert.deepEqual(await readFile(kept), right);
  });

  it('are asked of a mirror no more once it has not answered: it is waited for once', async () => {
    await cp(place('as-it-was'), (await stage.contextOf('patient')).home, { recursive: true });
    const asked: string[] = [];
    const through: typeof fetch = (input) => {
      asked.push(new Request(input).url);
      return gone();
    };
    const options = { mirror: ['https://hangs.test', place('mirror')], out: place('patient') };
    await stage.run('patient', `fetch ${ID}`, options, { fetch: through });
    assert.equal((await rootsOf('patient')).length, 3);
    const roots = asked.filter((url) => url.startsWith('https://hangs.test/trust/'));
    assert.deepEqual(roots, [`https://hangs.test/${rootPath(stage.server.rootSha256, 2)}`]);
  });

  it('leave alone what another command has kept meanwhile', async () => {
    const late = await stage.contextOf('overtaken');
    await cp(place('as-it-was'), late.home, { recursive: true });
    const home = openHome(late);
    const before = await loadTrust(home);
    const right = await readFile(rootOn('mirror', 2));
    const mirror = openMirror(late, place('mirror'));
    const fail = (text: string): void => {
      assert.equal(text, undefined);
    };
    const hears = hearRoots(
      home,
      before,
      [
        {
          ...mirror,
          async find(path, maxBytes) {
            const bytes = await mirror.find(path, maxBytes);
            if (!path.endsWith('2.root.json') || bytes === undefined) return undefined;
            await hearRoots(home, before, [mirror], fail);
            return new Uint8Array([...bytes, 0x0a]);
          },
        },
      ],
      fail,
    );
    assert.equal((await hears).root.version, 3);
    assert.deepEqual(await readFile(home.path('trust', '2.root.json')), right);

    // Nor by an older chain that is refused, from wherever it comes.
    const older = new Map(before.files).set(2, new Uint8Array([...right, 0x0a]));
    const refused = await followRoots(before.pin, (it) => Promise.resolve(older.get(it)));
    await assert.rejects(saveTrust(home, refused), { code: 'trust_invalid' });
    assert.deepEqual(await readFile(home.path('trust', '2.root.json')), right);
  });

  it('are not taken back by a mirror that has older ones, or none', async () => {
    await rm(place('patch'), { recursive: true });
    await olga(`fetch ${ID}`, ['liar', 'bare'], 'patch');
    assert.equal((await rootsOf('olga')).length, 3);
  });

  it('take an agent along, which then brings them where they are missing', async () => {
    assert.deepEqual(await rootsOf('cy'), ['1.root.json']);
    await wake('cy', gone, 'mirror');
    assert.equal((await rootsOf('cy')).length, 3);
    await wake('cy', gone, 'bare');
    assert.deepEqual(await readFile(rootOn('bare', 3)), await readFile(rootOn('mirror', 3)));
    // What is spoilt is replaced.
    await wake('cy', gone, 'liar');
    assert.deepEqual(await readFile(rootOn('liar', 2)), await readFile(rootOn('mirror', 2)));
  });
});
