import assert from 'node:assert/strict';

import type { Directive } from '../../protocol/campaign/directive.ts';
import { directiveDigest, encodeDirective } from '../../protocol/campaign/directive.ts';
import type { Action, CampaignStatus } from '../../protocol/campaign/transitions.ts';
import { signAndEncrypt } from '../../protocol/contact/message.ts';
import { seal } from '../../protocol/embargo/age.ts';
import {
  fromBase64,
  sha256Hex,
  toBase64,
  utf8Decode,
  utf8Encode,
} from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { EMPTY_ROOT } from '../../protocol/log/merkle.ts';
import { ciphertextsOf } from '../../protocol/plan/ciphertexts.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { encodeEnvelope, parseEnvelope, signEnvelope } from '../../protocol/signature/dsse.ts';
import type { OperatorStatement } from '../../protocol/statement/operator.ts';
import { encodeOperatorStatement } from '../../protocol/statement/operator.ts';
import { encodePublication } from '../../protocol/statement/share.ts';
import type { SealedCampaign, SealOptions } from './campaign.ts';
import { sealCampaign, VARIANT } from './campaign.ts';
import type { TestOfficer } from './officers.ts';
import { signTargets } from './officers.ts';
import type { TestOperator } from './operators.ts';
import { enrolmentEnvelope } from './operators.ts';
import type { Answer, TestClient } from './session.ts';
import type { TestServer } from './test-server.ts';

/** A server to tell a story on: in this process or another. */
export type StoryServer = Pick<TestServer, 'officers' | 'root' | 'now' | 'client'>;

/** An envelope as a member of a JSON body. */
export function envelopeJson(envelope: Envelope): unknown {
  return JSON.parse(utf8Decode(encodeEnvelope(envelope)));
}

export function envelopeOf(json: unknown): Envelope {
  return parseEnvelope(utf8Encode(JSON.stringify(json)));
}

/** Fail with the server's own words unless it answered so. */
export function expectStatus(answer: Answer, status: number): Answer {
  assert.equal(answer.status, status, answer.text());
  return answer;
}

/** What most tests of a problem look at. */
export function problemOf(answer: Answer): { status: number; type: string; code?: string } {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const { type, code } = answer.json<{ type: string; code?: string }>();
  const short = type.split(':').at(-1) ?? '';
  return { status: answer.status, type: short, ...(code !== undefined && { code }) };
}

export async function postSnapshot(
  server: StoryServer,
  bytes: Uint8Array,
): Promise<{ sha256: string; point: string }> {
  const officer = server.client(server.officers[0]?.signing);
  const answer = await officer.request('POST', '/v1/snapshots', { bytes, type: 'text/plain' });
  const { sha256 } = expectStatus(answer, 200).json<{ sha256: string }>();
  assert.equal(sha256, sha256Hex(bytes));
  return { sha256, point: 'epoch 650' };
}

export function enrol(server: StoryServer, operator: TestOperator): Promise<Answer> {
  const origin = server.root.origin;
  const envelope = enrolmentEnvelope(operator, { origin, now: server.now() });
  return server.client().post('/v1/enrolments', {
    envelope: envelopeJson(envelope),
    contact: { email: operator.email, openpgp: operator.openpgp.publicKey },
  });
}

type Ciphertext = SealedCampaign['plan']['closingBundle'];

/** Drives one campaign of a test server from upload to disclosure. */
export interface Story {
  readonly sealed: SealedCampaign;
  readonly path: string;
  /** The next directive, before it is signed. */
  directive(action: Action, options?: Partial<Directive>): Promise<Directive>;
  /** One officer's submission of a directive. `ciphertext` is what its plan brings anew. */
  submit(officer: TestOfficer, directive: Directive, ciphertext?: Ciphertext): Promise<Answer>;
  /** All signatures it takes. */
  decide(action: Action, options?: Partial<Directive>, ciphertext?: Ciphertext): Promise<void>;
  uploadCiphertext(): Promise<void>;
  putSignatures(): Promise<void>;
  /** Commit, notify and arm. */
  arm(): Promise<void>;
  shareEnvelope(officer: TestOfficer, key: 'release' | 'closing'): Promise<Envelope>;
  publishShare(officer: TestOfficer, key: 'release' | 'closing'): Promise<Answer>;
  /** As many release shares as it takes. */
  release(): Promise<void>;
  statement(
    operator: TestOperator,
    kind: OperatorStatement['kind'],
    options?: Partial<OperatorStatement>,
  ): Envelope;
  say(
    operator: TestOperator,
    kind: OperatorStatement['kind'],
    options?: Partial<OperatorStatement>,
  ): Promise<Answer>;
  message(operator: TestOperator, kind?: 'notice' | 'closing'): Promise<Record<string, string>>;
  notice(...operators: TestOperator[]): Promise<Answer>;
  status(): Promise<CampaignStatus>;
}

const TARGET: Record<Action, CampaignStatus> = {
  commit: 'committed',
  notify: 'notified',
  arm: 'armed',
  reschedule: 'armed',
  supersede: 'armed',
  withdraw: 'withdrawn',
  abort: 'aborted',
  leaked: 'disclosed',
  disclose: 'disclosed',
};

/**
 * Seal a campaign and upload its plan.
 *
 * @param options.others - Campaigns whose ciphertexts the targets go on listing.
 */
export async function openStory(
  server: StoryServer,
  { others = [], ...options }: Omit<SealOptions, 'now'> & { readonly others?: readonly Story[] },
): Promise<Story> {
  const { officers, root } = server;
  const sealed = await sealCampaign(root, officers, { now: server.now(), ...options });
  const [lead] = officers;
  if (lead === undefined) throw new Error('a server has officers');
  const asLead = (): TestClient => server.client(lead.signing);
  const path = `/v1/campaigns/${sealed.id}`;
  const { id: campaign, plan } = sealed;
  const counters = new Map<string, number>();

  const created = await asLead().post('/v1/campaigns', {
    plan: toBase64(sealed.planBytes),
    custody: sealed.custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
  });
  assert.deepEqual(expectStatus(created, 200).json(), { campaign, plan: sealed.planDigest });

  const view = async (): Promise<{ status: CampaignStatus; sequence: number }> =>
    expectStatus(await asLead().get(path), 200).json();

  const directive = async (
    action: Action,
    changes: Partial<Directive> = {},
  ): Promise<Directive> => {
    const { status, sequence } = await view();
    const { completed } = expectStatus(await asLead().get(`${path}/directives`), 200).json<{
      completed: { envelope: unknown }[];
    }>();
    const last = completed.at(-1);
    const now = server.now();
    return {
      plan: sealed.planDigest,
      campaign,
      network: plan.network,
      rootVersion: root.version,
      exercise: plan.exercise,
      action,
      from: status,
      to: TARGET[action],
      sequence: sequence + 1,
      previous: last === undefined ? null : directiveDigest(envelopeOf(last.envelope).payload),
      revision: plan.revision,
      reason: 'as rehearsed',
      issuedAt: formatTime(now),
      expiresAt: formatTime(now + 3_600_000),
      ...changes,
    };
  };

  const targetsBy = async (officer: TestOfficer, added?: Ciphertext): Promise<string> => {
    const plans = [...others.map((it) => it.sealed.plan), plan];
    const bundles = [...plans.flatMap(ciphertextsOf), ...(added === undefined ? [] : [added])];
    const timestamp = (await asLead().get('/tuf/timestamp.json')).json<{
      signed: { meta: { 'snapshot.json': { version: number } } };
    }>();
    const { version } = timestamp.signed.meta['snapshot.json'];
    const snapshot = (await asLead().get(`/tuf/${version}.snapshot.json`)).json<{
      signed: { meta: { 'targets.json': { version: number } } };
    }>();
    const next = snapshot.signed.meta['targets.json'].version + 1;
    // All sign the same file, whenever they do it.
    const at = Date.parse(plan.releaseTime);
    return toBase64(signTargets(next, bundles, [officer], at));
  };

  const submit: Story['submit'] = async (officer, it, ciphertext) => {
    const isReworded = it.action === 'commit' && it.from === 'armed';
    return server.client(officer.signing).post(`${path}/directives`, {
      envelope: envelopeJson(signEnvelope(encodeDirective(it), officer.signing)),
      ...((it.action === 'arm' || isReworded) && { targets: await targetsBy(officer, ciphertext) }),
      ...(it.action === 'commit' && {
        attachment: toBase64(await seal(utf8Encode('signatures'), [plan.releaseRecipient])),
      }),
    });
  };

  const decide: Story['decide'] = async (action, changes, ciphertext) => {
    const it = await directive(action, changes);
    for (const [index, officer] of officers.slice(0, root.directiveThreshold).entries()) {
      const answer = expectStatus(await submit(officer, it, ciphertext), 200);
      const { completed } = answer.json<{ completed: boolean }>();
      assert.equal(completed, index === root.directiveThreshold - 1);
    }
  };

  const uploadCiphertext = async (): Promise<void> => {
    for (const { sha256, bytes } of [sealed.bundle, sealed.closing]) {
      expectStatus(await asLead().put(`/blobs/sha256/${sha256}`, bytes), 204);
    }
  };
  const putSignatures = async (): Promise<void> => {
    const sealedSignatures = await seal(utf8Encode('signatures'), [plan.releaseRecipient]);
    expectStatus(await asLead().put(`${path}/signatures`, sealedSignatures), 204);
  };

  const shareEnvelope = async (
    officer: TestOfficer,
    key: 'release' | 'closing',
  ): Promise<Envelope> => {
    const document = sealed.shares[key].get(officer.id) ?? new Uint8Array();
    const payload = encodePublication({
      kind: 'share',
      key,
      campaign,
      network: plan.network,
      revision: plan.revision,
      officer: officer.id,
      commitment: sha256Hex(document),
      sealed: key === 'closing' ? document : await seal(document, [plan.accessRecipient]),
    });
    return signEnvelope(payload, officer.signing);
  };
  const publishShare = async (officer: TestOfficer, key: 'release' | 'closing'): Promise<Answer> =>
    server.client(officer.signing).post(`${path}/shares`, {
      envelope: envelopeJson(await shareEnvelope(officer, key)),
    });

  const statement: Story['statement'] = (operator, kind, changes = {}) => {
    const counter = (counters.get(operator.key.publicKey) ?? 0) + 1;
    counters.set(operator.key.publicKey, changes.counter ?? counter);
    const name = kind === 'attest' || kind === 'revert' ? 'release.txt' : 'notice.txt';
    const sha256 = plan.documents.find((it) => it.name === name)?.sha256 ?? '';
    const payload = encodeOperatorStatement({
      kind,
      subject: { name, sha256 },
      campaign,
      network: plan.network,
      revision: plan.revision,
      validators: operator.validators.map(({ identity }) => identity).sort(),
      counter,
      checkpoint: { size: 0, root: toBase64(EMPTY_ROOT) },
      issuedAt: formatTime(server.now()),
      ...(kind === 'attest' && { variant: VARIANT }),
      ...changes,
    });
    return signEnvelope(payload, operator.key);
  };

  const message: Story['message'] = async (operator, kind = 'notice') => ({
    operator: operator.key.publicKey,
    kind,
    armored: await signAndEncrypt(
      sealed.documents.get('notice.txt') ?? utf8Encode('hello'),
      { signing: lead.openpgp.privateKey, recipient: operator.openpgp.publicKey },
      new Date(server.now()),
    ),
  });

  return {
    sealed,
    path,
    directive,
    submit,
    decide,
    uploadCiphertext,
    putSignatures,
    async arm() {
      await uploadCiphertext();
      await decide('commit');
      await putSignatures();
      await decide('notify');
      await decide('arm');
    },
    shareEnvelope,
    publishShare,
    async release() {
      for (const officer of officers.slice(0, root.shareThreshold)) {
        expectStatus(await publishShare(officer, 'release'), 200);
      }
    },
    statement,
    say: (operator, kind, changes) =>
      server.client(operator.key).post(`${path}/statements`, {
        envelope: envelopeJson(statement(operator, kind, changes)),
      }),
    message,
    notice: async (...operators) =>
      asLead().post(`${path}/messages`, {
        messages: await Promise.all(operators.map((operator) => message(operator))),
      }),
    status: async () => (await view()).status,
  };
}

/** Decode what a JSON answer carries as base64. */
export function bytesIn(text: string): Uint8Array {
  return fromBase64(text);
}
