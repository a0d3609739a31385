import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadChain, type Chain } from '../../../cli/client/chain.ts';
import { hearDecisions, sealDecisions } from '../../../cli/client/decisions.ts';
import { openMirror, sealedPath, type Mirror } from '../../../cli/client/mirror.ts';
import { loadTrust, type Trust } from '../../../cli/client/trust.ts';
import { runCommand } from '../../../cli/command.ts';
import { agentCommand } from '../../../cli/commands/agent.ts';
import { ProblemError, TemporaryError } from '../../../cli/errors.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openHome, type Home } from '../../../cli/home/home.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { parsePlan, planDigest } from '../../../protocol/plan/plan.ts';
import { generateKey, open, seal } from '../../../protocol/embargo/age.ts';
import { packFiles, unpackFiles } from '../../../protocol/embargo/tar.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { mergeSignatures, signEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import {
  directiveDigest,
  encodeDirective,
  verifyDirective,
} from '../../../protocol/campaign/directive.ts';
import { envelopeJson, envelopeOf } from '../../support/story.ts';
import { exitOf } from './support/exit-of.ts';
import { moveIn } from './support/officers.ts';
import { startStage, type Run, type Stage } from './support/stage.ts';

// What officers decide reaches homes that never heard of it from the server, by way of mirrors.

const LEAKED = 'SDX-2026-LEAK';
const HIDDEN = 'SDX-2026-H1DE';
const REASON = 'the diff is on a public list';

/** The mirror that plans name is a folder of this machine. */
const PLANNED = 'https://mirror.example/sealdrop';

let stage: Stage;
/** Directory of the campaign that is leaked. */
let path: string;
let mirror: Mirror;
/** It says that it has taken what it throws away. */
let isSwallowing = false;

const place = (name: string): string => join(stage.folder, name);
const planned = (): string => place('planned');

/** The mirror answers; the server does when it is there. */
const reachWith =
  (server: typeof fetch): typeof fetch =>
  async (input, init) => {
    const url = input instanceof Request ? input.url : `${input}`;
    if (!url.startsWith(`${PLANNED}/`)) return server(input, init);
    const path = url.slice(PLANNED.length + 1);
    if (init?.method === 'PUT') {
      const body = await new Response(init.body).bytes();
      if (isSwallowing) return new Response('', { status: 201 });
      await mirror.put(path, body);
      return new Response('', { status: 201 });
    }
    const bytes = await mirror.find(path, 2 ** 24);
    return new Response(bytes as BodyInit, { status: bytes === undefined ? 404 : 200 });
  };
const gone = reachWith(() => Promise.reject(new TypeError('down')));

const olga = (line: string, options = {}, through = gone): Promise<Run> =>
  stage.run('olga', line, options, { fetch: through });
/** An officer's agent, started anew; that the server is gone is a trouble that it tells. */
async function wake(officer: string, through: typeof fetch): Promise<string> {
  const context = await stage.contextOf(officer, { fetch: through });
  await runCommand(agentCommand, { options: { once: true } }, context).catch((error: unknown) => {
    assert.match(String(error), /not everything could be looked after/);
  });
  return (context as unknown as { said: { stderr: string } }).said.stderr;
}
const filesOf = async (): Promise<readonly string[]> =>
  (await readdir(planned(), { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath, it.name).slice(planned().length + 1))
    .sort();

async function prefetched(campaign: string): Promise<void> {
  await stage.readNotice('olga', campaign);
  await stage.run('olga', `prefetch ${campaign}`);
}

before(async () => {
  stage = await startStage();
  stage.mirrors = [PLANNED];
  stage.reach = reachWith(fetch);
  mirror = openMirror(await stage.contextOf('olga'), planned());
  await stage.enrolAs('olga');
});
after(() => stage[Symbol.asyncDispose]());

describe('what was decided, on mirrors', () => {
  it('is ciphertext of one size before T0, under names that tell nothing', async () => {
    await stage.bring(HIDDEN, 'committed');
    await wake('ada', stage.reach);
    const names = await filesOf();
    // Of bo, who completed `commit`, decisions and signatures; of ada, whose agent looked, decisions.
    assert.equal(names.length, 3);
    const home = openHome(await stage.contextOf('ada'));
    const planBytes = await home.campaign(HIDDEN).find('plan.txt');
    assert.ok(planBytes);
    const plan = parsePlan(planBytes);
    const telling = [HIDDEN, planDigest(planBytes), plan.commitment, 'agave', 'plan', 'commit'];
    for (const name of names) {
      assert.match(name, /^sealed\/[0-9a-f]{64}\.age$/);
      const bytes = new Uint8Array(await readFile(join(planned(), name)));
      assert.ok(bytes.length > 2 ** 17 && bytes.length < 2 ** 17 + 2000, `${bytes.length}`);
      const text = `${name}${Buffer.from(bytes).toString('latin1')}`;
      for (const word of telling) {
        assert.ok(!text.includes(word), word);
        assert.ok(!text.includes(Buffer.from(word).toString('base64').slice(0, -4)), word);
      }
      const { identity } = await generateKey();
      await assert.rejects(open(bytes, identity), { code: 'bundle_invalid' });
    }
    // The control: who holds an officer's key finds every one of these words.
    const [ada] = stage.officers.officers.values();
    const path = sealedPath('decisions', planDigest(planBytes), 'ada');
    const sealed = await mirror.find(path, 2 ** 24);
    assert.ok(ada && sealed && names.includes(path));
    const files = await unpackFiles(await open(sealed, ada.keys.ageIdentity));
    assert.deepEqual([...files.keys()], ['directives.json', 'plan.txt']);
    assert.ok(utf8Decode(files.get('plan.txt') ?? planBytes).includes(HIDDEN));
  });

  it('tells an operator and an agent of a leak that the server never told them', async () => {
    path = await stage.bring(LEAKED, 'armed');
    await prefetched(LEAKED);
    for (const id of ['ada', 'bo', 'cy']) await wake(id, stage.reach);
    const out = { out: place('too-early') };
    assert.equal(await exitOf(olga(`disclosure ${LEAKED}`, out), /is armed by all that/), 3);

    await stage.run('ada', `leaked ${LEAKED}`, { reason: REASON });
    await stage.run('bo', `approve ${LEAKED}`, { yes: true });
    // From here on nobody reaches the server: bo alone has heard.
    assert.equal(await exitOf(olga(`disclosure ${LEAKED}`, out), /0 of 2 shares/), 5);
    const before = await wake('cy', gone);
    assert.doesNotMatch(before, /ALARM/);
    await wake('ada', gone);
    const { stderr } = await olga(`disclosure ${LEAKED}`, { out: place('disclosed') });
    assert.match(stderr, /going on with the decisions that are kept here/);
    assert.match(await readFile(join(place('disclosed'), 'disclosure.md'), 'utf8'), /Unchecked/);
    // The signatures that she has are spoilt, and those that bo brought are not.
    const { home } = await stage.contextOf('olga');
    await writeFile(join(home, 'campaigns', LEAKED, 'signatures.age'), 'junk');
    const fetched = await olga(`fetch ${LEAKED}`, { out: place('patch') });
    assert.match(fetched.stderr, /signatures over the files from this home do not hold/);
    assert.equal(fetched.summary['signatures'], 'verified');
    assert.ok(!(await readdir(stage.folder)).includes('too-early'));
  });
});

describe('mirror put', () => {
  const put = (options = {}): Promise<Run> =>
    stage.run('cy', `mirror put ${LEAKED}`, { draft: draftPath(path, 'cy'), ...options });

  it('brings ciphertext, decisions and signatures, and only what is missing', async () => {
    const folder = place('by-hand');
    const { summary } = await put({ mirror: [folder] });
    assert.deepEqual(summary['bundles'], [
      { mirror: folder, there: 0, put: 2 },
      { mirror: PLANNED, there: 0, put: 2 },
    ]);
    assert.deepEqual(summary['decisions'], [folder, PLANNED]);
    assert.deepEqual(summary['signatures'], [folder, PLANNED]);
    const bundles = await readdir(join(folder, 'bundles'));
    assert.equal(bundles.length, 2);
    // One that was exchanged is replaced.
    const [first = ''] = bundles;
    const whole = await readFile(join(folder, 'bundles', first));
    await writeFile(join(folder, 'bundles', first), 'other bytes');
    const again = await put({ mirror: [folder] });
    assert.deepEqual(again.summary['bundles'], [
      { mirror: folder, there: 1, put: 1 },
      { mirror: PLANNED, there: 2, put: 0 },
    ]);
    assert.deepEqual(await readFile(join(folder, 'bundles', first)), whole);
  });

  it('believes no mirror that it has taken anything, and goes on with the others', async () => {
    for (const name of await readdir(join(planned(), 'bundles'))) {
      await rm(join(planned(), 'bundles', name));
    }
    isSwallowing = true;
    const folder = place('beside');
    const rejected = put({ mirror: [folder] });
    await assert.rejects(rejected, { message: `not everything is at ${PLANNED}` });
    isSwallowing = false;
    assert.equal((await readdir(join(folder, 'bundles'))).length, 2);
  });

  it('takes no draft of another plan', async () => {
    await assert.rejects(
      stage.run('cy', `mirror put ${HIDDEN}`, { draft: draftPath(path, 'cy') }),
      {
        message: /the draft is of/,
      },
    );
  });
});

/** What one home knows, and mirrors in memory beside it. */
describe('mirrors that lie about what was decided', () => {
  let home: Home;
  let trust: Trust;
  let known: Chain;
  let whole: Uint8Array;
  let accessRecipient: string;

  before(async () => {
    // As olga's home was before the leak.
    const context = await stage.contextOf('otto');
    home = openHome(context);
    await moveIn(context.home, stage.officers, undefined, stage.server.url);
    const from = openHome(await stage.contextOf('olga'));
    trust = await loadTrust(home);
    const full = await loadChain(from, trust, from.campaign(LEAKED));
    const directory = home.campaign(LEAKED);
    const access = await from.campaign(LEAKED).findSecret('access.key');
    assert.ok(access);
    await directory.writeSecret('access.key', access);
    await directory.write('plan.txt', full.planBytes);
    await directory.write('directives.json', JSON.stringify(full.completed.slice(0, -1)));
    known = await loadChain(home, trust, directory);
    assert.equal(known.state.status, 'armed');
    ({ accessRecipient } = full.plan);
    whole = (await sealDecisions(full, trust.root)).bytes;
  });

  const mirrorOf = (name: string, find: (officer: string) => Promise<Uint8Array>): Mirror => ({
    name,
    put: () => Promise.reject(new Error('read only')),
    putBundle: () => Promise.reject(new Error('read only')),
    find: (path) => {
      const digest = planDigest(known.planBytes);
      const officer = ['ada', 'bo', 'cy'].find(
        (id) => path === sealedPath('decisions', digest, id),
      );
      return officer === undefined ? Promise.resolve(undefined) : find(officer);
    },
    askForBundle: () => Promise.reject(new Error('not asked')),
  });
  const saying = (name: string, bytes: Uint8Array): Mirror =>
    mirrorOf(name, () => Promise.resolve(bytes));
  const good = (): Mirror => saying('good', whole);
  const toReaders = async (files: Record<string, string | Uint8Array>): Promise<Uint8Array> => {
    const bytes = Object.entries(files).map(([name, it]): [string, Uint8Array] => [
      name,
      typeof it === 'string' ? utf8Encode(it) : it,
    ]);
    const officers = [...trust.root.people.values()].map(({ age }) => age);
    return seal(await packFiles(new Map(bytes)), [accessRecipient, ...officers]);
  };
  const listed = (envelopes: readonly Envelope[]): string =>
    JSON.stringify(
      envelopes.map((envelope) => ({
        envelope: envelopeJson(envelope),
        completedAt: formatInstant(stage.now()),
      })),
    );
  const decisions = (...envelopes: readonly Envelope[]): Promise<Uint8Array> =>
    toReaders({ 'plan.txt': known.planBytes, 'directives.json': listed(envelopes) });

  /** The directive after what is known, with changes, by these signers. */
  function next(ids: readonly string[], changes: object = {}): Envelope {
    const last = known.directives.at(-1);
    assert.ok(last);
    const { digest, people, ...rest } = last;
    assert.ok(digest && people.length > 0);
    const payload = encodeDirective({
      ...rest,
      action: 'leaked',
      from: 'armed',
      to: 'disclosed',
      sequence: last.sequence + 1,
      previous: digest,
      reason: 'other words',
      ...changes,
    });
    const envelopes = ids.map((id) => {
      const seed = stage.officers.officers.get(id)?.keys.seed;
      return signEnvelope(payload, signerFromSeed(seed ?? new Uint8Array(32).fill(7)));
    });
    return envelopes.reduce((all, one) => mergeSignatures(all, one));
  }

  /** What is heard from a liar first and then from a good mirror, without remembering it. */
  async function hear(...mirrors: readonly Mirror[]): Promise<{ chain: Chain; said: string }> {
    const said: string[] = [];
    const state = await readFile(home.path('state.json'));
    const directives = await home.campaign(LEAKED).find('directives.json');
    assert.ok(directives);
    try {
      const warn = (text: string): void => void said.push(text);
      const chain = await hearDecisions({ home, trust, warn }, mirrors, known);
      return { chain, said: said.join('\n') };
    } finally {
      await writeFile(home.path('state.json'), state);
      await home.campaign(LEAKED).write('directives.json', directives);
    }
  }

  it('are named and skipped, and the next one is used', async () => {
    const other = openHome(await stage.contextOf('ada'));
    const hidden = await loadChain(other, trust, other.campaign(HIDDEN));
    const liars: [string, Mirror, RegExp][] = [
      ['junk', saying('liar', utf8Encode('junk')), /cannot be opened with the keys/],
      ['no archive', saying('liar', await seal(utf8Encode('x'), [accessRecipient])), /archive/],
      ['nothing', saying('liar', await toReaders({ 'plan.txt': 'x' })), /no directives/],
      [
        'odd JSON',
        saying('liar', await toReaders({ 'plan.txt': 'x', 'directives.json': '{}' })),
        /directives.json/,
      ],
      [
        'another campaign',
        saying('liar', (await sealDecisions({ ...hidden }, trust.root)).bytes),
        /cannot be opened|another campaign/,
      ],
      [
        'another campaign, for these operators',
        saying(
          'liar',
          await toReaders({
            'plan.txt': hidden.planBytes,
            'directives.json': JSON.stringify(hidden.completed),
          }),
        ),
        /of another campaign/,
      ],
      ['by strangers', saying('liar', await decisions(next(['nobody']))), /sign/],
      ['by too few', saying('liar', await decisions(next(['ada']))), /1 of/],
      ['one twice', saying('liar', await decisions(next(['bo', 'bo']))), /./],
      ['with a gap', saying('liar', await decisions(next(['ada', 'bo'], { sequence: 99 }))), /./],
      [
        'after something else',
        saying('liar', await decisions(next(['ada', 'bo'], { previous: 'ab'.repeat(32) }))),
        /./,
      ],
      [
        'of a plan that is not there',
        saying('liar', await decisions(next(['ada', 'bo'], { plan: 'ab'.repeat(32) }))),
        /plan that they speak of is missing/,
      ],
      [
        'endless',
        mirrorOf('liar', () => Promise.reject(new ProtocolError('too_large', 'is longer than'))),
        /longer than/,
      ],
      ['hanging', mirrorOf('liar', () => Promise.reject(new TemporaryError('too slow'))), /slow/],
      ['refusing', mirrorOf('liar', () => Promise.reject(new ProblemError(500, 'x', 'no'))), /no/],
    ];
    for (const [what, liar, says] of liars) {
      const alone = await hear(liar);
      assert.equal(alone.chain, known, what);
      assert.match(alone.said, /^mirror liar/, what);
      assert.match(alone.said, says, what);
      const { chain, said } = await hear(liar, good());
      assert.equal(chain.state.status, 'disclosed', what);
      assert.match(said, says, what);
      assert.doesNotMatch(said, /mirror good/);
    }
  });

  it('can keep decisions back, and nothing worse', async () => {
    const older = await decisions(
      ...known.completed.slice(0, 1).map((it) => envelopeOf(it.envelope)),
    );
    const { chain, said } = await hear(saying('older', older));
    assert.equal(chain, known);
    assert.equal(said, '');
    assert.equal((await hear(saying('older', older), good())).chain.state.status, 'disclosed');
    // A lie of one officer's copy takes nothing from the copies of others beside it.
    const mixed = mirrorOf('mixed', (officer) =>
      Promise.resolve(officer === 'ada' ? utf8Encode('junk') : whole),
    );
    const beside = await hear(mixed);
    assert.equal(beside.chain.state.status, 'disclosed');
    assert.match(beside.said, /mirror mixed/);
  });

  it('show a fork, which is an alarm and ends it', async () => {
    const fork = await decisions(next(['ada', 'bo']));
    const forked = { code: 'directives_forked', message: /ALARM|alarm/ };
    // By itself it is only what goes on from here; beside the other one it is a fork.
    assert.equal((await hear(saying('first', fork))).chain.state.status, 'disclosed');
    await assert.rejects(hear(good(), saying('second', fork)), forked);
    await assert.rejects(hear(saying('first', fork), good()), forked);
    const both = [next(['ada', 'bo']), next(['bo', 'cy'], { reason: 'still other words' })];
    await assert.rejects(hear(saying('both', await decisions(...both))), forked);
    // Signed by too few it is none.
    const forged = await decisions(next(['ada']));
    const { chain, said } = await hear(good(), saying('forged', forged));
    assert.equal(chain.state.status, 'disclosed');
    assert.match(said, /mirror forged/);
  });

  it('show a fork of which both sides are kept as they are signed, once, and not without end', async () => {
    const evidence = home.path('evidence');
    await rm(evidence, { recursive: true, force: true });
    const alarmOf = async (...mirrors: readonly Mirror[]): Promise<string> => {
      const error: unknown = await hear(...mirrors).then(
        () => assert.fail('no alarm'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof ProtocolError && error.code === 'directives_forked');
      return error.message;
    };
    const other = next(['ada', 'bo']);
    const fork = await decisions(other);
    const [, path = ''] =
      /both are kept in (\S+)$/.exec(await alarmOf(good(), saying('x', fork))) ?? [];
    const kept = JSON.parse(await readFile(path, 'utf8')) as { directives: unknown[] };
    const digests = kept.directives.map((it) => {
      return verifyDirective(envelopeOf(it), trust.roots, verifyEd25519).digest;
    });
    assert.ok(digests.includes(directiveDigest(other.payload)));
    assert.equal(new Set(digests).size, 2);
    assert.equal((await stat(path)).mode & 0o777, 0o600);

    // Seen again, in the other order or signed by others, it is the same one and stays as it was.
    await writeFile(path, 'as it was');
    assert.ok((await alarmOf(saying('x', fork), good())).includes(path));
    const byOthers = await decisions(next(['bo', 'cy']));
    assert.ok((await alarmOf(good(), saying('x', byOthers))).includes(path));
    assert.equal(await readFile(path, 'utf8'), 'as it was');
    // Nobody reads it: what is known here goes on from what is known here.
    assert.equal((await hear(good())).chain.state.status, 'disclosed');

    for (let i = 1; i < 16; i++) await writeFile(home.path('evidence', `directives-${i}.json`), '');
    const third = await decisions(next(['ada', 'cy'], { reason: 'still other words' }));
    assert.match(await alarmOf(good(), saying('x', third)), /and this one is not kept/);
    assert.equal((await readdir(evidence)).length, 16);
    // What too few have signed is no evidence, and no alarm.
    await rm(evidence, { recursive: true });
    await hear(good(), saying('forged', await decisions(next(['ada']))));
    assert.equal(existsSync(evidence), false);
  });

  it('end a fetch with exit 6 when they show a fork, and agents go on with what they know', async () => {
    const fork = await decisions(next(['ada', 'bo']));
    const path = sealedPath('decisions', planDigest(known.planBytes), 'cy');
    const kept = await mirror.find(path, 2 ** 24);
    assert.ok(kept);
    await mirror.put(path, fork);
    const out = { out: place('forked') };
    assert.equal(await exitOf(olga(`fetch ${LEAKED}`, out), /ALARM/), 6);
    assert.match(await wake('bo', gone), /ALARM/);
    await mirror.put(path, kept);
    assert.equal(await exitOf(olga(`fetch ${LEAKED}`, out), /./), 0);
  });
});
