import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createOutput } from '../../../cli/output.ts';
import { describeMove, signMove } from '../../../cli/officer/decisions/move.ts';
import { draftPath, sealedPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { generateKey, seal } from '../../../protocol/embargo/age.ts';
import { openDraft, packDraft, type Draft } from '../../../protocol/embargo/draft.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { failingOnce, lying } from './support/lying.ts';
import { startStage, type Stage } from './support/stage.ts';

let stage: Stage;
before(async () => {
  stage = await startStage();
});
after(() => stage[Symbol.asyncDispose]());

async function ownDraft(path: string, officer: string): Promise<Draft> {
  const keys = stage.officers.officers.get(officer)?.keys;
  assert.ok(keys);
  const bytes = await readFile(draftPath(path, officer));
  return openDraft(new Uint8Array(bytes), keys.ageIdentity);
}

/** A draft as a sealer who means ill would hand it to bo. */
async function handToBo(draft: Draft): Promise<string> {
  const age = stage.officers.root.people.get('bo')?.age;
  assert.ok(age);
  const out = join(await mkdtemp(join(stage.folder, 'draft-')), 'bo.age');
  await writeFile(out, await packDraft(draft, [age]));
  return out;
}

const options = (draft: string): { draft: string; yes: true } => ({ draft, yes: true });

describe('approve', () => {
  it('refuses a draft that shows another patch than the ciphertext holds', async () => {
    const path = await stage.bring('SDX-2026-A001', 'draft');
    const draft = await ownDraft(path, 'bo');
    const artifacts = new Map(
      [...draft.artifacts.keys()].map((name) => [name, utf8Encode('no\n')]),
    );
    const shown = await handToBo({ ...draft, artifacts });
    await assert.rejects(stage.run('bo', 'approve SDX-2026-A001', options(shown)), {
      code: 'bundle_invalid',
    });
    const { identity } = await generateKey();
    const locked = await handToBo({ ...draft, releaseKey: identity });
    await assert.rejects(stage.run('bo', 'approve SDX-2026-A001', options(locked)), {
      code: 'key_mismatch',
    });
  });

  it('refuses when the server keeps another share for us than the plan says', async () => {
    const path = await stage.bring('SDX-2026-A002', 'draft');
    const draft = await ownDraft(path, 'bo');
    const age = stage.officers.root.people.get('bo')?.age;
    const other = draft.shares.release.find(({ officer }) => officer === 'cy');
    assert.ok(age !== undefined && other !== undefined);
    const sealed = toBase64(await seal(other.document, [age]));
    const swapped = lying(/custody$/, (body) => {
      const json = JSON.parse(body) as { custody: { key: string; sealed: string }[] };
      const custody = json.custody.map((it) => (it.key === 'release' ? { ...it, sealed } : it));
      return JSON.stringify({ custody });
    });
    const line = 'approve SDX-2026-A002';
    await assert.rejects(
      stage.run('bo', line, options(draftPath(path, 'bo')), { fetch: swapped }),
      { code: 'commitment_mismatch' },
    );
    const none = lying(/custody$/, () => '{"custody":[]}');
    await assert.rejects(stage.run('bo', line, options(draftPath(path, 'bo')), { fetch: none }), {
      code: 'share_invalid',
    });
  });

  it('refuses a commit whose proposer attached noise, which another officer can propose anew', async () => {
    const path = await stage.seal('SDX-2026-A003');
    const draft = (id: string): { draft: string; yes: true } => options(draftPath(path, id));
    await assert.rejects(
      stage.run('ada', `propose ${path}`, {}, { fetch: failingOnce(/POST .*directives$/) }),
      { name: 'TemporaryError' },
    );
    const session = await openOfficerSession(await stage.contextOf('ada'));
    const standing = await loadStanding(session, 'SDX-2026-A003');
    const payload = describeMove(session, standing, { action: 'commit' });
    const attachment = await seal(utf8Encode('noise'), [standing.plan.releaseRecipient]);
    const move = { campaign: 'SDX-2026-A003', action: 'commit' } as const;
    await signMove(session, payload, move, { attachment });

    await assert.rejects(stage.run('bo', 'approve SDX-2026-A003', draft('bo')), {
      code: 'signature_invalid',
      message: /signatures of ada/,
    });
    const { draft: own } = draft('bo');
    await assert.rejects(stage.run('bo', 'commit SDX-2026-A003', { draft: own }), {
      message: /ada proposed this commit already/,
    });
    await stage.run('bo', 'commit SDX-2026-A003', { draft: own, anew: true });
    const { summary } = await stage.run('cy', 'approve SDX-2026-A003', draft('cy'));
    assert.equal(summary['completed'], true);
    assert.deepEqual(summary['completion'], { signatures: ['bo', 'cy'] });
  });

  it('signs nothing unless the action is typed at the terminal', async () => {
    const path = await stage.bring('SDX-2026-A004', 'draft');
    const draft = { draft: draftPath(path, 'bo') };
    const asked: string[] = [];
    const answering = (answer: string) => ({
      ask: (question: string) => {
        asked.push(question);
        return Promise.resolve(answer);
      },
    });
    for (const answer of ['', 'y', 'yes']) {
      await assert.rejects(stage.run('bo', 'approve SDX-2026-A004', draft, answering(answer)), {
        message: 'not signed',
      });
    }
    const { summary } = await stage.run('bo', 'approve SDX-2026-A004', draft, answering('commit'));
    assert.equal(summary['completed'], true);
    assert.match(asked[0] ?? '', /commit.*SDX-2026-A004/);
  });

  it('shows what will be published, and what operators are told, but no key', async () => {
    const path = await stage.bring('SDX-2026-A008', 'draft');
    let shown = '';
    const out = createOutput({
      json: false,
      quiet: false,
      interactive: false,
      stdout: (text) => (shown += text),
      stderr: () => undefined,
    });
    const summary: object[] = [];
    const telling = { ...out, summary: (data: object) => void summary.push(data) };
    const ask = (): Promise<string> => Promise.resolve('');
    await assert.rejects(
      stage.run(
        'bo',
        'approve SDX-2026-A008',
        { draft: draftPath(path, 'bo') },
        { out: telling, ask },
      ),
      { message: 'not signed' },
    );
    assert.match(shown, /Unchecked addition mints tokens/);
    assert.match(shown, /A critical update comes on/);
    assert.match(shown, /0001-agave\.patch, \d+ bytes/);
    assert.ok(!shown.includes('AGE-SECRET-KEY-1'));
    assert.deepEqual(summary, []);
  });

  it('refuses somebody who is no officer of the newest root', async () => {
    const path = await stage.bring('SDX-2026-A005', 'draft');
    const home = (await stage.contextOf('bo')).home;
    const keys = JSON.parse(await readFile(join(home, 'keys', 'officer.json'), 'utf8')) as object;
    const stranger = await mkdtemp(join(stage.folder, 'home-'));
    await cp(home, stranger, { recursive: true });
    await writeFile(
      join(stranger, 'keys', 'officer.json'),
      JSON.stringify({ ...keys, id: 'mallory' }),
      { mode: 0o600 },
    );
    await assert.rejects(
      stage.run('bo', 'approve SDX-2026-A005', options(draftPath(path, 'bo')), { home: stranger }),
      { name: 'LoginError' },
    );
  });
});

describe('notify', () => {
  it('encrypts to no key but the one that the operator’s enrolment names', async () => {
    const path = await stage.bring('SDX-2026-A006', 'committed');
    const [, ours] = stage.operators;
    const [mallory] = stage.operators;
    assert.ok(ours && mallory);
    const swapped = lying(/enrolments$/, (body) => {
      const json = JSON.parse(body) as { enrolments: { email: string; openpgp: string }[] };
      const enrolments = json.enrolments.map((it) =>
        it.email === 'op1@example.org' ? { ...it, openpgp: mallory.contact.publicKey } : it,
      );
      return JSON.stringify({ enrolments });
    });
    await stage.run('ada', 'notify SDX-2026-A006');
    const { summary } = await stage.run(
      'bo',
      'approve SDX-2026-A006',
      options(draftPath(path, 'bo')),
      { fetch: swapped },
    );
    const { mails } = summary['completion'] as {
      mails: { sent: number; unreachable: { email: string; reason: string }[] }[];
    };
    assert.equal(mails[0]?.sent, 2);
    assert.deepEqual(mails[0].unreachable, [
      { email: 'op1@example.org', reason: 'another OpenPGP key is on file' },
    ]);
    // The next round, with the right key, reaches the third.
    const draft = { draft: draftPath(path, 'ada') };
    const again = await stage.run('ada', 'notify SDX-2026-A006', draft);
    assert.equal((again.summary['completion'] as { mails: { sent: number }[] }).mails[0]?.sent, 1);
  });
});

describe('what the server is given', () => {
  it('holds no key, no plaintext and no draft', async () => {
    const sent: Buffer[] = [];
    const recording: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      sent.push(Buffer.from(await request.clone().arrayBuffer()));
      return fetch(request);
    };
    const path = await stage.seal('SDX-2026-A007');
    await stage.run('ada', `propose ${path}`, {}, { fetch: recording });
    await stage.run('bo', 'approve SDX-2026-A007', options(draftPath(path, 'bo')), {
      fetch: recording,
    });
    const draft = await ownDraft(path, 'bo');
    const secrets = [draft.releaseKey, draft.closingKey, 'AGE-SECRET-KEY-1', 'checked_add'];
    secrets.push('mints tokens', 'critical update', 'src/zeroize.rs');
    assert.ok(sent.length > 10);
    for (const secret of secrets) {
      const encoded = [secret, ...[0, 1, 2].map((shift) => innerBase64(secret, shift))];
      for (const text of encoded) assert.ok(!sent.some((body) => body.includes(text)), secret);
    }
    const file = await readFile(join(sealedPath(path), 'draft.bo.age'));
    assert.ok(!sent.some((body) => body.includes(file.subarray(0, 200))));
  });
});

/** What base64 makes of a text that begins at this offset of three, without its edges. */
function innerBase64(text: string, shift: number): string {
  const encoded = Buffer.from('\0'.repeat(shift) + text).toString('base64');
  return encoded.slice(4, -4);
}
