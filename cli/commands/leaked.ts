import { time } from '../../protocol/encoding/shape.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { argument, findOption, hasFlag, type Command, type Input } from '../command.ts';
import { RefusedMoveError, UsageError } from '../errors.ts';
import { readInputFile, writeNew } from '../home/files.ts';
import { confirm } from '../officer/confirm.ts';
import { describeMove } from '../officer/decisions/move.ts';
import {
  loadPresigned,
  MAX_PRESIGNED_MS,
  presignedSummary,
  presignedTexts,
} from '../officer/decisions/presigned.ts';
import { keepPresigned, presign } from '../officer/decisions/presigning.ts';
import { signAndComplete } from '../officer/decisions/signing.ts';
import { findDraft } from '../officer/sealing/draft-option.ts';
import { openOfficerSession, type OfficerSession } from '../officer/session.ts';
import { loadStanding, type Standing } from '../officer/standing.ts';
import { proposeLeaked } from './moves.ts';

const MAX_FILE_BYTES = 65_536;

/** To propose it in words of one's own, or with signatures that officers give each other ahead. */
export const leakedCommand: Command = {
  ...proposeLeaked,
  options: [
    ...(proposeLeaked.options ?? []),
    { flag: '--prepare', description: 'sign it ahead for the other officers; decides nothing' },
    { flag: '--out <file>', description: 'where --prepare writes the signature' },
    { flag: '--until <time>', description: 'when it ends to count, at most a week from now, UTC' },
    { flag: '--keep <file>', description: 'check and keep what another officer signed ahead' },
    { flag: '--yes', description: 'decide with what is kept without being asked' },
  ],

  async run(input, context) {
    const ways = [hasFlag(input, 'prepare'), input.options['keep'] !== undefined];
    const isAhead = ways.some(Boolean);
    if (ways.every(Boolean)) throw new UsageError('--prepare or --keep?', 'give one of them');
    if (!hasFlag(input, 'prepare') && (findOption(input, 'out') ?? findOption(input, 'until'))) {
      throw new UsageError('--out and --until go with --prepare');
    }
    if (!isAhead && findOption(input, 'reason') !== undefined) {
      await proposeLeaked.run(input, context);
      return;
    }
    const session = await openOfficerSession(context);
    const standing = await loadStanding(session, argument(input, 0));
    if (hasFlag(input, 'prepare')) await prepare(input, session, standing);
    else if (isAhead) await keep(input, session, standing);
    else if (standing.directives.at(-1)?.action === 'leaked')
      await proposeLeaked.run(input, context);
    else await decide(input, session, standing);
  },
};

async function prepare(input: Input, session: OfficerSession, standing: Standing): Promise<void> {
  const { context } = session;
  const { campaign } = standing.plan;
  const out = findOption(input, 'out');
  if (out === undefined) throw new UsageError('where to?', 'give --out FILE');
  const payload = await wordsOf(input, session, standing);
  await writeNew(out, await presign(session, standing, payload), 0o600);
  const presigned = await loadPresigned(session, standing);
  const { given } = presigned;
  context.out.line(`${out} holds your signature under: ${given?.directive.reason ?? ''}`);
  context.out.line(`until ${given?.directive.expiresAt ?? ''}, or until anything else is decided`);
  context.out.note('any officer with enough of these decides alone, and it cannot be taken back');
  context.out.note(`hand it to the other officers: sealdrop leaked ${campaign} --keep FILE`);
  context.out.summary({ campaign, out, ...presignedSummary(presigned) });
}

/** Those that are kept already, so that all sign the same; or new ones. */
async function wordsOf(
  input: Input,
  session: OfficerSession,
  standing: Standing,
): Promise<Uint8Array> {
  const { kept } = await loadPresigned(session, standing);
  const live = kept?.problem === undefined ? kept : undefined;
  const reason = findOption(input, 'reason');
  const until = findOption(input, 'until');
  if (reason === undefined) {
    if (live === undefined) throw new UsageError('in which words?', 'give --reason TEXT');
    if (until !== undefined) throw new UsageError('what is kept says itself until when');
    return live.envelope.payload;
  }
  if (live !== undefined && !hasFlag(input, 'anew')) {
    throw new UsageError(
      `${live.people.join(', ')} signed other words ahead: ${live.directive.reason}`,
      'to sign the same leave --reason away; for another text give --anew',
    );
  }
  return describeMove(session, standing, {
    action: 'leaked',
    reason,
    ...(until !== undefined && { validMs: parseUntil(until, session.context.now()) }),
  });
}

/** How long it is from now, in ms. */
function parseUntil(until: string, now: number): number {
  if (!time.safeParse(until).success) {
    throw new UsageError(`"${until}" is not a time`, 'one looks like 2026-11-20T14:00:00Z');
  }
  const validMs = parseTime(until) - now;
  if (validMs > 0 && validMs <= MAX_PRESIGNED_MS) return validMs;
  throw new UsageError('--until is at most a week from now');
}

async function keep(input: Input, session: OfficerSession, standing: Standing): Promise<void> {
  const { context } = session;
  const file = await readInputFile(findOption(input, 'keep') ?? '', MAX_FILE_BYTES);
  if (findOption(input, 'reason') !== undefined) {
    throw new UsageError('the reason is in what was signed', 'leave --reason away');
  }
  await keepPresigned(session, standing, file, hasFlag(input, 'anew'));
  const presigned = await loadPresigned(session, standing);
  for (const text of presignedTexts(session, presigned)) context.out.line(`kept: ${text}`);
  context.out.summary({ campaign: standing.plan.campaign, ...presignedSummary(presigned) });
}

/** With enough that is kept this is the whole decision; with less, others approve it as any other. */
async function decide(input: Input, session: OfficerSession, standing: Standing): Promise<void> {
  const { context } = session;
  const { campaign } = standing.plan;
  const { kept } = await loadPresigned(session, standing);
  const advice = `run: sealdrop leaked ${campaign} --reason TEXT`;
  if (kept === undefined) throw new UsageError('nothing that was signed ahead is kept', advice);
  if (kept.problem !== undefined) {
    const message = `what was signed ahead is void: ${kept.problem}`;
    throw new RefusedMoveError('transition_refused', message, advice);
  }
  const draft = await findDraft(input, session, standing);
  const { people, directive, envelope } = kept;
  context.out.line(`signed ahead by ${people.join(', ')}: ${directive.reason}`);
  if (!hasFlag(input, 'yes')) await confirm(context, 'leaked', campaign);
  const move = { campaign, action: 'leaked' } as const;
  const companions = { presigned: envelope };
  const result = await signAndComplete(session, envelope.payload, move, companions, draft);
  context.out.summary({ ...result, presigned: people });
}
