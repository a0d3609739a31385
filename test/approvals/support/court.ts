import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../cli/command.ts';
import { fetchCommand } from '../../../cli/commands/fetch.ts';
import { prefetchCommand } from '../../../cli/commands/prefetch.ts';
import { verifyNoticeCommand } from '../../../cli/commands/verify-notice.ts';
import { writeFiles } from '../../../cli/operator/write-files.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { putRealSignatures } from '../../cli/audit/support/told-campaign.ts';
import { meddleJson, meddlingFetch } from '../../cli/operator/support/meddling.ts';
import { noticeFiles, openOutpost, type Outpost } from '../../cli/operator/support/outpost.ts';
import type { TestContext } from '../../cli/support/context.ts';
import { DAY_MS } from '../../support/clock.ts';
import { makeOfficers, peopleOf, signRoot, type TestOfficer } from '../../support/officers.ts';
import { envelopeJson, openStory, type Story } from '../../support/story.ts';

/** A running server and the files of one operator, both of which know the same armed campaign. */
export interface Court extends AsyncDisposable {
  readonly folder: string;
  readonly outpost: Outpost;
  /** Armed under the first root; the second is in force. */
  readonly story: Story;
  /** Another campaign of the same officers, armed as well. */
  readonly other: Story;
  /** The operator's home. */
  readonly home: string;
  /** A patch that this home has opened, for `verify` to look at. */
  readonly patch: string;
  /** Of the second root: erin is out, frank is in. */
  readonly root: TrustRoot;
  readonly officers: Readonly<Record<OfficerName, TestOfficer>>;
}

export type OfficerName = 'alice' | 'bob' | 'carol' | 'dave' | 'erin' | 'frank';

export async function openCourt(): Promise<Court> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-approvals-'));
  const outpost = await openOutpost();
  const operator = await outpost.enrolled({ json: true });
  const { snapshot, server } = outpost;
  const other = await openStory(server, { snapshot });
  await armFor(outpost, other);
  const story = await openStory(server, { snapshot, others: [other] });
  await armFor(outpost, story, { operator, folder: join(folder, 'notice') });

  const frank = (await makeOfficers(6)).at(-1);
  if (frank === undefined) throw new Error('six officers have a last one');
  const root = await replaceErin(outpost, frank, folder);
  await runCommand(prefetchCommand, { args: [story.sealed.id] }, operator);
  const patch = join(folder, 'patch');
  await openEarly(outpost, story, operator.home, patch);

  const officers = Object.fromEntries([...server.officers, frank].map((it) => [it.id, it]));
  return {
    folder,
    outpost,
    story,
    other,
    home: operator.home,
    patch,
    root,
    officers: officers as Record<OfficerName, TestOfficer>,
    async [Symbol.asyncDispose]() {
      await operator[Symbol.asyncDispose]();
      await outpost[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Lead a campaign to `armed`; an operator who is told verifies the notice and prefetches. */
async function armFor(
  outpost: Outpost,
  story: Story,
  told?: { readonly operator: TestContext; readonly folder: string },
): Promise<void> {
  await story.uploadCiphertext();
  await story.decide('commit');
  await putRealSignatures(outpost, story);
  await story.decide('notify');
  if (told !== undefined) {
    await outpost.sendNotice(story, told.operator);
    await outpost.server.sequence();
    await writeFiles(told.folder, noticeFiles(story));
    const [notice, list] = ['notice.txt', 'COMMITMENT'].map((name) => join(told.folder, name));
    const input = { args: [notice ?? ''], options: { list: list ?? '' } };
    await runCommand(verifyNoticeCommand, input, told.operator);
  }
  await story.decide('arm');
  await outpost.server.sequence();
}

async function replaceErin(
  { server, clock }: Outpost,
  frank: TestOfficer,
  folder: string,
): Promise<TrustRoot> {
  const staying = server.officers.filter(({ id }) => id !== 'erin');
  const people = peopleOf([...staying, frank]);
  const expires = formatTime(clock.now() + 500 * DAY_MS);
  const root = { ...server.root, version: 2, expires, people };
  const path = join(folder, 'second-root.json');
  await writeFile(path, signRoot(root, staying));
  await server.restartWith({ ROOT: path });
  return root;
}

/** Open the patch before its time, with the shares that officers hold. */
async function openEarly(outpost: Outpost, story: Story, home: string, out: string): Promise<void> {
  const envelopes = await Promise.all(
    outpost.server.officers
      .slice(0, outpost.server.root.shareThreshold)
      .map(async (it) => envelopeJson(await story.shareEnvelope(it, 'release'))),
  );
  const fetch = meddlingFetch(meddleJson('/shares', () => ({ shares: envelopes })));
  const context = await outpost.machine({ json: true, home, fetch });
  await runCommand(fetchCommand, { args: [story.sealed.id], options: { out } }, context);
}
