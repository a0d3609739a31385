import { verifyEd25519 } from '../../platform/ed25519.ts';
import { verifyDirectives } from '../../protocol/campaign/chain.ts';
import { parsePlan, planDigest, type Plan } from '../../protocol/campaign/plan.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { parseSnapshot, snapshotDigest } from '../../protocol/stake/snapshot.ts';
import { verifyEnrolment } from '../../protocol/statement/enrolment.ts';
import { parseOperatorStatement } from '../../protocol/statement/operator.ts';
import { parsePublication } from '../../protocol/statement/share.ts';
import { refreshCheckpoint, type SeenCheckpoint } from '../client/checkpoint.ts';
import type { Client } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import { reportQuorum } from '../client/quorum.ts';
import { CliError, NotReleasedError, TemporaryError } from '../errors.ts';
import { replayAdoption, type AdoptionInputs } from './adoption.ts';
import type { Archivist } from './archivist.ts';
import type { RecordParts } from './assemble.ts';
import { downloadSecrets } from './download-secrets.ts';
import type { StatementLine } from './lines.ts';
import { readLog, type WholeLog } from './read-log.ts';
import { findDisclosure, isSettled, readOpenings, type LoggedEnvelope } from './read-openings.ts';
import { downloadTimestamps } from './timestamps.ts';

/** The log at the moment at which everything sealed before the disclosure is accounted for. */
interface SettledLog extends WholeLog {
  readonly note: string;
  /** Index of the disclosure leaf. */
  readonly disclosure: number;
}

/** The server accounts for all leaves with its next two checkpoints, which may be minutes apart. */
const SETTLE_ATTEMPTS = 300;
const SETTLE_PAUSE_MS = 1000;

/**
 * Download everything that is public of a disclosed campaign, verifying on the way what its parts
 * can tell by themselves. Whether all of it belongs together is for the audit to say.
 *
 * @param bundles - Existing empty folder that ciphertexts are written to.
 * @throws {@link NotReleasedError} before the disclosure; {@link ProtocolError} for whatever does
 *   not verify.
 */
export async function downloadRecord(
  archivist: Archivist,
  id: string,
  bundles: string,
): Promise<RecordParts> {
  const { context, client, trust } = archivist;
  const view = await client.campaign(id);
  if (!view.opened) {
    throw new NotReleasedError(
      `${id} is not disclosed yet: it is ${view.status}`,
      'there is a record once its documents are open',
    );
  }
  const { plan, planBytes } = await downloadPlan(client, id);
  const directives = await downloadDirectives(archivist, plan, planBytes);
  context.out.progress('reading the log');
  const log = await downloadSettledLog(archivist, id);
  const openings = await readOpenings(client, log.leaves, id, log.disclosure);
  const snapshotBytes = await client.snapshot(plan.snapshot.sha256);
  if (snapshotDigest(snapshotBytes) !== plan.snapshot.sha256) {
    throw new ProtocolError('commitment_mismatch', 'the snapshot is not the one in the plan');
  }
  const snapshot = parseSnapshot(snapshotBytes);
  const ofKind = (...kinds: LoggedEnvelope['kind'][]): LoggedEnvelope[] =>
    openings.envelopes.filter(({ kind }) => kinds.includes(kind));

  const published = ofKind('share', 'release-key').map(({ envelope }) => envelope);
  const sealed = (kind: LoggedEnvelope['kind']): readonly Envelope[] =>
    ofKind(kind).map(({ envelope }) => envelope);
  const enrolments = ofKind('enrolment').map(({ envelope, index }) => {
    const enrolment = verifyEnrolment(envelope, verifyEd25519);
    return { envelope, index, enrolment, operator: enrolment.operator };
  });
  const statements = await downloadStatements(client, id, ofKind('statement'));
  const secrets = await downloadSecrets(
    archivist,
    plan,
    published.map(({ payload }) => parsePublication(payload)),
    bundles,
  );
  return {
    roots: [...trust.files].sort(([a], [b]) => a - b).map(([, bytes]) => bytes),
    newestRoot: trust.root,
    plan,
    planBytes,
    ...secrets,
    published,
    enrolments,
    snapshot,
    snapshotBytes,
    statements,
    reviews: sealed('review'),
    endorsements: sealed('endorsement'),
    directives,
    adoption: replayAdoption({ snapshot, milestones: plan.milestones, enrolments, statements }),
    checkpoint: log.note,
    tiles: log.tiles,
    openings: openings.files,
    dummies: await client.dummies(),
    timestamps: await downloadTimestamps(client, log.leaves, plan.commitment),
  };
}

async function downloadPlan(
  client: Client,
  id: string,
): Promise<{ plan: Plan; planBytes: Uint8Array }> {
  const planBytes = await client.plan(id);
  const plan = parsePlan(planBytes);
  if (plan.campaign !== id) throw new ProtocolError('plan_invalid', `the plan is not of ${id}`);
  if (plan.revision !== 1) {
    throw new CliError(
      `${id} has revision ${plan.revision} of its plan, of which this release writes no record`,
      'use the newer sealdrop that made it',
    );
  }
  return { plan, planBytes };
}

async function downloadDirectives(
  { client, home, trust }: Archivist,
  plan: Plan,
  planBytes: Uint8Array,
): Promise<RecordParts['directives']> {
  const { completed } = await client.directives(plan.campaign);
  const directives = completed.map(({ envelope, completedAt }) => {
    return { envelope: readEnvelope(envelope), completedAt };
  });
  const { state } = verifyDirectives(
    plan,
    planBytes,
    directives.map(({ envelope }) => envelope),
    trust.roots,
    verifyEd25519,
    { at: directives.map(({ completedAt }) => parseInstant(completedAt)) },
  );
  await home.state.advanceCampaign(plan.campaign, {
    sequence: state.sequence,
    directive: state.previous,
    plan: planDigest(planBytes),
    revision: state.revision,
  });
  return directives;
}

/** A new disclosure takes a few checkpoints until all it opens is written down. */
async function downloadSettledLog(
  { context, home, client, trust }: Archivist,
  id: string,
): Promise<SettledLog> {
  let size = -1;
  for (let attempt = 0; ; attempt += 1) {
    const seen: SeenCheckpoint = await refreshCheckpoint(home, client, trust.root);
    if (seen.checkpoint.size !== size) {
      ({ size } = seen.checkpoint);
      const log = await readLog(client, seen.checkpoint);
      const disclosure = findDisclosure(log.leaves, id);
      if (disclosure !== undefined && isSettled(log.leaves, disclosure)) {
        reportQuorum(context.out, trust.root, seen.note, context.now());
        return { ...log, note: seen.note, disclosure };
      }
    }
    if (attempt === SETTLE_ATTEMPTS) {
      throw new TemporaryError(
        `the log has not accounted for all of ${id} yet`,
        'repeat the command in a minute',
      );
    }
    await context.sleep(SETTLE_PAUSE_MS);
  }
}

/** The statements that the log had before the disclosure, with the times that the server gives. */
async function downloadStatements(
  client: Client,
  id: string,
  logged: readonly LoggedEnvelope[],
): Promise<readonly (StatementLine & AdoptionInputs['statements'][number])[]> {
  const listed = new Map(
    (await client.statements(id)).map(({ seq, acceptedAt, envelope: json }) => {
      const envelope = readEnvelope(json);
      return [sha256Hex(encodeEnvelope(envelope)), { seq, acceptedAt }] as const;
    }),
  );
  return logged.map(({ index, envelope }) => {
    const line = listed.get(sha256Hex(encodeEnvelope(envelope)));
    const [signature] = envelope.signatures;
    if (line === undefined || signature === undefined) {
      throw new ProtocolError(
        'leaf_invalid',
        `the server does not list the statement of leaf ${index}`,
      );
    }
    const statement = { ...parseOperatorStatement(envelope.payload), operator: signature.keyid };
    return { ...line, envelope, index, statement };
  });
}
