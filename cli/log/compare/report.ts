import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import { CliError, UsageError, VerificationError } from '../../errors.ts';
import { writeNew } from '../../home/files.ts';
import type { Home } from '../../home/home.ts';
import type { Context } from '../../command.ts';
import { formatEvidence, type OmissionEvidence, type TestimonyEvidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { openSource } from '../open-source.ts';
import { describeContradiction } from '../testimony.ts';
import type { LogSource } from '../source.ts';
import { compareViews, judgeEvidence, type Comparison } from './compare.ts';
import { verifyOmission } from './omission.ts';
import { verifyTestimony } from './testimony.ts';
import { openNamed, type View } from './view.ts';

export interface CompareInputs {
  readonly home: Home;
  readonly keys: LogKeys;
  /** One evidence file, or two views; then a place to read tiles from. */
  readonly names: readonly string[];
  /** Where to write evidence, if any is found. */
  readonly out: string | undefined;
}

/**
 * Tell whether two views of a log are of one history.
 *
 * @throws {@link VerificationError} when they are not, after the proof has been printed, when a leaf
 *   was omitted or an operator saw another log; {@link CliError} when nothing at hand can decide.
 */
export async function reportComparison(context: Context, inputs: CompareInputs): Promise<void> {
  const { keys, names } = inputs;
  const [first = '', ...rest] = names;
  const named = await openNamed(context, first, keys);
  if (!('evidence' in named)) {
    const [second, tiles, ...more] = rest;
    if (second === undefined || more.length > 0) {
      throw new UsageError('--compare takes two views, and where tiles are', EXAMPLE);
    }
    const other = await openNamed(context, second, keys);
    if ('evidence' in other) throw new UsageError('evidence is compared by itself', EXAMPLE);
    const sources = await findSources(context, inputs, tiles);
    return tellComparison(context, inputs, await compareViews(named.view, other.view, sources));
  }
  const [tiles, ...more] = rest;
  if (more.length > 0) throw new UsageError('evidence is compared by itself', EXAMPLE);
  const { evidence } = named;
  if (evidence.kind === 'omitted') return tellOmission(context, inputs, evidence, tiles);
  if (evidence.kind === 'contradicted') return tellTestimony(context, inputs, evidence);
  const { views, proven } = judgeEvidence(evidence, first, keys);
  const sources = await findSources(context, inputs, tiles);
  return tellComparison(context, inputs, proven ?? (await compareViews(...views, sources)));
}

const EXAMPLE = 'run: audit --compare A B [SOURCE], or: audit --compare EVIDENCE [SOURCE]';

/** Where tiles are asked for: what was named, else the server that this home trusts. */
async function findSources(
  context: Context,
  { home }: CompareInputs,
  name: string | undefined,
): Promise<LogSource[]> {
  if (name !== undefined) return [openSource(context, name)];
  const config = await home.findConfig();
  return config === undefined ? [] : [openSource(context, config.server)];
}

async function tellComparison(
  { out }: Context,
  inputs: CompareInputs,
  { older, newer, why, fork }: Comparison,
): Promise<void> {
  const views = [older, newer].map(({ name, checkpoint }) => ({
    name,
    size: checkpoint.size,
    root: toBase64(checkpoint.root),
  }));
  if (fork === undefined) {
    out.line('The two views are of one history.');
    for (const view of [older, newer]) tellView(out, view);
    out.line(why);
    out.summary({ result: 'consistent', views, why });
    return;
  }
  out.line('FORK: the log has signed two states that are not of one history.');
  for (const view of [older, newer]) {
    tellView(out, view);
    out.line(view.note);
  }
  out.line(`Proof: ${why}.`);
  for (const hash of fork.proof ?? []) out.line(`  ${toBase64(hash)}`);
  if (inputs.out !== undefined) {
    await writeNew(inputs.out, formatEvidence(fork));
    out.line(`evidence written to ${inputs.out}; anybody checks it: sealdrop audit --compare FILE`);
  }
  out.summary({
    result: 'fork',
    views,
    why,
    notes: [older.note, newer.note],
    proof: (fork.proof ?? []).map(toBase64),
    ...(inputs.out !== undefined && { out: inputs.out }),
  });
  throw new VerificationError(
    'the log has forked: both states above are signed by its key',
    'give the evidence to the other officers, operators and witnesses; believe neither state',
  );
}

function tellView(out: Context['out'], { name, checkpoint }: View): void {
  out.line(`  ${checkpoint.size} leaves, root ${toBase64(checkpoint.root)} (${name})`);
}

/**
 * @throws {@link VerificationError} when it holds; {@link CliError} for a state of the log that is too short to
 *   contradict anything.
 */
function tellTestimony(
  { out }: Context,
  { keys }: CompareInputs,
  evidence: TestimonyEvidence,
): never {
  const { statement, vouched, state, ours } = verifyTestimony(evidence, keys);
  const { operator, campaign, checkpoint, issuedAt } = statement;
  if (ours === undefined) {
    // Anybody has older states of a log, and could hold any statement against one of them.
    throw new CliError(
      `${describeContradiction(statement, { ours }, state)}: it may have grown since`,
      'run: sealdrop audit URL --full, which finds what operators name in the log as it is now',
    );
  }
  out.line('CONTRADICTED: an operator signed to have seen a checkpoint that this log never had.');
  out.line(`  ${describeContradiction(statement, { ours }, state)}`);
  out.line(`  ${statement.kind} of ${campaign}, issued ${issuedAt} by the operator’s clock`);
  const by = vouched.join(', ') || 'nobody: the evidence has no enrolment of this operator';
  out.line(`  vouched for by ${by}`);
  out.line(evidence.statement);
  out.line(evidence.shown);
  out.summary({
    result: 'contradicted',
    operator,
    validators: vouched,
    campaign,
    named: checkpoint,
    size: state.checkpoint.size,
    ours: toBase64(ours),
    proof: evidence.proof.map(toBase64),
  });
  throw new VerificationError(
    'the log showed this operator another history, or the operator made it up',
    'ask the operator for the signed checkpoint: with it, audit --compare proves the fork',
  );
}

async function tellOmission(
  context: Context,
  inputs: CompareInputs,
  evidence: OmissionEvidence,
  tiles: string | undefined,
): Promise<void> {
  const { out } = context;
  const [source] = await findSources(context, inputs, tiles);
  if (source === undefined) {
    throw new CliError(
      'whether a leaf is missing can only be told from the log',
      'name a server, a record or a folder that has it: audit --compare EVIDENCE SOURCE',
    );
  }
  const { receipt, state, due, lateness } = await verifyOmission(evidence, source, inputs.keys);
  const { size } = state.checkpoint;
  const promised = formatInstant(receipt.at);
  const leafHash = toBase64(receipt.leafHash);
  const when = lateness ?? 'nothing in the evidence shows when it was signed: judge by a clock';
  out.line('OMITTED: the log promised to hold a leaf and signed a later state without it.');
  out.line(`  leaf hash ${leafHash}, promised ${promised}, due ${formatInstant(due)}`);
  out.line(`  not among the ${size} leaves of this checkpoint; ${when}`);
  out.line(evidence.receipt);
  out.line(evidence.checkpoint);
  out.summary({
    result: 'omitted',
    leafHash,
    promised,
    due: formatInstant(due),
    size,
    lateness: lateness ?? null,
  });
  throw new VerificationError(
    lateness === undefined
      ? 'the log does not hold what it promised, as of this checkpoint'
      : 'the log has broken its promise: the leaf is missing after the promised time',
    'give the evidence to the officers and witnesses',
  );
}
