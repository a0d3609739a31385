import { z } from 'zod';
import { fromBase64, sha256Hex, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import type { ForkProof } from '../../protocol/log/fork.ts';
import { writeAtomically } from '../home/files.ts';
import type { Home } from '../home/home.ts';

/** Two signed states of a log that contradict each other, or may. */
export interface LogEvidence {
  /**
   * `forked`: not of one history, as `proof` shows. `unproven`: the tiles served with the second one
   * decide nothing. `shrunk`: the second one is smaller, as after a rollback.
   */
  readonly kind: 'forked' | 'unproven' | 'shrunk';
  /** Signed note that was seen first. */
  readonly seen: string;
  /** Signed note that was shown afterwards. */
  readonly shown: string;
  /** Of `forked`; empty for two states of one size. */
  readonly proof?: ForkProof | undefined;
}

/** A promise of a log, and a later state of it that breaks the promise. */
export interface OmissionEvidence {
  readonly kind: 'omitted';
  /** The log's promise, a signed note. */
  readonly receipt: string;
  /** Signed note of a log without the leaf. */
  readonly checkpoint: string;
  /**
   * Shows that the checkpoint is from after the promised time: a later promise of the same log, and
   * the `.tlog-proof` of its leaf under that checkpoint. Cosignatures with their times can do without.
   */
  readonly later?: { readonly receipt: string; readonly proof: string } | undefined;
}

/** What an operator signed to have seen of a log, and a state of the log that never was that. */
export interface TestimonyEvidence {
  readonly kind: 'contradicted';
  /** The operator's statement, a DSSE envelope. */
  readonly statement: string;
  /** The one that binds the operator's key to validators, where it is at hand. */
  readonly enrolment?: string | undefined;
  /** Signed note of the log. */
  readonly shown: string;
  /** Shows the root that the log has at the size that the statement names; empty when it is beyond. */
  readonly proof: ForkProof;
}

export type Evidence = LogEvidence | OmissionEvidence | TestimonyEvidence;

export const MAX_EVIDENCE_BYTES = 1_048_576;
const FORMAT = 'sealdrop-evidence/v1';

const note = z.string().max(131_072);
const envelope = z.string().max(131_072);
const proof = z.array(z.string().max(64)).max(64);
const check = z.string().max(1024).optional();
const evidenceJson = z.discriminatedUnion('kind', [
  z.strictObject({
    format: z.literal(FORMAT),
    kind: z.enum(['forked', 'unproven', 'shrunk']),
    seen: note,
    shown: note,
    proof: proof.optional(),
    check,
  }),
  z.strictObject({
    format: z.literal(FORMAT),
    kind: z.literal('omitted'),
    receipt: note,
    checkpoint: note,
    later: z.strictObject({ receipt: note, proof: note }).optional(),
    check,
  }),
  z.strictObject({
    format: z.literal(FORMAT),
    kind: z.literal('contradicted'),
    statement: envelope,
    enrolment: envelope.optional(),
    shown: note,
    proof,
    check,
  }),
]);

/** How somebody who holds the file checks it; part of the file. */
const CHECK: Readonly<Record<Evidence['kind'], string>> = {
  forked:
    'Both notes are signed by the log’s key. Run: sealdrop audit --compare FILE --key VKEY, offline. ' +
    'By hand: the hashes in proof make the root of the larger note, and from the same hashes the ' +
    'first leaves of that tree have another root than the smaller note says (RFC 9162, 2.1.4.2).',
  unproven:
    'Both notes are signed by the log’s key, and no tiles were served that connect them. ' +
    'Run: sealdrop audit --compare FILE SOURCE, with a server or folder that has the larger log.',
  shrunk:
    'Both notes are signed by the log’s key; the second one is older. That alone is a rollback or a ' +
    'stale copy. Run: sealdrop audit --compare FILE SOURCE, with a server that has the larger log.',
  omitted:
    'Receipt and checkpoint are signed by the log’s key. The receipt names a leaf hash and an instant; ' +
    'the log promised to hold it at most 24 hours later. ' +
    'Run: sealdrop audit --compare FILE SOURCE, with a server or folder that has the log: ' +
    'the tiles make the checkpoint’s root, and none of their leaf hashes is that one.',
  contradicted:
    'The statement is signed by an operator and names a checkpoint, the note is signed by the log’s key. ' +
    'The hashes in proof make the note’s root, and from them the log has another root at the size that ' +
    'the statement names; with none it was not that long yet, which proves nothing by itself. ' +
    'Run: sealdrop audit --compare FILE --key VKEY, offline. It does not tell who lied: ask the operator ' +
    'for the signed checkpoint, which is proof of a fork.',
};

/** Write an evidence file. */
export function formatEvidence(evidence: Evidence): string {
  const proof = 'proof' in evidence ? evidence.proof?.map(toBase64) : undefined;
  const content = { format: FORMAT, ...evidence, ...(proof && { proof }) };
  return `${JSON.stringify({ ...content, check: CHECK[evidence.kind] }, null, 2)}\n`;
}

/** Whether a file says of itself that it is evidence, well formed or not. */
export function isEvidence(bytes: Uint8Array): boolean {
  const json = parseJson(bytes, MAX_EVIDENCE_BYTES);
  return z.looseObject({ format: z.literal(FORMAT) }).safeParse(json).success;
}

/**
 * Read an evidence file. Nothing of it is verified.
 *
 * @throws {@link ProtocolError} `too_large` or `encoding_invalid`.
 */
export function parseEvidence(bytes: Uint8Array): Evidence {
  const json = parseJson(bytes, MAX_EVIDENCE_BYTES);
  const evidence = parseShape(evidenceJson, json, 'encoding_invalid', 'evidence');
  if (evidence.kind === 'omitted') {
    const { kind, receipt, checkpoint, later } = evidence;
    return { kind, receipt, checkpoint, later };
  }
  if (evidence.kind === 'contradicted') {
    const { kind, statement, enrolment, shown, proof } = evidence;
    return { kind, statement, enrolment, shown, proof: proof.map(fromBase64) };
  }
  const { kind, seen, shown, proof } = evidence;
  return { kind, seen, shown, proof: proof?.map(fromBase64) };
}

/** Keep evidence in this home's `evidence/`. @returns Its path. */
export async function keepEvidence(home: Home, evidence: Evidence): Promise<string> {
  const text = formatEvidence(evidence);
  const digest = sha256Hex(utf8Encode(text)).slice(0, 16);
  const path = home.path('evidence', `log-${evidence.kind}-${digest}.json`);
  await writeAtomically(path, text);
  return path;
}
