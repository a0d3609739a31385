import assert from 'node:assert/strict';
import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commands } from '../../../cli/commands.ts';
import { connect } from '../../../cli/client/connect.ts';
import { refreshTargets } from '../../../cli/client/targets.ts';
import { refreshTrust } from '../../../cli/client/trust.ts';
import { openHome } from '../../../cli/home/home.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { encodeTuf, parseTuf, signTuf, tufKeyId } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot } from '../../../protocol/trust/root-file.ts';
import { verifyNextRoot } from '../../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { makeCard } from '../../../server/card.ts';
import { openKeys } from '../../../server/store/keys.ts';
import { startStage, type Stage } from '../officer/support/stage.ts';

// One network in five rotations; each test goes on from where the one before left it.

const OFFICERS = ['ada', 'bo', 'cy', 'di', 'ed'];
const SIGNERS = 3;

let stage: Stage;
before(async () => {
  stage = await startStage({ ids: OFFICERS, threshold: SIGNERS });
});
after(() => stage[Symbol.asyncDispose]());

const place = (name: string): string => join(stage.folder, name);
const cardOf = (id: string): string => place(`${id}.card.json`);
const trustAdd = (id: string): Promise<unknown> =>
  stage.run(id, `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });

/** A person with fresh keys in a home of their own. */
async function newcomer(id: string, home = id): Promise<void> {
  await stage.run(home, 'officer init', { id, out: cardOf(home) });
  await trustAdd(home);
}

async function served(version: number): Promise<Uint8Array | undefined> {
  const answer = await stage.server.client().get(`/tuf/${version}.root.json`);
  return answer.status === 200 ? answer.bytes : undefined;
}

async function inForce(): Promise<TrustRoot> {
  const { summary } = await stage.run('ada', 'trust show', { refresh: true });
  return parseRoot((await served(Number(summary['version']))) ?? new Uint8Array());
}

async function rootIn(folder: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(folder, 'root.json')));
}

/** A copy of a folder in which only these keys have signed the root. */
async function signedOnlyBy(
  folder: string,
  name: string,
  isKept: (key: string) => boolean,
): Promise<string> {
  const copy = place(name);
  await cp(folder, copy, { recursive: true });
  const { signed, signatures } = parseTuf(await rootIn(folder));
  const kept = signatures.filter(({ keyid }) => isKept(keyid));
  await writeFile(join(copy, 'root.json'), encodeTuf(signed, kept));
  return copy;
}

/** Post files to the server as they are, past everything that the CLI checks. */
async function post(folder: string): Promise<{ status: number; detail: string }> {
  const body = {
    root: Buffer.from(await rootIn(folder)).toString('base64'),
    targets: (await readFile(join(folder, 'targets.json'))).toString('base64'),
  };
  const answer = await stage.server.client().post('/v1/trust/roots', body);
  const detail = answer.status === 200 ? '' : (answer.json<{ detail?: string }>().detail ?? '');
  return { status: answer.status, detail };
}

/** `trust rotate` by ada, to a folder of this name. */
async function rotate(name: string, options: Record<string, unknown>): Promise<void> {
  const all = { expires: '365', ...options, out: place(name) };
  await stage.run('ada', 'trust rotate', all);
}

/** What a root says but for `changes`, signed by three who are old and new alike. */
async function signedAnew(
  folder: string,
  name: string,
  changes: Partial<TrustRoot>,
): Promise<string> {
  const copy = place(name);
  await cp(folder, copy, { recursive: true });
  const signed = buildRootSigned({ ...parseRoot(await rootIn(folder)), ...changes });
  const signers = ['ada', 'bo', 'cy'].map((id) => {
    const officer = stage.officers.officers.get(id);
    if (officer === undefined) throw new Error(`no ${id}`);
    return signerFromSeed(officer.rootSeed);
  });
  await writeFile(join(copy, 'root.json'), encodeTuf(signed, signTuf(signed, ...signers)));
  return copy;
}

/** Sign a timestamp far ahead, as whoever has the server's key can. */
async function runAway(path: string): Promise<void> {
  const { timestamp } = await openKeys(join(stage.server.dataDirectory, 'keys'));
  const { signed } = parseTuf(new Uint8Array(await readFile(path)));
  const ahead = { ...signed, version: 2 ** 40 };
  await writeFile(path, encodeTuf(ahead, signTuf(ahead, timestamp)));
}

async function rootLeaves(): Promise<number> {
  await stage.server.sequence();
  const answer = await stage.server.client().get('/v1/trust/roots');
  const { roots } = answer.json<{ roots: { leafIndex: number | null }[] }>();
  return roots.filter(({ leafIndex }) => leafIndex !== null).length;
}

type Said = Awaited<ReturnType<typeof stage.run>>;
type LoggedRoots = { sha256: string; leafIndex: number | null }[];

describe('an officer replaced by another', () => {
  let folder: string;
  before(async () => {
    folder = place('second');
    await newcomer('flo');
    await stage.run('ada', 'trust rotate', {
      remove: ['ed'],
      officer: [cardOf('flo')],
      expires: '365',
      out: folder,
    });
  });

  it('is told as a change, and takes signatures of the old people and of the new', async () => {
    const bo = await stage.run('bo', `trust sign ${folder}`);
    assert.deepEqual(bo.summary['missing'], 1);
    assert.deepEqual(bo.summary['missingOld'], 1);
    const changes = bo.summary['changes'] as { what: string; name: string }[];
    const told = changes.map(({ what, name }) => `${what} ${name}`);
    assert.deepEqual(told.slice(0, 2), ['person-removed ed', 'person-added flo']);
    // flo is new: her signature counts for the new people alone.
    const flo = await stage.run('flo', `trust sign ${folder}`);
    assert.deepEqual([flo.summary['missing'], flo.summary['missingOld']], [0, 1]);
    assert.equal(flo.summary['rootSha256'], null);
    await assert.rejects(stage.run('ada', `trust publish ${folder}`), /1 of the old/);
    assert.equal((await post(folder)).status, 422);
    // ed leaves and may still sign as one of the old.
    const ed = await stage.run('ed', `trust sign ${folder}`);
    assert.deepEqual([ed.summary['missing'], ed.summary['missingOld']], [0, 0]);
    assert.deepEqual(ed.summary['signedByOld'], ['ada', 'bo', 'ed']);
    assert.deepEqual(ed.summary['signedBy'], ['ada', 'bo', 'flo']);
  });

  it('is refused when signed by the old people alone, or by the new alone', async () => {
    const old = parseRoot(stage.server.rootBytes);
    const next = parseRoot(await rootIn(folder));
    const keysOf = (root: TrustRoot): Set<string> =>
      new Set([...root.people.values()].map((it) => tufKeyId(it.root)));
    const [before, after] = [keysOf(old), keysOf(next)];
    for (const [name, may] of [
      ['only-old', before],
      ['only-new', after],
    ] as const) {
      const forged = await signedOnlyBy(folder, name, (key) => may.has(key));
      const bytes = await rootIn(forged);
      assert.throws(() => verifyNextRoot(bytes, old, verifyEd25519), { code: 'threshold_unmet' });
      await assert.rejects(stage.run('ada', `trust publish ${forged}`), { name: 'CliError' });
      assert.equal((await post(forged)).status, 422, name);
    }
    assert.equal(await served(2), undefined);
    // The control: with the signatures of both, the same bytes are a root.
    assert.equal(verifyNextRoot(await rootIn(folder), old, verifyEd25519).version, 2);
  });

  it('is published to the running server, and everybody is who they are now', async () => {
    const session = await stage.contextOf('ed');
    const ed = stage.server.client((await openHome(session).officerKeys()).signer);
    assert.equal((await ed.get('/v1/campaigns')).status, 200);
    const { summary } = await stage.run('cy', `trust publish ${folder}`);
    assert.deepEqual([summary['version'], summary['isNew']], [2, true]);
    assert.deepEqual(await served(2), await rootIn(folder));
    // With the token he had: it is not the login that is asked again.
    assert.equal((await ed.get('/v1/campaigns')).status, 401);
    await assert.rejects(stage.run('ed', 'status SDX-2026-0000'), { name: 'LoginError' });
    const flo = openHome(await stage.contextOf('flo'));
    const asFlo = stage.server.client((await flo.officerKeys()).signer);
    assert.equal((await asFlo.get('/v1/campaigns')).status, 200);
    assert.equal((await asFlo.get('/tuf/2.targets.json')).status, 200);
  });

  it('is in the log once, however often it is published, and after a restart', async () => {
    assert.equal(await rootLeaves(), 2);
    const again = await stage.run('bo', `trust publish ${folder}`);
    assert.equal(again.summary['isNew'], false);
    stage.advanceTo(stage.now() + 2000);
    await stage.server.restart();
    assert.deepEqual(await served(2), await rootIn(folder));
    assert.equal(await rootLeaves(), 2);
  });

  it('stands in the history that trust show proves from the log', async () => {
    await stage.server.sequence();
    const { summary } = await stage.run('bo', 'trust show', { refresh: true });
    assert.equal(summary['rootsInLog'], 2);
    const history = summary['history'] as { version: number; sha256: string; changes: object[] }[];
    assert.deepEqual(
      history.map(({ version, sha256 }) => `${version} ${sha256}`),
      [`1 ${stage.server.rootSha256}`, `2 ${sha256Hex(await rootIn(folder))}`],
    );
    assert.equal(history[0]?.changes.length, 0);
    assert.notEqual(history[1]?.changes.length, 0);
    const shown = async (change: (roots: LoggedRoots) => void): Promise<Said> => {
      const lying: typeof fetch = async (input, init) => {
        const answer = await fetch(input, init);
        const url = input instanceof Request ? input.url : input.toString();
        if (!url.endsWith('/v1/trust/roots')) return answer;
        const json = (await answer.json()) as { roots: LoggedRoots };
        change(json.roots);
        return new Response(JSON.stringify(json), { headers: answer.headers });
      };
      return stage.run('bo', 'trust show', { refresh: true }, { fetch: lying });
    };
    const another = shown(([, second]) => {
      if (second) second.sha256 = 'ab'.repeat(32);
    });
    await assert.rejects(another, { code: 'trust_invalid' });
    const elsewhere = shown(([, second]) => {
      if (second) second.leafIndex = 0;
    });
    await assert.rejects(elsewhere, { code: 'proof_invalid' });
    // Leaves stand in their order, so only the newest may be on its way.
    const skipped = shown(([first]) => {
      if (first) first.leafIndex = null;
    });
    await assert.rejects(skipped, { message: /root 1 is not in the log, but root 2 is/ });
    const late = await shown(([, second]) => {
      if (second) second.leafIndex = null;
    });
    assert.equal(late.summary['rootsInLog'], 1);
    assert.match(late.stderr, /root 2 is not in the log yet/);
  });
});

describe('a root that does not follow', () => {
  it('is refused as a replay, a gap and a fork, and the fork is an alarm', async () => {
    const second = place('second');
    // A third root, kept back, and another second one by the same people.
    await rotate('third', {});
    await stage.run('bo', `trust sign ${place('third')}`);
    await stage.run('cy', `trust sign ${place('third')}`);
    const root1 = place('first');
    await cp(second, root1, { recursive: true });
    await writeFile(join(root1, 'root.json'), stage.server.rootBytes);
    assert.deepEqual(await post(root1), { status: 409, detail: 'root 2 is in force' });

    const fork = await signedAnew(second, 'fork', { expires: '2030-01-01T00:00:00Z' });
    const alarms = (): number =>
      stage.server.logged.filter((line) => line['code'] === 'root_fork').length;
    assert.equal(alarms(), 0);
    assert.equal((await post(fork)).status, 409);
    assert.equal(alarms(), 1);
    assert.deepEqual(await served(2), await rootIn(second));
    await assert.rejects(stage.run('ada', `trust publish ${fork}`));

    // Without the third the fourth leaves a gap: made in homes that have been told of a third.
    assert.equal((await post(place('third'))).status, 200);
    await rotate('fourth', {});
    await stage.run('bo', `trust sign ${place('fourth')}`);
    await stage.run('cy', `trust sign ${place('fourth')}`);
    await signedAnew(place('fourth'), 'fifth', { version: 5 });
    assert.deepEqual(await post(place('fifth')), { status: 409, detail: 'root 4 is next' });
    assert.equal((await post(place('fourth'))).status, 200);
  });

  it('is refused when expired, with targets of others, or under keys the server has not', async () => {
    await rotate('short', { expires: '1' });
    for (const id of ['bo', 'cy']) await stage.run(id, `trust sign ${place('short')}`);
    const before = stage.now();
    stage.advanceTo(before + 2 * 86_400_000);
    assert.equal((await post(place('short'))).status, 422);
    await assert.rejects(stage.run('di', `trust sign ${place('short')}`), /expired/);
    stage.advanceTo(before);

    const mixed = place('mixed');
    await cp(place('short'), mixed, { recursive: true });
    await cp(join(place('second'), 'targets.json'), join(mixed, 'targets.json'));
    assert.notEqual((await post(mixed)).status, 200);

    const card = JSON.parse(JSON.stringify(await makeCard(stage.server.config))) as object;
    const foreign = place('foreign.card.json');
    const other = {
      ...card,
      snapshotKey: parseRoot(stage.server.rootBytes).people.get('ed')?.root,
    };
    await writeFile(foreign, JSON.stringify(other));
    // ed has left, so that his key has no purpose any more; but the server does not hold it.
    await rotate('foreign', { server: foreign });
    for (const id of ['bo', 'cy']) await stage.run(id, `trust sign ${place('foreign')}`);
    const answer = await post(place('foreign'));
    assert.equal(answer.status, 422);
    assert.match(answer.detail, /snapshot key/);
    assert.equal(await served(5), undefined);
    // The control: the very same files are taken while they are good.
    assert.equal((await post(place('short'))).status, 200);
  });
});

describe('one person with two keys', () => {
  it('counts once on each side, and says so when the keys are replaced', async () => {
    // bo has lost his laptop: new keys under his name, in another home; his old ones still exist.
    await newcomer('bo', 'bo-new');
    await rotate('renewed', { officer: [cardOf('bo-new')] });
    const folder = place('renewed');
    await assert.rejects(stage.run('bo', `trust sign ${folder}`), {
      code: 'trust_invalid',
      message: /--replaced/,
    });
    const old = await stage.run('bo', `trust sign ${folder}`, { replaced: true });
    const both = await stage.run('bo-new', `trust sign ${folder}`);
    // ada and bo on either side: two people, although three root keys have signed.
    assert.equal(parseTuf(await rootIn(folder)).signatures.length, 3);
    assert.deepEqual(old.summary['missingOld'], 1);
    assert.deepEqual([both.summary['missing'], both.summary['missingOld']], [1, 1]);
    assert.equal((await post(folder)).status, 422);
    await stage.run('cy', `trust sign ${folder}`);
    const { summary } = await stage.run('cy', `trust publish ${folder}`);
    assert.equal(summary['isNew'], true);
  });
});

describe('keys of the server', () => {
  it('are renewed by a root, so that versions that ran away are forgotten', async () => {
    const home = openHome(await stage.contextOf('cy'));
    const context = await stage.contextOf('cy');
    const client = await connect(context, home, (await home.officerKeys()).signer);
    const refresh = async (): Promise<unknown> =>
      refreshTargets(home, client, await refreshTrust(home, client), stage.now());
    await refresh();
    // Somebody had the timestamp key for a moment and showed cy a version far ahead.
    await runAway(home.path('tuf', 'timestamp.json'));
    await home.state.advanceTuf({ ...(await home.state.read()).tuf, timestamp: 2 ** 40 });
    await assert.rejects(refresh(), { code: 'trust_invalid' });

    const card = place('renewed.card.json');
    await writeFile(card, JSON.stringify(await makeCard(stage.server.config, { renew: true })));
    await rotate('recovery', { server: card });
    for (const id of ['cy', 'di']) await stage.run(id, `trust sign ${place('recovery')}`);
    await assert.rejects(refresh(), { code: 'trust_invalid' }, 'before it is published');
    const { summary } = await stage.run('ada', `trust publish ${place('recovery')}`);
    assert.equal(summary['isNew'], true);
    const { timestampKey } = await inForce();
    const named = JSON.parse(await readFile(card, 'utf8')) as { timestampKey: string };
    assert.equal(timestampKey, named.timestampKey);
    await refresh();
    assert.ok((await home.state.read()).tuf.timestamp < 2 ** 31);
  });
});

describe('a server that is to hold shares', () => {
  it('is named by a root that says so, with keys of its card, and let go by another', async () => {
    const custody = place('custody.key');
    const config = { ...stage.server.config, custodyFile: custody };
    await assert.rejects(makeCard(config), /`card --custody` makes one/);
    await assert.rejects(makeCard(stage.server.config, { custody: true }), { name: 'ConfigError' });
    const card = await makeCard(config, { custody: true });
    assert.deepEqual(await makeCard(config), card);
    await assert.rejects(makeCard(config, { custody: true }), { code: 'EEXIST' });
    assert.equal((await stat(custody)).mode & 0o077, 0);
    const file = place('custody.card.json');
    await writeFile(file, JSON.stringify(card));

    await rotate('custodian', { server: file });
    await stage.run('cy', `trust sign ${place('custodian')}`);
    const signed = await stage.run('di', `trust sign ${place('custodian')}`);
    assert.match(JSON.stringify(signed.summary), /"name":"custody","before":"none"/);
    await stage.run('ada', `trust publish ${place('custodian')}`);
    assert.deepEqual((await inForce()).custodian, card.custodian);
    await rotate('kept', {});
    assert.deepEqual(parseRoot(await rootIn(place('kept'))).custodian, card.custodian);
    await rotate('let-go', { removeCustodian: true });
    assert.equal(parseRoot(await rootIn(place('let-go'))).custodian, undefined);
  });
});

describe('a root that has expired', () => {
  it('stops officers from deciding, and not from rotating', async () => {
    stage.advanceTo(stage.now() + 2 * 365 * 86_400_000);
    await assert.rejects(stage.run('cy', 'status SDX-2026-0000'), { message: /expired/ });
    await rotate('revived', {});
    for (const id of ['cy', 'di']) await stage.run(id, `trust sign ${place('revived')}`);
    const { summary } = await stage.run('cy', `trust publish ${place('revived')}`);
    assert.equal(summary['isNew'], true);
    // The control: the same command is refused now for the campaign alone, which is not there.
    await assert.rejects(stage.run('cy', 'status SDX-2026-0000'), { name: 'ProblemError' });
  });
});

describe('trust rotate', () => {
  it('refuses what contradicts itself before anybody signs', async () => {
    const never = { expires: '365', out: place('never') };
    const usage = { name: 'UsageError' };
    for (const options of [
      { remove: ['nobody'] },
      { remove: ['flo'], officer: [cardOf('flo')] },
      { officer: [cardOf('flo'), cardOf('flo')] },
      { shareThreshold: '1' },
      { threshold: '9' },
      { expires: '0' },
      { witness: ['witness'] },
      { removeWitness: ['nobody'] },
    ]) {
      await assert.rejects(stage.run('ada', 'trust rotate', { ...never, ...options }), usage);
    }
    await assert.rejects(stage.run('ada', 'trust rotate', { ...never, threshold: '2' }), {
      code: 'trust_invalid',
    });
  });

  it('is among the commands, with the other two', () => {
    const names = commands.listing.map(({ name }) => name).filter((it) => it.startsWith('trust '));
    assert.deepEqual(names.sort(), [
      'trust add',
      'trust init',
      'trust publish',
      'trust rotate',
      'trust show',
      'trust sign',
    ]);
  });
});
