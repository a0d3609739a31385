import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTo } from '../../../../cli/client/connect.ts';
import { runCommand, type Context, type Input } from '../../../../cli/command.ts';
import { commands } from '../../../../cli/commands.ts';
import { draftPath } from '../../../../cli/officer/sealing/sealed-dir.ts';
import { generateSeed, signerFromSeed, type KeyedSigner } from '../../../../platform/ed25519.ts';
import { generateContactKey, type ContactKey } from '../../../../protocol/contact/contact-key.ts';
import { recipientOf } from '../../../../protocol/embargo/age.ts';
import { fromHex, toBase58, toBase64, toHex } from '../../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../../protocol/encoding/time.ts';
import { EMPTY_ROOT } from '../../../../protocol/log/merkle.ts';
import { signEnvelope } from '../../../../protocol/signature/dsse.ts';

import type { NoteVerifier } from '../../../../protocol/signature/verifier-key.ts';
import { encodeSnapshot } from '../../../../protocol/stake/snapshot.ts';
import { encodeEnrolment, enrolmentText } from '../../../../protocol/statement/enrolment.ts';
import { encodeOperatorStatement } from '../../../../protocol/statement/operator.ts';
import { legacyOffchainMessage } from '../../../../protocol/statement/solana-offchain.ts';
import { parsePlan } from '../../../../protocol/plan/plan.ts';
import { envelopeJsonOf } from '../../../../cli/client/envelope.ts';
import type { ReviewPolicy } from '../../../../protocol/plan/review-policy.ts';
import type { vouchersOf } from '../../../protocol/trust/network.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { testContext } from '../../support/context.ts';
import {
  CAMPAIGN,
  fillCampaign,
  makeRepository,
  type CampaignChanges,
  type TestRepository,
} from './campaign.ts';
import { looseServerKeys, makeOfficers, moveIn, NETWORK, type Officers } from './officers.ts';

export interface TestOperator {
  /** Of `signer`. */
  readonly seed: Uint8Array;
  readonly signer: KeyedSigner;
  readonly identity: KeyedSigner;
  readonly identitySeed: Uint8Array;
  readonly contact: ContactKey;
  readonly validator: string;
}

/** What one run of a command said and how it ended. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: Record<string, unknown>;
}

/** The real server, three officers with a home each, and operators of which two are over 2/3. */
export interface Stage extends AsyncDisposable {
  readonly server: TestServer;
  readonly officers: Officers;
  readonly operators: readonly TestOperator[];
  readonly repository: TestRepository;
  readonly folder: string;
  now(): number;
  advanceTo(time: number): void;
  /** Run a command as an officer, or in any other home, with `--json`; throws what it throws. */
  run(
    officer: string,
    line: string,
    options?: Input['options'],
    overrides?: Partial<Context>,
  ): Promise<Run>;
  /** A context of this officer, for what is not a command. */
  contextOf(officer: string, overrides?: Partial<Context>): Promise<Context>;
  /** Give the third operator a home of this name, and enrol there. */
  enrolAs(name: string): Promise<void>;
  /** What a plan may pin as `stake.txt` instead: the stake of each operator's validator. */
  snapshotOf(stakes: readonly bigint[], point: string): Uint8Array;
  /** Fill and seal a campaign; the path of its directory. */
  seal(campaign?: string, options?: SealInput): Promise<string>;
  attest(
    operator: TestOperator,
    kind: 'attest' | 'revert',
    counter: number,
    campaign?: string,
  ): Promise<void>;
  /** Save the inbox, and verify the notice in one of its folders. */
  readNotice(operator: string, campaign: string, folder?: string, list?: string): Promise<void>;
  /** Seal a campaign and have the first officers take it to this state; the path of its directory. */
  bring(campaign: string, to: 'draft' | 'committed' | 'notified' | 'armed'): Promise<string>;
  /** T0 of the campaign sealed last: two hours from then. Unix ms. */
  releaseTime: number;
  /** What the plans sealed from now on name. */
  mirrors: readonly string[];
  /** How everybody reaches anything, unless told otherwise. */
  reach: typeof fetch;
}

/** Files of the campaign that differ, and options of `seal`. */
interface SealInput {
  readonly files?: CampaignChanges['files'];
  readonly after?: string;
  readonly wording?: boolean;
}

const STAKES = [40n, 40n, 20n];

/** @param options - Officers, and how many of them decide and open; two of ada, bo and cy. */
export async function startStage({
  ids = ['ada', 'bo', 'cy'],
  threshold = 2,
  vouchers,
  reviews,
  witnessPolicy,
  custody = false,
  start = Date.now(),
  file = {},
}: {
  readonly ids?: string[];
  readonly threshold?: number;
  /** Who reviews and endorses, and the reviews that campaigns ask for. */
  readonly vouchers?: ReturnType<typeof vouchersOf>;
  readonly reviews?: ReviewPolicy;
  readonly witnessPolicy?: (logKey: NoteVerifier, now: () => number) => Promise<string>;
  /** Whether the server may hold shares. */
  readonly custody?: boolean;
  /** Unix ms. */
  readonly start?: number;
  /** More members of every campaign.json. */
  readonly file?: Record<string, unknown>;
} = {}): Promise<Stage> {
  let clock = Math.floor(start / 1000) * 1000;
  const now = (): number => clock;
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-stage-'));
  const repository = await makeRepository(join(folder, 'agave'));

  const people = await makeOfficers(looseServerKeys(), {
    ids,
    directiveThreshold: threshold,
    shareThreshold: threshold,
  });
  const server = await startTestServer({
    now,
    threshold,
    custody,
    ...(vouchers && { vouchers }),
    ...(witnessPolicy && { witnessPolicy: (logKey) => witnessPolicy(logKey, now) }),
    officers: await Promise.all(
      [...people.officers.values()].map(async ({ keys, rootSeed, contact }) => ({
        id: keys.id,
        root: signerFromSeed(rootSeed),
        signing: signerFromSeed(keys.seed),
        age: { identity: keys.ageIdentity, recipient: await recipientOf(keys.ageIdentity) },
        openpgp: contact,
      })),
    ),
  });
  const officers: Officers = { ...people, root: server.root, rootBytes: server.rootBytes };
  const homes = new Map<string, string>();
  for (const id of officers.officers.keys()) {
    const home = join(folder, `home-${id}`);
    await moveIn(home, officers, id, server.url);
    homes.set(id, home);
  }
  const homeOf = (id: string): string => {
    const home = homes.get(id) ?? join(folder, `home-${id}`);
    homes.set(id, home);
    return home;
  };
  const contextOf = async (officer: string, overrides: Partial<Context> = {}): Promise<Context> =>
    testContext({
      home: homeOf(officer),
      now,
      json: true,
      env: process.env,
      fetch: stage.reach,
      ...overrides,
    });

  const operators = await makeOperators();
  const snapshotOf = (stakes: readonly bigint[], point: string): Uint8Array =>
    encodeSnapshot({
      network: NETWORK,
      point,
      source: 'test',
      rows: operators.map(({ validator }, index) => ({
        identity: validator,
        voteAccount: toBase58(generateSeed()),
        stake: stakes[index] ?? 0n,
      })),
    });
  const snapshot = snapshotOf(STAKES, 'epoch 650');

  const stage: Stage = {
    server,
    officers,
    operators,
    repository,
    folder,
    releaseTime: 0,
    mirrors: [],
    reach: fetch,
    now,
    advanceTo(time) {
      clock = time;
    },
    contextOf,
    snapshotOf,
    async run(officer, line, options = {}, overrides = {}) {
      const context = await testContext({
        home: homeOf(officer),
        now,
        json: true,
        env: process.env,
        fetch: stage.reach,
        ...overrides,
      });
      const { name, args } = parseLine(line);
      await runCommand(await commands.load(name), { args, options }, context);
      const { stdout, stderr } = context.said;
      return { stdout, stderr, summary: context.said.summary() };
    },
    async enrolAs(name) {
      const third = operators.at(-1);
      if (third === undefined) throw new Error('a stage has operators');
      await moveIn(homeOf(name), officers, undefined, server.url);
      const keypair = [...third.identitySeed, ...fromHex(third.identity.publicKey, 32)];
      const path = join(folder, `${name}.json`);
      await writeFile(path, JSON.stringify(keypair));
      const options = { identity: [path], email: `${name}@validator.example` };
      await stage.run(name, 'enroll', options);
    },
    async seal(campaign = CAMPAIGN, { files = {}, ...options } = {}) {
      const path = await mkdtemp(join(folder, 'campaign-'));
      stage.releaseTime = now() + 2 * 3_600_000;
      const time = formatTime(stage.releaseTime);
      await fillCampaign(path, repository, {
        file: {
          id: campaign,
          ...(reviews && { reviews }),
          releaseTime: time,
          latestDisclosure: formatTime(stage.releaseTime + 14 * 86_400_000),
          mirrors: stage.mirrors,
          ...file,
        },
        files: {
          'stake.txt': snapshot,
          'notice.md': `# ${campaign}\n\nA critical update comes on ${time}. Be there.\n`,
          ...files,
        },
      });
      await stage.run('ada', `seal ${path}`, { repo: [`agave=${repository.path}`], ...options });
      return path;
    },
    async attest(operator, kind, counter, campaign = CAMPAIGN) {
      const client = connectTo(await contextOf('ada'), server.url, operator.signer);
      const plan = parsePlan(await client.plan(campaign));
      const release = plan.documents.find(({ name }) => name === 'release.txt');
      const payload = encodeOperatorStatement({
        kind,
        subject: { name: 'release.txt', sha256: release?.sha256 ?? '' },
        campaign,
        network: NETWORK,
        revision: plan.revision,
        validators: [operator.validator],
        counter,
        checkpoint: { size: 0, root: toBase64(EMPTY_ROOT) },
        issuedAt: formatTime(now()),
        ...(kind === 'attest' ? { variant: 'agave' } : { reason: 'it halts' }),
      });
      await client.sendStatement(campaign, signEnvelope(payload, operator.signer));
    },
    async readNotice(operator, campaign, name = 'notice', list = 'COMMITMENT') {
      await server.sequence();
      const save = join(folder, `messages-${operator}`);
      await stage.run(operator, 'inbox', { save });
      const path = join(save, `${campaign}.${name}`);
      const notice = join(path, 'notice.txt');
      await stage.run(operator, `verify-notice ${notice}`, { list: join(path, list) });
    },
    async bring(campaign, to) {
      const path = await stage.seal(campaign);
      const draft = (id: string): { draft: string } => ({ draft: draftPath(path, id) });
      const [lead = '', ...others] = ids;
      const approve = async (): Promise<void> => {
        for (const id of others.slice(0, threshold - 1)) {
          await stage.run(id, `approve ${campaign}`, { ...draft(id), yes: true });
        }
      };
      await stage.run(lead, `propose ${path}`);
      if (to === 'draft') return path;
      await approve();
      for (const action of ['notify', 'arm'] as const) {
        if (to === 'committed') return path;
        await stage.run(lead, `${action} ${campaign}`, draft(lead));
        await approve();
        if (to === 'notified') return path;
      }
      return path;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await enrolAll(server, officers, operators, snapshot, await contextOf('ada'));
  return stage;
}

/** `approve SDX-… ` → the name of a command, one word or two, and its arguments. */
function parseLine(line: string): { name: string; args: string[] } {
  const words = line.split(' ');
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const isListed = commands.listing.some((it) => it.name === name);
    if (isListed) return { name, args: words.slice(length) };
  }
  throw new Error(`no command in "${line}"`);
}

async function makeOperators(): Promise<readonly TestOperator[]> {
  return Promise.all(
    STAKES.map(async (_, index) => {
      const identitySeed = generateSeed();
      const identity = signerFromSeed(identitySeed);
      const seed = generateSeed();
      return {
        identity,
        identitySeed,
        seed,
        signer: signerFromSeed(seed),
        contact: await generateContactKey(
          { name: `op${index}`, email: `op${index}@example.org` },
          new Date('2023-01-01T00:00:00Z'),
        ),
        validator: toBase58(fromHex(identity.publicKey, 32)),
      };
    }),
  );
}

async function enrolAll(
  server: TestServer,
  officers: Officers,
  operators: readonly TestOperator[],
  snapshot: Uint8Array,
  context: Context,
): Promise<void> {
  const [first] = officers.officers.values();
  if (first === undefined) throw new Error('no officer');
  await connectTo(context, server.url, signerFromSeed(first.keys.seed)).postSnapshot(snapshot);
  for (const [index, { signer, identity, contact, validator }] of operators.entries()) {
    const fields = {
      network: NETWORK,
      origin: server.root.origin,
      operator: signer.publicKey,
      openpgp: contact.fingerprint,
      nonce: toHex(generateSeed()),
      issuedAt: formatTime(context.now()),
    };
    const message = legacyOffchainMessage(enrolmentText(fields, validator));
    const signature = toBase58(identity.sign(message));
    const payload = encodeEnrolment({
      ...fields,
      proofs: [{ validator, scheme: 'solana-offchain-legacy', signature }],
    });
    await connectTo(context, server.url).enrol({
      envelope: envelopeJsonOf(signEnvelope(payload, signer)),
      contact: { email: `op${index}@example.org`, openpgp: contact.publicKey },
    });
  }
}
