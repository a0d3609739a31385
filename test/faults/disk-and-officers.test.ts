import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { draftPath } from '../../cli/officer/sealing/sealed-dir.ts';
import { generateKey, seal } from '../../protocol/embargo/age.ts';
import { packFiles } from '../../protocol/embargo/tar.ts';
import { startStage, type Stage } from '../cli/officer/support/stage.ts';
import { encryptedIn, plunder, takeFiles, type Loot } from './support/thief.ts';

// Somebody holds a copy of the server's disk and the files of some officers, before T0: their homes
// with every key in them, not the drafts that they were handed. He tries all that these allow.

const CAMPAIGN = 'SDX-2026-D15C';
/** What nobody else is to learn: a line of the patch, its name, and what is announced. */
const SECRETS = ['checked_add', '0001-agave', 'mints tokens'];

describe('a copy of the server’s disk', () => {
  let stage: Stage;
  let campaign: string;
  let disk: readonly Buffer[];
  before(async () => {
    stage = await startStage({ threshold: 3 });
    campaign = await stage.bring(CAMPAIGN, 'armed');
    const copy = join(stage.folder, 'disk');
    await cp(stage.server.dataDirectory, copy, { recursive: true });
    disk = await takeFiles(copy);
  });
  after(() => stage[Symbol.asyncDispose]());

  const homeOf = (id: string): string => join(stage.folder, `home-${id}`);
  const take = async (...ids: readonly string[]): Promise<Buffer[]> => [
    ...disk,
    ...(await takeFiles(...ids.map(homeOf))),
  ];
  const secretsIn = (...files: readonly Buffer[]): string[] =>
    SECRETS.filter((secret) => files.some((file) => file.includes(secret)));
  const gain = (loot: Loot): string[] => secretsIn(...loot.opened);

  it('and two of three officers’ files open nothing but the two officers’ own shares', async () => {
    const files = await take('ada', 'bo');
    assert.deepEqual(secretsIn(...files), []);
    const loot = await plunder(files);
    assert.equal(loot.shares, 4);
    assert.equal(loot.opened.length, 4);
    assert.equal(loot.identities.size, 2);
    assert.deepEqual(gain(loot), []);
    // Bundle, closing bundle, signatures, three approvals, the third officer's shares; three mails.
    assert.ok(loot.closed >= 10, String(loot.closed));
  });

  it('opens nothing at all without them', async () => {
    const loot = await plunder(await take());
    assert.deepEqual(
      { ...loot, closed: 0, identities: loot.identities.size },
      {
        opened: [],
        closed: 0,
        identities: 0,
        shares: 0,
      },
    );
  });

  it('tells sizes of classes alone: of bundles, of signatures and of every approval', async () => {
    const smallest = (
      await seal(await packFiles(new Map([['a', new Uint8Array()]])), [
        (await generateKey()).recipient,
      ])
    ).length;
    const { ages, armored } = encryptedIn(disk);
    // Shares differ by their officers' names and in nothing else.
    const [shares, others] = [ages.filter((it) => it < 2000), ages.filter((it) => it >= 2000)];
    assert.equal(shares.length, 6);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 'release'.length - 'closing'.length + 4);
    // Bundle, closing bundle, signatures and three approvals: whatever they hold, it is little.
    assert.deepEqual(
      others,
      Array.from({ length: 6 }, () => smallest),
    );
    assert.equal(armored.length, 3);
    assert.ok(Math.max(...armored) - Math.min(...armored) <= 4, armored.join());
  });

  it('and all three officers’ files open everything: the attempt is a real one', async () => {
    const loot = await plunder(await take('ada', 'bo', 'cy'));
    assert.equal(loot.shares, 6);
    assert.deepEqual(gain(loot), SECRETS);
    assert.equal(loot.identities.size, 3 + 3);
  });

  it('and a draft with the key of its officer open everything, as SECURITY.md says', async () => {
    const files = await take('ada');
    files.push(await readFile(draftPath(campaign, 'ada')));
    assert.deepEqual(gain(await plunder(files)), SECRETS);
  });
});
