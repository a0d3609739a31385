import { readdir } from 'node:fs/promises';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { verifyDirective, type VerifiedDirective } from '../../protocol/campaign/directive.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { CliError } from '../errors.ts';
import { findFile, hasErrorCode, writeNew } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import type { DirectivesView, EnvelopeJson } from './client.ts';
import { readEnvelope } from './envelope.ts';
import type { Trust } from './trust.ts';

// Two decisions under one number stop whoever sees them. Which of them holds is for people to find out,
// and they need both: what is kept here is for them, and no command ever reads it.

/** Each takes as many officers' signatures as a decision does. */
const MAX_KEPT = 16;
const PREFIX = 'directives-';

const CHECK =
  'Each of the two is signed by as many officers as a decision takes, under the root of trust that it ' +
  'names (rootVersion), for the same campaign and number. Verify each by itself: base64 in payload is ' +
  'what was signed, as DSSE. Officers have signed two histories, or were led to: call more than one.';

/**
 * Keep both of two decisions with one number in `evidence/`, unless they are there.
 *
 * @param alarm - That there are two, as it was noticed.
 * @param candidates - Where the two are among; what is not signed as a decision has to be is no
 *   evidence.
 * @returns The alarm, naming the file.
 */
export async function keepFork(
  home: Home,
  trust: Trust,
  alarm: ProtocolError,
  candidates: DirectivesView['completed'],
): Promise<ProtocolError> {
  const pair = findPair(candidates, trust);
  if (pair === undefined) return alarm;
  const where = await keep(home, pair).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error) return 'they could not be written';
    throw error;
  });
  return new ProtocolError(alarm.code, `${alarm.message}; ${where}`, { cause: alarm });
}

interface Decided {
  readonly envelope: EnvelopeJson;
  readonly directive: VerifiedDirective;
}

/** The first two that are valid, of one campaign and number, and not the same. */
function findPair(
  candidates: DirectivesView['completed'],
  trust: Trust,
): readonly [Decided, Decided] | undefined {
  const known = new Map<string, Decided>();
  for (const { envelope } of candidates) {
    const directive = findValid(envelope, trust);
    if (directive === undefined) continue;
    const { campaign, sequence, digest } = directive;
    const other = known.get(`${campaign} ${sequence}`);
    if (other === undefined) known.set(`${campaign} ${sequence}`, { envelope, directive });
    else if (other.directive.digest !== digest) return [other, { envelope, directive }];
  }
  return undefined;
}

function findValid(json: EnvelopeJson, { roots }: Trust): VerifiedDirective | undefined {
  try {
    return verifyDirective(readEnvelope(json), roots, verifyEd25519);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** @returns Where they are, or that they are not. */
async function keep(home: Home, pair: readonly [Decided, Decided]): Promise<string> {
  const [first, second] = [...pair].sort((a, b) =>
    a.directive.digest < b.directive.digest ? -1 : 1,
  ) as [Decided, Decided];
  const { campaign, sequence } = first.directive;
  const digests = [first, second].map(({ directive }) => directive.digest.slice(0, 16)).join('-');
  const name = `${PREFIX}${campaign}-${sequence}-${digests}.json`;
  const path = home.path('evidence', name);
  if ((await findFile(path)) !== undefined) return `both are kept in ${path}`;
  if ((await countKept(home)) >= MAX_KEPT) {
    return `evidence/ holds ${MAX_KEPT} such pairs already, and this one is not kept`;
  }
  const directives = [first.envelope, second.envelope];
  const content = { format: 'sealdrop-directives-fork/v1', campaign, sequence, directives };
  try {
    await writeNew(path, `${JSON.stringify({ ...content, check: CHECK }, null, 2)}\n`, 0o600);
  } catch (error) {
    // Another command of this home was first.
    if (!(error instanceof CliError)) throw error;
  }
  return `both are kept in ${path}`;
}

async function countKept(home: Home): Promise<number> {
  const names = await readdir(home.path('evidence')).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => name.startsWith(PREFIX)).length;
}
