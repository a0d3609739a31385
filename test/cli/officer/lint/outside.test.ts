import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readKey, readPrivateKey, reformatKey } from 'openpgp';
import { envelopeJsonOf } from '../../../../cli/client/envelope.ts';
import { runCommand } from '../../../../cli/command.ts';
import { lintCommand } from '../../../../cli/commands/lint.ts';
import type { Finding } from '../../../../cli/officer/campaign/finding.ts';
import { lintMirrors } from '../../../../cli/officer/lint/mirrors.ts';
import { lintContacts, lintLasting } from '../../../../cli/officer/lint/trust.ts';
import { encodeRosterFile } from '../../../../cli/officer/roster-file.ts';
import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import { generateContactKey } from '../../../../protocol/contact/contact-key.ts';
import { fromHex, sha256Hex, toBase58, toHex } from '../../../../protocol/encoding/bytes.ts';
import type { Plan } from '../../../../protocol/plan/plan.ts';
import { signEnvelope } from '../../../../protocol/signature/dsse.ts';
import { encodeSnapshot } from '../../../../protocol/stake/snapshot.ts';
import { encodeEnrolment, enrolmentText } from '../../../../protocol/statement/enrolment.ts';
import { legacyOffchainMessage } from '../../../../protocol/statement/solana-offchain.ts';
import { planOf } from '../../../protocol/plan/plans.ts';
import { testContext, type TestContext } from '../../support/context.ts';
import { listen, serveFiles, type TestServer } from '../../support/static-server.ts';
import { fillCampaign, makeRepository, type TestRepository } from '../support/campaign.ts';
import {
  looseServerKeys,
  makeOfficers,
  moveIn,
  NETWORK,
  NOW,
  type Officers,
} from '../support/officers.ts';

const GOOD = 'https://good.example/x';
const EVIL = 'https://evil.example';

const bytes = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const bundle = bytes(1, 100_000);
const closing = bytes(2, 65_536);
const measure = (of: Uint8Array): { sha256: string; size: number } => ({
  sha256: sha256Hex(of),
  size: of.length,
});
const fileOf = (of: Uint8Array): string => `/bundles/${sha256Hex(of)}.age`;
const plan: Plan = planOf({
  bundles: [{ variant: 'agave', ...measure(bundle) }],
  closingBundle: measure(closing),
  mirrors: [EVIL, GOOD],
});

describe('lint of mirrors', () => {
  let server: TestServer;
  let asked: string[];
  const files = new Map<string, Uint8Array>();

  before(async () => {
    server = await serveFiles(files);
  });
  after(() => server[Symbol.asyncDispose]());

  /** Both mirrors are on this machine, each in a folder of its own. */
  async function lint(
    sealed: Plan | undefined,
    on: Record<string, Uint8Array>,
    fetchEvil?: typeof fetch,
  ): Promise<readonly Finding[]> {
    files.clear();
    for (const [path, content] of Object.entries(on)) files.set(path, content);
    asked = [];
    await using context = await testContext({
      fetch: (input, init) => {
        const url = input instanceof Request ? input.url : input.toString();
        asked.push(url);
        if (url.startsWith(EVIL) && fetchEvil !== undefined) return fetchEvil(input, init);
        return fetch(url.replace('https://', `${server.url}/`), init);
      },
    });
    return await lintMirrors([GOOD, EVIL], sealed, context);
  }
  const everything = {
    [`/good.example/x${fileOf(bundle)}`]: bundle,
    [`/good.example/x${fileOf(closing)}`]: closing,
    [`/evil.example${fileOf(bundle)}`]: bundle,
    [`/evil.example${fileOf(closing)}`]: closing,
  };

  it('fetches and hashes every ciphertext on every mirror, and nothing else', async () => {
    assert.deepEqual(await lint(plan, everything), []);
    assert.deepEqual(
      asked.sort(),
      [EVIL, GOOD].flatMap((it) => [bundle, closing].map((of) => `${it}${fileOf(of)}`)).sort(),
    );
  });

  it('asks before seal only whether a mirror answers', async () => {
    assert.deepEqual(await lint(undefined, {}), []);
    assert.deepEqual(asked.sort(), [`${EVIL}/`, `${GOOD}/`]);
  });

  it('names mirror and bundle where a byte differs, is missing, or is too many', async () => {
    const changed = bundle.slice();
    changed[99_999] = 7;
    for (const content of [changed, bundle.slice(1), bytes(1, 100_001), bytes(1, 10_000_000)]) {
      const [finding, ...others] = await lint(plan, {
        ...everything,
        [`/evil.example${fileOf(bundle)}`]: content,
      });
      assert.equal(others.length, 0);
      assert.equal(finding?.severity, 'error');
      assert.equal(finding.where, `mirror ${EVIL}`);
      assert.match(finding.message, /another file for the bundle of agave/);
      assert.match(finding.advice, /copy sealed\/bundles/);
    }
  });

  it('warns about what is not there yet, and says what to copy where', async () => {
    const gone = `/evil.example${fileOf(closing)}`;
    const others = Object.entries(everything).filter(([path]) => path !== gone);
    const [finding] = await lint(plan, Object.fromEntries(others));
    assert.equal(finding?.severity, 'warning');
    assert.match(finding.message, /does not have the bundle of closing/);
    assert.ok(
      finding.advice.startsWith(`copy sealed${fileOf(closing)} to ${EVIL}${fileOf(closing)},`),
    );
    assert.match(finding.advice, /run: sealdrop mirror put SDX-/);
  });

  it('stops reading a mirror that never ends', async () => {
    let sent = 0;
    await using endless = await listen((_, response) => {
      const chunk = Buffer.alloc(65_536, 1);
      const push = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        if (!response.destroyed) response.once('drain', push);
      };
      push();
    });
    const [finding] = await lint(plan, everything, (_, init) => fetch(endless.url, init));
    assert.match(finding?.message ?? '', /longer than 100000 bytes/);
    assert.ok(sent < 50_000_000);
  });

  it('says which mirror is dead, redirects or fails, and asks it for nothing more', async () => {
    const dead: typeof fetch = () => Promise.reject(new TypeError('gone'));
    for (const sealed of [plan, undefined]) {
      const [finding, ...others] = await lint(sealed, everything, dead);
      assert.deepEqual(others, []);
      assert.equal(finding?.severity, 'error');
      assert.equal(finding.where, `mirror ${EVIL}`);
      assert.match(finding.advice, /take it out/);
      assert.equal(asked.filter((url) => url.startsWith(EVIL)).length, 1);
    }
    await using moved = await listen((_, response) => {
      response.writeHead(302, { location: `${server.url}/good.example/x` }).end();
    });
    const [finding] = await lint(plan, everything, (_, init) => fetch(moved.url, init));
    assert.match(finding?.message ?? '', /redirect/);
    await using broken = await listen((_, response) => void response.writeHead(503).end());
    const [other] = await lint(undefined, {}, (_, init) => fetch(broken.url, init));
    assert.match(other?.message ?? '', /503/);
  });

  it('says when the sealed plan names other mirrors', async () => {
    const [finding] = await lint({ ...plan, mirrors: [GOOD] }, everything);
    assert.match(finding?.message ?? '', /are others than those of the plan/);
    assert.ok(asked.every((url) => url.startsWith(GOOD)));
  });
});

describe('lint of keys', () => {
  const times = { releaseTime: '2026-11-18T14:00:00Z', latestDisclosure: '2027-01-18T14:00:00Z' };
  const born = new Date('2026-01-01T00:00:00Z');

  /** A contact key that ends at a given time. */
  async function keyUntil(until: string): Promise<string> {
    const { privateKey } = await generateContactKey({ name: 'Op', email: 'op@example.org' }, born);
    const { publicKey } = await reformatKey({
      privateKey: await readPrivateKey({ armoredKey: privateKey }),
      userIDs: { name: 'Op', email: 'op@example.org' },
      keyExpirationTime: (Date.parse(until) - born.getTime()) / 1000,
      date: born,
      format: 'object',
    });
    return (await readKey({ armoredKey: publicKey.armor() })).armor();
  }
  const contact = async (until: string): Promise<readonly string[]> => {
    const contacts = [
      { email: 'op@example.org', openpgp: await keyUntil(until), percent: '40.00 %' },
    ];
    return (await lintContacts(times, contacts, NOW)).map(({ message }) => message);
  };

  it('names operators whose key ends before T0 with its margin, or before the last date', async () => {
    const key = 'the OpenPGP key of op@example.org (40.00 % of stake)';
    assert.deepEqual(await contact('2026-06-01T00:00:00Z'), [`${key} cannot be used`]);
    assert.deepEqual(await contact('2026-12-01T00:00:00Z'), [`${key} expires too soon after T0`]);
    assert.deepEqual(await contact('2027-01-10T00:00:00Z'), [
      `${key} expires before the last date`,
    ]);
    assert.deepEqual(await contact('2027-02-01T00:00:00Z'), []);
  });

  it('refuses officers whose key ends too soon, and warns before the last date', async () => {
    const { root } = await makeOfficers(looseServerKeys());
    const [ada] = root.people.values();
    assert.ok(ada);
    const withKey = async (until: string): Promise<readonly Finding[]> => {
      const people = new Map(root.people).set(ada.id, { ...ada, openpgp: await keyUntil(until) });
      const far = { ...root, people, expires: '2030-01-01T00:00:00Z' };
      return lintLasting(times, far, NOW);
    };
    const severities = async (until: string): Promise<readonly string[]> =>
      (await withKey(until)).map(({ severity, message }) => `${severity} ${message}`);
    const key = `the OpenPGP key of ${ada.id}`;
    assert.deepEqual(await severities('2026-12-01T00:00:00Z'), [
      `error ${key} expires too soon after T0`,
    ]);
    assert.deepEqual(await severities('2027-01-10T00:00:00Z'), [
      `warning ${key} expires before the last date`,
    ]);
    assert.deepEqual(await severities('2027-02-01T00:00:00Z'), []);
  });
});

describe('the command lint', () => {
  let folder: string;
  let repository: TestRepository;
  let officers: Officers;
  let context: TestContext;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-lint-outside-'));
    repository = await makeRepository(join(folder, 'agave'));
    officers = await makeOfficers(looseServerKeys());
    context = await testContext({
      json: true,
      now: () => NOW,
      env: process.env,
      fetch: () => Promise.reject(new Error('nobody may be asked')),
    });
    await moveIn(context.home, officers, 'ada');
  });
  after(async () => {
    await context[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** An operator who holds all stake, with this key on file. */
  async function rosterOf(tamper = false): Promise<{ roster: string; snapshot: Uint8Array }> {
    const { origin } = officers.root;
    const [signer, identity] = [signerFromSeed(generateSeed()), signerFromSeed(generateSeed())];
    const validator = toBase58(fromHex(identity.publicKey, 32));
    const email = 'op@example.org';
    const { publicKey, fingerprint } = await generateContactKey(
      { name: 'Op', email },
      new Date(NOW),
    );
    const fields = {
      network: NETWORK,
      origin,
      operator: signer.publicKey,
      openpgp: fingerprint,
      nonce: toHex(generateSeed()),
      issuedAt: '2026-11-10T00:00:00Z',
    };
    const message = legacyOffchainMessage(enrolmentText(fields, validator));
    const signature = toBase58((tamper ? signer : identity).sign(message));
    const proofs = [{ validator, scheme: 'solana-offchain-legacy' as const, signature }];
    const envelope = envelopeJsonOf(signEnvelope(encodeEnrolment({ ...fields, proofs }), signer));
    const rows = [{ identity: validator, voteAccount: toBase58(generateSeed()), stake: 7n }];
    const snapshot = encodeSnapshot({ network: NETWORK, point: 'epoch 1', source: 'test', rows });
    const operators = [{ envelope, email, openpgp: publicKey }];
    return { roster: encodeRosterFile({ network: NETWORK, origin, operators }), snapshot };
  }

  async function lint(
    file: Record<string, unknown>,
    { roster, snapshot }: { roster: string; snapshot: Uint8Array },
    options: Record<string, string | boolean | string[]> = {},
  ): Promise<readonly Record<string, unknown>[]> {
    const path = await mkdtemp(join(folder, 'campaign-'));
    await fillCampaign(path, repository, { file, files: { 'stake.txt': snapshot } });
    await writeFile(join(folder, 'roster.json'), roster);
    context.said.stdout = '';
    const input = {
      args: [path],
      options: {
        repo: [`agave=${repository.path}`],
        publicRepo: [repository.path],
        roster: join(folder, 'roster.json'),
        offline: true,
        ...options,
      },
    };
    await runCommand(lintCommand, input, context).catch(() => undefined);
    return context.said.events().filter((event) => event.message_type === 'finding');
  }

  it('has nothing to say when everything was looked at and is well', async () => {
    assert.deepEqual(await lint({}, await rosterOf()), []);
    assert.deepEqual(context.said.summary()['warnings'], 0);
  });

  it('asks nobody when it is offline, and says so', async () => {
    const mirrors = { mirrors: ['https://mirror.example'] };
    const publicRepo = ['https://git.example/acme/agave.git'];
    const findings = await lint(mirrors, await rosterOf(), { publicRepo });
    assert.deepEqual(
      findings.map(({ where, message }) => `${String(where)} ${String(message)}`),
      [
        'campaign.json.mirrors were not asked',
        `--public-repo ${publicRepo[0] ?? ''} was not asked`,
      ],
    );
  });

  it('says what was not given, names an enrolment that does not verify, refuses another roster', async () => {
    const good = await rosterOf();
    const path = join(folder, 'nothing');
    await assert.rejects(
      runCommand(lintCommand, { args: [folder], options: { roster: path } }, context),
      { message: /nothing does not exist/ },
    );
    const [missing] = await lint({}, good, { publicRepo: [] });
    assert.match(String(missing?.['message']), /nobody looked whether the fix is public/);
    const [forged] = await lint({}, await rosterOf(true));
    assert.match(String(forged?.['message']), /op@example.org does not verify/);
    const roster = good.roster.replace(/"origin": "[^"]+"/, '"origin": "elsewhere.example"');
    const [other] = await lint({}, { ...good, roster });
    assert.match(String(other?.['message']), /another network or service/);
    const [broken] = await lint({}, { ...good, roster: '{' });
    assert.equal(broken?.['severity'], 'error');
  });

  it('refuses an address that git must not be given', async () => {
    const options = { publicRepo: ['ssh://git@host/x'] };
    await assert.rejects(runCommand(lintCommand, { args: [folder], options }, context), {
      name: 'UsageError',
    });
  });
});
