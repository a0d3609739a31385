import { verifyEd25519 } from '../../platform/ed25519.ts';
import type { Revision } from '../../protocol/campaign/chain.ts';
import { parseDirective } from '../../protocol/campaign/directive.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { replayAdoption } from '../../protocol/record/adoption.ts';
import type { RecordParts, RevisionParts } from '../../protocol/record/assemble.ts';
import type { StatementLine } from '../../protocol/record/lines.ts';
import { logRevisions, statementsFor } from '../../protocol/record/revisions.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { parseSnapshot, snapshotDigest } from '../../protocol/stake/snapshot.ts';
import { verifyEnrolment } from '../../protocol/statement/enrolment.ts';
import {
  parseOperatorStatement,
  type VerifiedOperatorStatement,
} from '../../protocol/statement/operator.ts';
import { parsePublication } from '../../protocol/statement/share.ts';
import { fetchChain, keptPlans } from '../client/chain.ts';
import type { Client } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { NotReleasedError, TemporaryError } from '../errors.ts';
import { refreshCheckpoint, type SeenCheckpoint } from '../log/checkpoint.ts';
import { reportQuorum } from '../log/quorum.ts';
import type { Archivist } from './archivist.ts';
import { downloadSecrets } from './download-secrets.ts';
import { readLog, type WholeLog } from './read-log.ts';
import { findDisclosure, isSettled, readOpenings, type LoggedEnvelope } from './read-openings.ts';
import { downloadTimestamps } from './timestamps.ts';

/** The log at the moment at which everything sealed before the disclosure is accounted for. */
interface SettledLog extends WholeLog {
  readonly note: string;
  /** Index of the disclosure leaf. */
  readonly disclosure: number;
}

/** A statement as listed, with its place in the log. */
interface LoggedStatement extends StatementLine {
  readonly index: number;
  readonly statement: VerifiedOperatorStatement;
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
      view.status === 'disclosed'
        ? `${id} is disclosed, but not opened yet: too few closing shares are out`
        : `${id} is not disclosed yet: it is ${view.status}`,
      'there is a record once its documents are open',
    );
  }
  const { directives, revisions: inForce } = await downloadChain(archivist, id);
  context.out.progress('reading the log');
  const log = await downloadSettledLog(archivist, id);
  const openings = await readOpenings(client, log.leaves, id, log.disclosure);
  for (const { plan } of inForce) warnOfServerCustody(context.out, plan);
  const ofKind = (...kinds: LoggedEnvelope['kind'][]): LoggedEnvelope[] =>
    openings.envelopes.filter(({ kind }) => kinds.includes(kind));

  const revisions = logRevisions(inForce, leafFinder(ofKind('directive')));
  const published = ofKind('share', 'release-key').map(({ envelope, index }) => {
    return { envelope, index, publication: parsePublication(envelope.payload) };
  });
  const sealed = (kind: LoggedEnvelope['kind']): readonly Envelope[] =>
    ofKind(kind).map(({ envelope }) => envelope);
  const enrolments = ofKind('enrolment').map(({ envelope, index }) => {
    const enrolment = verifyEnrolment(envelope, verifyEd25519);
    return { envelope, index, enrolment, operator: enrolment.operator };
  });
  const statements = await downloadStatements(client, id, ofKind('statement'));
  const secrets = await downloadSecrets(archivist, revisions, published, bundles);
  const parts: RevisionParts[] = [];
  for (const [i, revision] of revisions.entries()) {
    const { plan, bytes } = revision;
    const { snapshot, snapshotBytes } = await downloadSnapshot(client, plan);
    const [secret, { milestones }] = [secrets.revisions[i], plan];
    if (secret === undefined) throw new Error('one for each revision');
    const adoption = replayAdoption({
      snapshot,
      milestones,
      enrolments,
      statements: statementsFor(revision, statements),
    });
    parts.push({ plan, planBytes: bytes, snapshot, snapshotBytes, ...secret, adoption });
  }
  const [first, ...later] = parts;
  if (first === undefined) throw new Error('a disclosed campaign has a plan in force');
  return {
    roots: [...trust.files].sort(([a], [b]) => a - b).map(([, file]) => file),
    newestRoot: trust.root,
    ...secrets,
    revisions: [first, ...later],
    published: published.map(({ envelope }) => envelope),
    enrolments,
    statements,
    reviews: sealed('review'),
    endorsements: sealed('endorsement'),
    directives,
    checkpoint: log.note,
    tiles: log.tiles,
    openings: openings.files,
    dummies: await client.dummies(),
    timestamps: await downloadTimestamps(client, log.leaves, first.plan.commitment),
  };
}

/** The officers' decisions and every plan that they put in force, verified and kept. */
async function downloadChain(
  archivist: Archivist,
  id: string,
): Promise<{
  readonly directives: RecordParts['directives'];
  readonly revisions: readonly Revision[];
}> {
  const kept = await keptPlans(archivist.home.campaign(id));
  const { completed, revisions } = await fetchChain(archivist, id, kept);
  const directives = completed.map(({ envelope, completedAt }) => {
    return { envelope: readEnvelope(envelope), completedAt };
  });
  return { directives, revisions };
}

/** Finds the leaf of a directive by its number. */
function leafFinder(logged: readonly LoggedEnvelope[]): (sequence: number) => number {
  const leaves = new Map(
    logged.map(({ envelope, index }) => [parseDirective(envelope.payload).sequence, index]),
  );
  return (sequence) => {
    const index = leaves.get(sequence);
    if (index !== undefined) return index;
    throw new ProtocolError('leaf_invalid', `directive ${sequence} is not in the log`);
  };
}

async function downloadSnapshot(
  client: Client,
  plan: Plan,
): Promise<Pick<RevisionParts, 'snapshot' | 'snapshotBytes'>> {
  const snapshotBytes = await client.snapshot(plan.snapshot.sha256);
  if (snapshotDigest(snapshotBytes) !== plan.snapshot.sha256) {
    throw new ProtocolError('commitment_mismatch', 'the snapshot is not the one in the plan');
  }
  return { snapshot: parseSnapshot(snapshotBytes), snapshotBytes };
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
): Promise<readonly LoggedStatement[]> {
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
