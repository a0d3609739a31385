import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import {
  assembleRecord,
  type RecordParts,
  type ReleaseParts,
  type RevisionParts,
} from '../../../../protocol/record/assemble.ts';
import { replayAdoption } from '../../../../protocol/record/adoption.ts';
import type { StatementLine } from '../../../../protocol/record/lines.ts';
import { planDigest } from '../../../../protocol/plan/plan.ts';
import type { CampaignStatus } from '../../../../protocol/campaign/transitions.ts';
import { detachedSign, mergeDetached } from '../../../../protocol/contact/detached.ts';
import { seal } from '../../../../protocol/embargo/age.ts';
import type { KeyName } from '../../../../protocol/plan/key-name.ts';
import { signSums } from '../../../../protocol/embargo/sums-signatures.ts';
import type { Files } from '../../../../protocol/embargo/tar.ts';
import {
  sha256Hex,
  toBase58,
  toBase64,
  toHex,
  utf8Encode,
} from '../../../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../../../protocol/encoding/json.ts';
import { formatInstant, formatTime } from '../../../../protocol/encoding/time.ts';
import { parseLeaf } from '../../../../protocol/log/leaf.ts';
import { NO_CAMPAIGN } from '../../../../protocol/log/opening.ts';
import {
  encodeEnvelope,
  signEnvelope,
  type Envelope,
} from '../../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../../protocol/signature/ed25519.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../../../protocol/signature/verifier-key.ts';
import { noteSigner } from '../../../../protocol/signature/note.ts';
import { parseSnapshot } from '../../../../protocol/stake/snapshot.ts';
import {
  directiveDigest,
  encodeDirective,
  type Directive,
} from '../../../../protocol/campaign/directive.ts';
import {
  encodeEnrolment,
  enrolmentText,
  type Enrolment,
  type EnrolmentFields,
} from '../../../../protocol/statement/enrolment.ts';
import {
  encodeOperatorStatement,
  type OperatorStatement,
  type OperatorStatementKind,
} from '../../../../protocol/statement/operator.ts';
import { encodeReleaseStatement } from '../../../../protocol/statement/release.ts';
import { encodePublication } from '../../../../protocol/statement/share.ts';
import { legacyOffchainMessage } from '../../../../protocol/statement/solana-offchain.ts';
import { makeOfficers, NETWORK, type Officers } from '../../officer/support/officers.ts';
import {
  makeOperator,
  RELEASE_TIME,
  sealTestCampaign,
  type Operator,
  type SealedCampaign,
  type SealOptions,
} from './campaign.ts';
import { openTestLog, type TestLog } from '../../log/support/test-log.ts';
import type { vouchersOf } from '../../../protocol/trust/network.ts';

const STAKES = [[40n, 2n], [33n], [25n]];
export const ORIGIN = 'patches.example.org/log';

/** What a directive leads from and to, in a campaign that goes well. */
const MOVES = {
  commit: ['draft', 'committed', 'committed'],
  notify: ['committed', 'notified', 'notified'],
  arm: ['notified', 'armed', 'armed'],
  disclose: ['adopted', 'disclosed', 'disclosed'],
} as const satisfies Record<string, readonly [CampaignStatus, CampaignStatus, string]>;

type MoveName = keyof typeof MOVES;

/**
 * A whole campaign in memory, made by real signatures over real formats, whose server and officers
 * may be led astray at any step: each step is a function that a test can replace or add to.
 */
export interface Story {
  readonly officers: Officers;
  readonly operators: readonly Operator[];
  readonly sealed: SealedCampaign;
  readonly log: TestLog;
  readonly logKey: Signer;
  /** Unix ms; goes on by a second with everything that is accepted. */
  now: number;
  readonly enrolments: {
    operator: string;
    envelope: Envelope;
    enrolment: Enrolment;
    index: number;
  }[];
  readonly statements: (StatementLine & {
    statement: OperatorStatement & { operator: Signer['publicKey'] };
    index: number;
  })[];
  readonly directives: { envelope: Envelope; completedAt: string }[];
  readonly published: Envelope[];
  readonly reviews: Envelope[];
  readonly endorsements: Envelope[];
  readonly shares: Record<KeyName, string[]>;
  events: number;
  enrol(
    operator: Operator,
    tweak?: (enrolment: Enrolment) => Enrolment,
    context?: Partial<EnrolmentFields>,
  ): void;
  decide(
    move: MoveName,
    options?: { signers?: readonly string[]; tweak?: (it: Directive) => Directive },
  ): void;
  say(
    operator: Operator,
    kind: OperatorStatementKind,
    tweak?: (it: OperatorStatement) => OperatorStatement,
  ): void;
  publishShare(officer: string, key: KeyName, sealed?: Uint8Array): Promise<void>;
  publishReleaseKey(officer: string, text?: string): Promise<void>;
  event(type: string, detail: string): number;
  readonly signerOf: (officer: string) => Signer;
}

/** What a record is made of when there is one revision. */
export interface StoryParts extends Omit<RecordParts, 'revisions'>, RevisionParts {}

type Step = (story: Story) => void | Promise<void>;

export interface StoryOptions {
  readonly seal?: SealOptions;
  /** Stakes of each operator's validators; 75 of 100 belong to the two who attest by default. */
  readonly stakes?: readonly (readonly bigint[])[];
  /** Officers who sign the plaintext; the first two by default. */
  readonly approvers?: readonly string[];
  /** Text of the witness policy in the root; none by default. */
  readonly witnessPolicy?: string;
  /** Who reviews and endorses; nobody by default. */
  readonly vouchers?: ReturnType<typeof vouchersOf>;
  /** Steps to be done otherwise. */
  readonly instead?: Partial<Record<StepName, Step>>;
  /** Changes what the record is made of, when all is told. */
  readonly edit?: (parts: StoryParts, story: Story) => StoryParts | Promise<StoryParts>;
}

const STEPS = {
  enrol(story: Story) {
    for (const operator of story.operators) story.enrol(operator);
  },
  commit(story: Story) {
    story.event('created', `plan ${planDigest(story.sealed.planBytes)}`);
    story.decide('commit');
    story.log.add({ type: 'commitment', sha256: story.sealed.plan.commitment });
  },
  notify(story: Story) {
    story.decide('notify');
  },
  acknowledge(story: Story) {
    for (const operator of story.operators) story.say(operator, 'ack');
  },
  arm(story: Story) {
    story.decide('arm');
  },
  async release(story: Story) {
    story.now = Date.parse(RELEASE_TIME);
    await story.publishShare('ada', 'release');
    await story.publishShare('bo', 'release');
    await story.publishReleaseKey('bo');
  },
  attest(story: Story) {
    for (const operator of story.operators.slice(0, 2)) story.say(operator, 'attest');
  },
  adopt(story: Story) {
    story.event('adopted', 'supermajority');
  },
  disclose(story: Story) {
    story.decide('disclose');
  },
  async close(story: Story) {
    await story.publishShare('bo', 'closing');
    await story.publishShare('cy', 'closing');
    story.event('opened', '3 documents');
    const { campaign, commitment } = story.sealed.plan;
    story.log.add({ type: 'disclosure', campaign, commitment });
  },
  open(story: Story) {
    for (const index of story.log.openings.keys()) story.log.add({ type: 'opened', index });
  },
} satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

/** Tell the story to its end and lay out its record. */
export async function tellStory(
  options: StoryOptions = {},
): Promise<{ story: Story; files: Files; parts: StoryParts }> {
  const story = await beginStory(options);
  for (const name of Object.keys(STEPS) as StepName[]) {
    await (options.instead?.[name] ?? step(name))(story);
  }
  const parts = await gather(story, options.approvers ?? ['ada', 'bo']);
  const edited = (await options.edit?.(parts, story)) ?? parts;
  return { story, files: assembleRecord({ ...edited, revisions: [edited] }), parts: edited };
}

/** The step as it should be, for a replacement that adds to it. */
export const step =
  (name: StepName): Step =>
  (story) =>
    STEPS[name](story);

async function beginStory(options: StoryOptions): Promise<Story> {
  const { seal: sealOptions, stakes = STAKES, witnessPolicy, vouchers } = options;
  const logKey = signerFromSeed(generateSeed());
  const key = (): Signer['publicKey'] => signerFromSeed(generateSeed()).publicKey;
  const officers = await makeOfficers(
    {
      origin: ORIGIN,
      logKey: formatVerifierKey(ORIGIN, NOTE_ED25519, logKey.publicKey),
      tokenKey: key(),
      snapshotKey: key(),
      timestampKey: key(),
    },
    { witnessPolicy, ...(vouchers && { vouchers }) },
  );
  const operators = stakes.map((own) => makeOperator(...own));
  const sealed = await sealTestCampaign(officers, operators, sealOptions);
  const log = openTestLog(noteSigner(ORIGIN, logKey));
  log.add({ type: 'root', version: 1, sha256: sha256Hex(officers.rootBytes) });
  log.add({ type: 'snapshot', sha256: sealed.plan.snapshot.sha256 });

  const { plan } = sealed;
  const story: Story = {
    officers,
    operators,
    sealed,
    log,
    logKey,
    now: Date.parse('2026-11-17T09:00:00Z'),
    enrolments: [],
    statements: [],
    directives: [],
    published: [],
    reviews: [],
    endorsements: [],
    shares: { release: [], closing: [], 'break-glass': [] },
    events: 0,

    signerOf: (officer) => {
      const found = officers.officers.get(officer);
      if (found === undefined) throw new Error(`no officer ${officer}`);
      return signerFromSeed(found.keys.seed);
    },
    event(type, detail) {
      story.events += 1;
      const content = { seq: story.events, at: formatInstant(story.now), type, detail };
      return log.seal(plan.campaign, 'event', encodeJson(content));
    },
    enrol(operator, tweak = (it: Enrolment): Enrolment => it, context = {}) {
      const fields = {
        network: NETWORK,
        origin: ORIGIN,
        operator: operator.signer.publicKey,
        openpgp: 'A'.repeat(40),
        nonce: toHex(generateSeed()),
        issuedAt: formatTime(story.now),
        ...context,
      };
      const proofs = operator.validators.map(({ identity, signer }) => ({
        validator: identity,
        scheme: 'solana-offchain-legacy' as const,
        signature: toBase58(signer.sign(legacyOffchainMessage(enrolmentText(fields, identity)))),
      }));
      const enrolment = tweak({ ...fields, proofs });
      const envelope = signEnvelope(encodeEnrolment(enrolment), operator.signer);
      const index = log.seal(NO_CAMPAIGN, 'enrolment', encodeEnvelope(envelope));
      story.enrolments.push({ operator: operator.signer.publicKey, envelope, enrolment, index });
    },
    decide(move, { signers = ['ada', 'bo'], tweak = (it: Directive): Directive => it } = {}) {
      story.now += 60_000;
      const [from, to, type] = MOVES[move];
      const previous = story.directives.at(-1)?.envelope.payload;
      const directive: Directive = tweak({
        plan: planDigest(sealed.planBytes),
        campaign: plan.campaign,
        network: plan.network,
        rootVersion: 1,
        exercise: plan.exercise,
        action: move,
        from,
        to,
        sequence: story.directives.length + 1,
        previous: previous === undefined ? null : directiveDigest(previous),
        revision: 1,
        reason: '',
        issuedAt: formatTime(story.now - 30_000),
        expiresAt: formatTime(story.now + 86_400_000),
      });
      const envelope = signEnvelope(encodeDirective(directive), ...signers.map(story.signerOf));
      story.directives.push({ envelope, completedAt: formatInstant(story.now) });
      log.seal(plan.campaign, 'directive', encodeEnvelope(envelope));
      story.event(type, `directive ${directive.sequence}`);
    },
    say(operator, kind, tweak = (it) => it) {
      story.now += 1000;
      const isAdoption = kind === 'attest' || kind === 'revert';
      const name = isAdoption ? 'release.txt' : 'notice.txt';
      const sha256 = plan.documents.find((it) => it.name === name)?.sha256 ?? '';
      const own = story.statements.filter(
        ({ statement }) => statement.operator === operator.signer.publicKey,
      );
      const size = log.leaves.length;
      const statement = tweak({
        kind,
        subject: { name, sha256 },
        campaign: plan.campaign,
        network: plan.network,
        revision: 1,
        validators: operator.validators.map(({ identity }) => identity),
        counter: own.length + 1,
        checkpoint: { size, root: toBase64(log.root(size)) },
        issuedAt: formatTime(story.now),
        ...(kind === 'attest' && { variant: 'agave' }),
      });
      const envelope = signEnvelope(encodeOperatorStatement(statement), operator.signer);
      const index = log.seal(plan.campaign, 'statement', encodeEnvelope(envelope));
      story.statements.push({
        seq: story.statements.length + 1,
        acceptedAt: formatInstant(story.now),
        envelope,
        statement: { ...statement, operator: operator.signer.publicKey },
        index,
      });
    },
    async publishShare(officer, key, sealedShare) {
      story.now += 1000;
      const document = sealed.shares[key].find((it) => it.officer === officer)?.document;
      const planned = plan.shares.find((it) => it.key === key && it.officer === officer);
      if (document === undefined || planned === undefined) throw new Error('no such share');
      const content =
        sealedShare ??
        (key === 'release' ? await seal(document, [plan.accessRecipient]) : document);
      const envelope = signEnvelope(
        encodePublication({
          kind: 'share',
          key,
          commitment: planned.sha256,
          campaign: plan.campaign,
          network: plan.network,
          revision: 1,
          officer,
          sealed: content,
        }),
        story.signerOf(officer),
      );
      story.published.push(envelope);
      if (sealedShare === undefined) story.shares[key].push(officer);
      log.seal(plan.campaign, 'share', encodeEnvelope(envelope));
      story.event('share', `${key} ${officer}`);
      const isRelease = key === 'release' && story.shares.release.length === plan.shareThreshold;
      if (isRelease && sealedShare === undefined) story.event('released', '2 shares');
    },
    async publishReleaseKey(officer, text = `${sealed.keys.release.identity}\n`) {
      story.now += 1000;
      const envelope = signEnvelope(
        encodePublication({
          kind: 'release-key',
          recipient: sha256Hex(utf8Encode(plan.releaseRecipient)),
          campaign: plan.campaign,
          network: plan.network,
          revision: 1,
          officer,
          sealed: await seal(utf8Encode(text), [plan.accessRecipient]),
        }),
        story.signerOf(officer),
      );
      story.published.push(envelope);
      log.seal(plan.campaign, 'release-key', encodeEnvelope(envelope));
      story.event('share', `release-key ${officer}`);
    },
  };
  return story;
}

async function gather(story: Story, approvers: readonly string[]): Promise<StoryParts> {
  const { sealed, officers, log } = story;
  const { plan } = sealed;
  const snapshot = parseSnapshot(sealed.snapshotBytes);
  const { checkpoint, tiles } = await log.publish();
  const opened = log.leaves.flatMap((text) => {
    const leaf = parseLeaf(text);
    return leaf.type === 'opened' ? [leaf.index] : [];
  });
  const sharesOf = (key: KeyName): RevisionParts['shares'][KeyName] =>
    story.shares[key].flatMap((id) => sealed.shares[key].filter(({ officer }) => officer === id));
  const disclosure = log.leaves.findIndex((leaf) => parseLeaf(leaf).type === 'disclosure');
  return {
    roots: [officers.rootBytes],
    newestRoot: officers.root,
    plan,
    planBytes: sealed.planBytes,
    documents: sealed.documents,
    ciphertexts: new Map([
      ...plan.bundles.map(
        ({ variant, sha256 }) => [sha256, sealed.bundles.get(variant) ?? new Uint8Array()] as const,
      ),
      [plan.closingBundle.sha256, sealed.closing],
    ]),
    closingKey: sealed.keys.closing.identity,
    release: {
      key: sealed.keys.release.identity,
      ...(await approve(story, approvers)),
    },
    shares: {
      release: sharesOf('release'),
      closing: sharesOf('closing'),
      'break-glass': sharesOf('break-glass'),
    },
    published: story.published,
    enrolments: story.enrolments,
    snapshot,
    snapshotBytes: sealed.snapshotBytes,
    statements: story.statements,
    reviews: story.reviews,
    endorsements: story.endorsements,
    directives: story.directives,
    adoption: replayAdoption({
      snapshot,
      milestones: plan.milestones,
      enrolments: story.enrolments.filter(({ index }) => index < disclosure || disclosure < 0),
      statements: story.statements,
    }),
    checkpoint,
    tiles,
    timestamps: [],
    openings: new Map(
      opened.flatMap((index) => {
        const opening = log.openings.get(index);
        return opening === undefined ? [] : [[index, opening] as const];
      }),
    ),
    dummies: log.dummyKeys(Math.max(0, disclosure)),
  };
}

/** The officers' signatures over the plaintext, of every kind. */
export async function approve(
  { sealed, officers, signerOf }: Story,
  approvers: readonly string[],
): Promise<Omit<ReleaseParts, 'key'>> {
  const { plan, release, sums } = sealed;
  const blocks: string[] = [];
  for (const id of approvers) {
    const { openpgp } = officers.officers.get(id)?.keys ?? {};
    if (openpgp === undefined) throw new Error(`no officer ${id}`);
    blocks.push(await detachedSign(sums, openpgp, new Date('2026-11-17T09:00:00Z')));
  }
  const artifacts = release.variants.flatMap((variant) => variant.artifacts);
  const payload = encodeReleaseStatement({
    artifacts: artifacts.map(({ name, sha256 }) => ({ name, sha256 })),
    campaign: plan.campaign,
    network: plan.network,
    revision: 1,
    release: plan.documents.find(({ name }) => name === 'release.txt')?.sha256 ?? '',
    sums: sha256Hex(sums),
  });
  const envelope = signEnvelope(payload, ...approvers.map(signerOf));
  return {
    sums,
    sumsSignature: utf8Encode(await mergeDetached(blocks)),
    statement: encodeEnvelope(envelope),
    byOfficer: new Map(approvers.map((id) => [id, signSums(sums, plan, signerOf(id))])),
  };
}
