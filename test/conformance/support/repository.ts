import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, type Command, type Input } from '../../../cli/command.ts';
import { fetchCommand } from '../../../cli/commands/fetch.ts';
import { inboxCommand } from '../../../cli/commands/inbox.ts';
import { logVerifyCommand } from '../../../cli/commands/log-verify.ts';
import { prefetchCommand } from '../../../cli/commands/prefetch.ts';
import { ackCommand } from '../../../cli/commands/statements.ts';
import { trustAddCommand } from '../../../cli/commands/trust-add.ts';
import { trustShowCommand } from '../../../cli/commands/trust-show.ts';
import { verifyNoticeCommand } from '../../../cli/commands/verify-notice.ts';
import { writeFiles } from '../../../cli/operator/write-files.ts';
import { seal } from '../../../protocol/embargo/age.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { formatTilePath, TILE_WIDTH, type Tile } from '../../../protocol/log/tile-path.ts';
import { tilesOf, tileWidth } from '../../../protocol/log/tiles.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { encodePublication } from '../../../protocol/statement/share.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { openKeys, type ServerKeys } from '../../../server/store/keys.ts';
import { putRealSignatures } from '../../cli/audit/support/told-campaign.ts';
import { noticeFiles, openOutpost, type Outpost } from '../../cli/operator/support/outpost.ts';
import { meddleJson, meddlingFetch } from '../../cli/operator/support/meddling.ts';
import { testContext, type TestContext } from '../../cli/support/context.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../support/clock.ts';
import { signRoot, type TestOfficer } from '../../support/officers.ts';
import { envelopeJson, expectStatus, openStory, type Story } from '../../support/story.ts';
import { copyHome } from './home.ts';
import { recordingFetch } from './recorder.ts';
import type { Answer, Answers } from './answer.ts';

/** Homes of one operator at different times; copy one before use. */
export type HomeName =
  | 'empty' // nothing at all
  | 'enrolled' // trusts the server and is enrolled
  | 'then' // has prefetched both campaigns at the first of the two times
  | 'now'; // and again at the second, under the second root

/** What a real server said, and the keys to sign what a thief of them could have signed. */
export interface Repository {
  readonly folder: string;
  /**
   * Values of names in paths: `{A}` the id, `{bundleA}`, `{planA}`, `{commitmentA}`; `{snapshot}`, `{targets}`
   * and with `Then` the older ones; `{tile}` and `{entries}` where the commitment of A is.
   */
  readonly names: ReadonlyMap<string, string>;
  readonly homes: Readonly<Record<HomeName, string>>;
  /** Two armed campaigns under the first root. */
  readonly then: Answers;
  /** Later: second root, T0 of both moved, a third campaign armed, a longer log. */
  readonly now: Answers;
  /** After T0, with the shares out. */
  readonly released: Answers;
  /** When `now` and `released` were recorded, Unix ms. */
  readonly clock: { readonly now: number; readonly released: number };
  readonly rootSha256: string;
  /** The newest; the first one has the same people and keys. */
  readonly root: TrustRoot;
  readonly officers: readonly TestOfficer[];
  readonly server: ServerKeys;
  readonly campaigns: { readonly A: Story; readonly B: Story };
  /** Folders that hold `notice.txt` and `COMMITMENT`. */
  readonly notices: { readonly A: string; readonly B: string };
}

/**
 * Tell a story on a real server once, through the real CLI, and write down what it answers.
 *
 * @param folder - A new folder, for homes.
 * @param url - Where the answers will be repeated.
 */
export async function recordRepository(folder: string, url: string): Promise<Repository> {
  await using outpost = await openOutpost();
  const { server, clock } = outpost;
  const homes = homesIn(folder);
  await mkdir(homes.empty);
  await using operator = await outpost.enrolled({ json: true });
  await keep(operator, homes.enrolled, url);
  const { snapshot } = outpost;
  const A = await openStory(server, { snapshot });
  const B = await openStory(server, { snapshot, others: [A] });
  const C = await openStory(server, { snapshot, others: [A, B] });
  const notices = { A: join(folder, 'notice-A'), B: join(folder, 'notice-B') };
  for (const [name, story] of Object.entries({ A, B })) {
    await notify(outpost, story);
    await outpost.sendNotice(story, operator);
    await server.sequence();
    const notice = noticeFiles(story);
    await writeFiles(join(folder, `notice-${name}`), notice);
    await runCommand(verifyNoticeCommand, noticeInput(join(folder, `notice-${name}`)), operator);
  }
  await A.decide('arm');
  await B.decide('arm');
  await server.sequence();

  const recorder = recorderOf(outpost, folder);
  const then = new Map<string, Answer>();
  await recorder.run(prefetchCommand, campaign(A), operator.home, then);
  await recorder.run(prefetchCommand, campaign(B), operator.home, then);
  await recorder.tiles(then);
  await keep(operator, homes.then, url);

  clock.advance(MINUTE_MS);
  const root = await renewRoot(outpost, folder);
  const second = { rootVersion: root.version };
  const later = { ...second, releaseTime: formatTime(clock.now() + 90 * MINUTE_MS) };
  await A.decide('reschedule', later);
  await B.decide('reschedule', later);
  await notify(outpost, C, second);
  await C.decide('arm', second);
  await server.sequence();

  // Ciphertext and plans are fetched once; so is a token, which the next run has to ask for again.
  const now = new Map([...then].filter(([path]) => /\/blobs\/|\/plan$/.test(path)));
  await rm(join(operator.home, 'session.json'));
  await recorder.elsewhere(verifyNoticeCommand, noticeInput(notices.A), homes.enrolled, now);
  await recorder.run(prefetchCommand, campaign(A), operator.home, now);
  await recorder.run(prefetchCommand, campaign(B), operator.home, now);
  await keep(operator, homes.now, url);
  await recorder.trustAdd(now);
  await recorder.elsewhere(trustShowCommand, { options: { refresh: true } }, operator.home, now);
  await recorder.elsewhere(logVerifyCommand, { args: [server.url] }, operator.home, now);
  const save = { options: { save: join(folder, 'recorded-inbox') } };
  await recorder.elsewhere(inboxCommand, save, operator.home, now);
  await recorder.elsewhere(ackCommand, campaign(A), operator.home, now);
  await recorder.tiles(now);
  const recordedAt = clock.now();

  // A minute after T0: later on, nothing new is an alarm.
  clock.advance(91 * MINUTE_MS);
  for (const story of [A, B]) {
    await story.release();
    await publishKey(outpost, story);
  }
  const afterwards = new Map<string, Answer>();
  await recordRelease(outpost, folder, A, operator.home, afterwards);
  await recordRelease(outpost, folder, B, operator.home, afterwards);

  return {
    folder,
    names: namesOf({ A, B }, then, now),
    homes,
    then,
    now,
    released: new Map([...now, ...afterwards]),
    clock: { now: recordedAt, released: clock.now() },
    rootSha256: server.rootSha256,
    root,
    officers: server.officers,
    server: await openKeys(join(server.dataDirectory, 'keys')),
    campaigns: { A, B },
    notices,
  };
}

const campaign = ({ sealed }: Story): Partial<Input> => ({ args: [sealed.id] });

const noticeInput = (folder: string): Partial<Input> => ({
  args: [join(folder, 'notice.txt')],
  options: { list: join(folder, 'COMMITMENT') },
});

function homesIn(folder: string): Record<HomeName, string> {
  const at = (name: string): string => join(folder, `kept-${name}`);
  return { empty: at('empty'), enrolled: at('enrolled'), then: at('then'), now: at('now') };
}

/** Everything before arming. */
async function notify(outpost: Outpost, story: Story, under = {}): Promise<void> {
  await story.uploadCiphertext();
  await story.decide('commit', under);
  await putRealSignatures(outpost, story);
  await story.decide('notify', under);
}

/** Let the officers sign a second root with a later date, and the server move on to it. */
async function renewRoot({ server, clock }: Outpost, folder: string): Promise<TrustRoot> {
  const expires = formatTime(clock.now() + 500 * DAY_MS);
  const root = { ...server.root, version: 2, expires };
  const path = join(folder, 'second-root.json');
  await writeFile(path, signRoot(root, server.officers));
  await server.restartWith({ ROOT: path });
  return root;
}

/** What an officer's agent does with the shares that are out. */
async function publishKey({ server }: Outpost, { sealed, path }: Story): Promise<void> {
  const [officer] = server.officers;
  const { plan, keys } = sealed;
  if (officer === undefined) throw new Error('a server has officers');
  const payload = encodePublication({
    kind: 'release-key',
    recipient: sha256Hex(utf8Encode(plan.releaseRecipient)),
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    officer: officer.id,
    sealed: await seal(utf8Encode(`${keys.release.identity}\n`), [plan.accessRecipient]),
  });
  const envelope = envelopeJson(signEnvelope(payload, officer.signing));
  expectStatus(await server.client(officer.signing).post(`${path}/release-key`, { envelope }), 200);
}

/** Fetch twice: where there are shares, and where the release key alone has come through. */
async function recordRelease(
  outpost: Outpost,
  folder: string,
  story: Story,
  home: string,
  answers: Map<string, Answer>,
): Promise<void> {
  const recording = recordingFetch(answers);
  const withoutShares = meddlingFetch(
    meddleJson('/shares', () => ({ shares: [] })),
    recording,
  );
  for (const [index, fetch] of [withoutShares, recording].entries()) {
    const copy = await copyHome(home, folder);
    const context = await outpost.machine({ json: true, home: copy, fetch });
    const out = join(folder, `recorded-${story.sealed.id}-${index}`);
    await runCommand(fetchCommand, { ...campaign(story), options: { out } }, context);
  }
}

/** Keep the home as it is now, speaking to the simulator from here on. */
async function keep({ home }: TestContext, kept: string, url: string): Promise<void> {
  const copy = await copyHome(home, join(kept, '..'));
  await rename(copy, kept);
  await rm(join(kept, 'session.json'), { force: true });
  await ageBy(kept, HOUR_MS);
  await speakTo(url, kept);
}

/** What the home saw, it saw a while ago: what was seen within the last minute is not asked again. */
async function ageBy(home: string, ms: number): Promise<void> {
  const path = join(home, 'state.json');
  const kept = await readFile(path, 'utf8');
  const state = JSON.parse(kept) as { checkpoint: { seenAt: string } | null };
  if (state.checkpoint === null) return;
  state.checkpoint.seenAt = formatTime(Date.parse(state.checkpoint.seenAt) - ms);
  await writeFile(path, `${JSON.stringify(state, null, 2)}\n`);
}

async function speakTo(url: string, home: string): Promise<void> {
  const path = join(home, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, `${JSON.stringify({ ...config, server: url }, null, 2)}\n`);
}

interface Recorder {
  /** Run in the home itself, which goes on from there. */
  run(
    command: Command,
    input: Partial<Input>,
    home: string,
    answers: Map<string, Answer>,
  ): Promise<void>;
  /** Run in a copy of the home. */
  elsewhere: Recorder['run'];
  trustAdd(answers: Map<string, Answer>): Promise<void>;
  /** Every tile of the log as it is now. */
  tiles(answers: Map<string, Answer>): Promise<void>;
}

function recorderOf(outpost: Outpost, folder: string): Recorder {
  const { server } = outpost;
  const recorder: Recorder = {
    async run(command, input, home, answers) {
      const fetch = recordingFetch(answers);
      await runCommand(command, input, await outpost.machine({ json: true, home, fetch }));
    },
    async elsewhere(command, input, home, answers) {
      const copy = await copyHome(home, folder);
      // A home that is kept speaks to the simulator already.
      const path = join(copy, 'config.json');
      const config = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...config, server: server.url }));
      await recorder.run(command, input, copy, answers);
    },
    async trustAdd(answers) {
      const home = await mkdtemp(join(tmpdir(), 'sealdrop-recording-'));
      const context = await testContext({ json: true, home, fetch: recordingFetch(answers) });
      const input = { args: [server.url], options: { rootSha256: server.rootSha256 } };
      await runCommand(trustAddCommand, input, context);
      await rm(home, { recursive: true });
    },
    async tiles(answers) {
      const fetch = recordingFetch(answers);
      const note = await (await fetch(`${server.url}/log/checkpoint`)).text();
      for (const tile of tilesOf(Number(note.split('\n')[1]))) {
        await fetch(`${server.url}/log/${formatTilePath(tile)}`);
      }
    },
  };
  return recorder;
}

function namesOf(
  campaigns: Repository['campaigns'],
  then: Answers,
  now: Answers,
): ReadonlyMap<string, string> {
  const only = (answers: Answers, pattern: RegExp): string => {
    const found = [...answers.keys()].find((key) => pattern.test(key));
    return found?.split('/').at(-1) ?? '';
  };
  const textAt = (path: string): string =>
    utf8Decode(now.get(`GET ${path}`)?.body ?? new Uint8Array());
  const { commitment } = campaigns.A.sealed.plan;
  const view = JSON.parse(textAt(`/v1/commitments/${commitment}`)) as { leafIndex: number };
  const size = Number(textAt('/log/checkpoint').split('\n')[1]);
  const index = Math.floor(view.leafIndex / TILE_WIDTH);
  const tile = (level: Tile['level']): string =>
    formatTilePath({ level, index, width: tileWidth(level, index, size) });
  const of = Object.entries(campaigns).flatMap(([name, { sealed }]): [string, string][] => [
    [name, sealed.id],
    [`bundle${name}`, sealed.bundle.sha256],
    [`plan${name}`, sealed.planDigest],
    [`commitment${name}`, sealed.plan.commitment],
  ]);
  return new Map([
    ...of,
    ['snapshot', only(now, /\.snapshot\.json$/)],
    ['targets', only(now, /\.targets\.json$/)],
    ['snapshotThen', only(then, /\.snapshot\.json$/)],
    ['targetsThen', only(then, /\.targets\.json$/)],
    ['tile', tile(0)],
    ['entries', tile('entries')],
  ]);
}
