import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand } from '../../../cli/command.ts';
import { handoverCommand } from '../../../cli/commands/handover.ts';
import { sealCommand } from '../../../cli/commands/seal.ts';
import { readSealed, sealedPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { generateKey, open } from '../../../protocol/embargo/age.ts';
import { openBundle } from '../../../protocol/embargo/bundle.ts';
import { checkDraft, type Ciphertexts } from '../../../protocol/embargo/check-draft.ts';
import { openDraft } from '../../../protocol/embargo/draft.ts';
import { readAccessKey } from '../../../protocol/embargo/notice.ts';
import { combineShares } from '../../../protocol/embargo/planned-shares.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import { testContext } from '../support/context.ts';
import { CAMPAIGN, fillCampaign, makeRepository, type TestRepository } from './support/campaign.ts';
import { looseServerKeys, makeOfficers, moveIn, NOW, type Officers } from './support/officers.ts';

let folder: string;
let repository: TestRepository;
let officers: Officers;
let sealed: string;

/** Seal a campaign in a new directory as officer ada. */
async function sealNew(changes: Parameters<typeof fillCampaign>[2] = {}): Promise<string> {
  await using context = await testContext({ now: () => NOW, env: process.env });
  await moveIn(context.home, officers, 'ada');
  const path = await mkdtemp(join(folder, 'campaign-'));
  await fillCampaign(path, repository, changes);
  const options = { repo: [`agave=${repository.path}`] };
  await runCommand(sealCommand, { args: [path], options }, context);
  return path;
}

function keysOf(id: string): { ageIdentity: string } {
  const officer = officers.officers.get(id);
  assert.ok(officer);
  return officer.keys;
}

async function ciphertextsOf(path: string): Promise<Ciphertexts> {
  const { plan } = await readSealed(path);
  const read = (sha256: string): Promise<Buffer> =>
    readFile(join(sealedPath(path), 'bundles', `${sha256}.age`));
  const bundles = new Map<string, Uint8Array>();
  for (const { variant, sha256 } of plan.bundles) {
    bundles.set(variant, new Uint8Array(await read(sha256)));
  }
  return { bundles, closing: new Uint8Array(await read(plan.closingBundle.sha256)) };
}

async function readTree(path: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file, await readFile(file));
  }
  return files;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-seal-'));
  repository = await makeRepository(join(folder, 'agave'));
  officers = await makeOfficers(looseServerKeys());
  sealed = await sealNew();
});
after(() => rm(folder, { recursive: true, force: true }));

describe('seal', () => {
  it('makes a plan that fits the root, and a draft for each officer that fits the plan', async () => {
    const { plan } = await readSealed(sealed);
    checkPlan(plan, officers.root);
    assert.equal(plan.campaign, CAMPAIGN);
    const ciphertexts = await ciphertextsOf(sealed);
    for (const id of officers.root.people.keys()) {
      const draft = await readFile(join(sealedPath(sealed), `draft.${id}.age`));
      await checkDraft(
        await openDraft(new Uint8Array(draft), keysOf(id).ageIdentity),
        plan,
        ciphertexts,
      );
    }
  });

  it('gives every officer custody of his own shares, which together open the bundle', async () => {
    const { plan, custody } = await readSealed(sealed);
    assert.equal(custody.length, 6);
    const shares = [];
    for (const id of ['bo', 'cy']) {
      const mine = custody.find((share) => share.officer === id && share.key === 'release');
      assert.ok(mine);
      await assert.rejects(open(mine.sealed, keysOf('ada').ageIdentity));
      shares.push({ officer: id, document: await open(mine.sealed, keysOf(id).ageIdentity) });
    }
    const { key, bad } = await combineShares(shares, plan, 'release');
    assert.deepEqual(bad, []);
    const ciphertext = (await ciphertextsOf(sealed)).bundles.get('agave');
    assert.ok(ciphertext);
    const { files } = await openBundle(ciphertext, key, plan, 'agave');
    assert.deepEqual(files.get('0001-agave.patch'), repository.patch);
  });

  it('leaves neither a key nor a line of plaintext in what it writes', async () => {
    const draft = await openDraft(
      new Uint8Array(await readFile(join(sealedPath(sealed), 'draft.ada.age'))),
      keysOf('ada').ageIdentity,
    );
    const notice = draft.documents.get('notice.txt');
    assert.ok(notice);
    const accessKey = await readAccessKey(notice);
    const secrets = [
      draft.releaseKey,
      draft.closingKey,
      accessKey,
      'AGE-SECRET-KEY-1',
      'checked_add',
      'mints tokens',
      'critical update',
      sha256Hex(repository.patch),
    ];
    for (const [path, bytes] of await readTree(sealedPath(sealed))) {
      for (const secret of secrets) assert.ok(!bytes.includes(secret), `${path} has a secret`);
    }
  });

  it('uses other keys and nonces every time', async () => {
    const [a, b] = [(await readSealed(sealed)).plan, (await readSealed(await sealNew())).plan];
    assert.notEqual(a.commitment, b.commitment);
    assert.notEqual(a.nonce, b.nonce);
    for (const key of ['releaseRecipient', 'accessRecipient', 'closingRecipient'] as const) {
      assert.notEqual(a[key], b[key]);
    }
  });

  it('lets nobody but its owner look into DIR/sealed', async () => {
    assert.equal((await stat(sealedPath(sealed))).mode & 0o077, 0);
    assert.equal((await stat(join(sealedPath(sealed), 'draft.ada.age'))).mode & 0o077, 0);
  });

  it('writes nothing at all when lint has an error', async () => {
    let path = '';
    await assert.rejects(
      (async () => {
        await using context = await testContext({ now: () => NOW, env: process.env });
        await moveIn(context.home, officers, 'ada');
        path = await mkdtemp(join(folder, 'campaign-'));
        await fillCampaign(path, repository, { files: { 'stake.txt': null } });
        await runCommand(sealCommand, { args: [path] }, context);
      })(),
      { name: 'CliError' },
    );
    assert.ok(!(await readdir(path)).some((name) => name.includes('sealed')));
  });

  it('refuses to seal twice, and leaves the first sealing as it was', async () => {
    const path = await sealNew();
    const before = await readTree(sealedPath(path));
    await using context = await testContext({ now: () => NOW, env: process.env });
    await moveIn(context.home, officers, 'ada');
    await assert.rejects(runCommand(sealCommand, { args: [path] }, context), {
      name: 'UsageError',
    });
    assert.deepEqual(await readTree(sealedPath(path)), before);
  });

  it('refuses a notice that already holds an access key, without writing anything', async () => {
    const { identity } = await generateKey();
    const notice = `# ${CAMPAIGN} 2026-11-18T14:00:00Z\naccess-key: ${identity}\n`;
    await assert.rejects(sealNew({ files: { 'notice.md': notice } }), { name: 'CliError' });
  });

  it('notices when the plan or the snapshot in DIR/sealed was exchanged', async () => {
    const path = await sealNew();
    await writeFile(join(sealedPath(path), 'snapshot.txt'), 'other');
    await assert.rejects(readSealed(path), { code: 'commitment_mismatch' });
  });
});

describe('handover', () => {
  const hand = async (to: string, id = 'ada'): Promise<Uint8Array> => {
    await using context = await testContext();
    await moveIn(context.home, officers, id);
    const out = join(context.home, 'draft.age');
    await runCommand(handoverCommand, { args: [sealed], options: { to, out } }, context);
    return new Uint8Array(await readFile(out));
  };

  it('gives an officer the draft that opens with his key alone', async () => {
    const draft = await hand('bo');
    await openDraft(draft, keysOf('bo').ageIdentity);
    await assert.rejects(openDraft(draft, keysOf('ada').ageIdentity));
  });

  it('encrypts our own draft anew to whoever a card is of', async () => {
    const { identity, recipient } = await generateKey();
    const person = officers.root.people.get('cy');
    assert.ok(person);
    const card = join(folder, 'reviewer.json');
    await writeFile(
      card,
      JSON.stringify({
        format: 'sealdrop-officer-card/v1',
        id: 'reviewer',
        root: person.root,
        signing: person.signing,
        age: recipient,
        openpgp: person.openpgp,
      }),
    );
    const draft = await openDraft(await hand(card), identity);
    const { plan } = await readSealed(sealed);
    await checkDraft(draft, plan, await ciphertextsOf(sealed));
  });

  it('refuses somebody who is neither officer nor card, and never overwrites', async () => {
    await assert.rejects(hand('mallory'), { name: 'CliError' });
    await using context = await testContext();
    await moveIn(context.home, officers, 'ada');
    const out = join(context.home, 'there');
    await writeFile(out, 'mine');
    const input = { args: [sealed], options: { to: 'bo', out } };
    await assert.rejects(runCommand(handoverCommand, input, context), { name: 'CliError' });
    assert.equal(await readFile(out, 'utf8'), 'mine');
  });
});
