import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parsePlan, planDigest } from '../../protocol/plan/plan.ts';
import { open, seal } from '../../protocol/embargo/age.ts';
import { packFiles, unpackFiles } from '../../protocol/embargo/tar.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  directiveDigest,
  parseDirective,
  verifyDirective,
} from '../../protocol/campaign/directive.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Home } from '../home/home.ts';
import { askedUntilSilent, askMirrors } from './ask-mirrors.ts';
import { decodeChain, encodeChain, saveChain, verifyChain } from './chain.ts';
import type { Chain, ChainFiles } from './chain.ts';
import type { CompletedDirectives } from './directives.ts';
import { readEnvelope } from './envelope.ts';
import { keepFork } from './fork-evidence.ts';
import type { NetworkContext } from './http.ts';
import { hearRoots } from './mirror-roots.ts';
import { openMirrors, sealedPath, type Mirror } from './mirror.ts';
import { namedPlans } from './plans.ts';
import { isFork, onceEach, reasonOf } from './trouble.ts';
import type { Trust } from './trust.ts';

// Officers put what was decided to mirrors, for when there is no server: plans and directives as a home
// keeps them, encrypted, because neither a mirror nor a stranger may know of a campaign what the server
// would not tell them (docs/adr/0019).

/** An archive of 1 MiB and its wrapping. Plans and directives of a campaign are a tenth of it. */
const MAX_BYTES = 1_114_112;

/** What officers have decided, as it lies on a mirror. */
export interface SealedDecisions {
  readonly bytes: Uint8Array;
  /** Where an officer's copy belongs. */
  readonly pathFor: (officer: string) => string;
}

/**
 * Encrypt decisions to those who hold the notice of any revision, and to the officers of a root.
 *
 * @throws {@link ProtocolError} `too_large`.
 */
export async function sealDecisions(files: ChainFiles, root: TrustRoot): Promise<SealedDecisions> {
  const [first] = files.plans;
  const recipients = new Set([
    ...files.plans.map((bytes) => parsePlan(bytes).accessRecipient),
    ...[...root.people.values()].map(({ age }) => age),
  ]);
  const bytes = await seal(await packFiles(encodeChain(files)), [...recipients]);
  if (bytes.length > MAX_BYTES) {
    throw new ProtocolError('too_large', 'plans and directives are too long for a mirror');
  }
  return { bytes, pathFor: (officer) => sealedPath('decisions', planDigest(first), officer) };
}

/** The keys of a home that open decisions: an officer's own, and the one that came with the notice. */
export async function findDecisionKeys(
  home: Home,
  directory: CampaignDirectory,
): Promise<readonly string[]> {
  const officer = await home.findOfficerKeys();
  const access = await directory.findSecret('access.key');
  return [
    ...(officer === undefined ? [] : [officer.ageIdentity]),
    ...(access === undefined ? [] : [utf8Decode(access).trimEnd()]),
  ];
}

/** Mirrors that were given, and those of every revision: who reads may have heard of the first alone. */
export function mirrorsNamed(
  context: NetworkContext,
  given: readonly string[],
  { revisions }: Pick<Chain, 'revisions'>,
): readonly Mirror[] {
  return openMirrors(context, given, ...revisions.map(({ plan }) => plan));
}

/** Somebody who listens to mirrors. */
export interface Listener {
  readonly home: Home;
  readonly trust: Trust;
  /** Says what is wrong with one mirror. */
  readonly warn: (text: string) => void;
}

/**
 * What was decided by all that mirrors have: what this home knows, and what goes on from there, under
 * the roots that this home knows and those that mirrors have besides.
 *
 * They are believed nothing: directives are verified as those from the server are, and join what is
 * kept here. A mirror can keep decisions back or spoil them, which is told and no obstacle.
 *
 * @throws {@link ProtocolError} `directives_forked` when officers have signed another decision under a
 *   number that is known here.
 */
export async function hearDecisions(
  { home, trust: known, warn }: Listener,
  named: readonly Mirror[],
  stored: Chain,
): Promise<Chain> {
  const { plans, plan } = stored;
  const mirrors = askedUntilSilent(named);
  const refuse = onceEach(warn);
  const keys = await findDecisionKeys(home, home.campaign(plan.campaign));
  const digest = planDigest(plans[0]);
  const copiesOf = (officers: ReadonlySet<string>): ReturnType<typeof askMirrors> => {
    const paths = [...officers].map((officer) => sealedPath('decisions', digest, officer));
    return askMirrors(mirrors, keys.length === 0 ? [] : paths, MAX_BYTES, refuse);
  };
  const officers = new Set([
    ...plan.shares.map(({ officer }) => officer),
    ...known.root.people.keys(),
  ]);
  // Both at once, so that a mirror that hangs is waited for once.
  const [trust, copies] = await Promise.all([
    hearRoots(home, known, mirrors, refuse),
    copiesOf(officers),
  ]);
  const newcomers = new Set(trust.root.people.keys()).difference(officers);
  let chain = trust === stored.trust ? stored : { ...stored, trust };
  for (const { name, bytes } of [...copies, ...(await copiesOf(newcomers))]) {
    try {
      chain = await joinDecisions({ home, trust }, chain, await openDecisions(bytes, keys));
    } catch (error) {
      if (isFork(error)) throw error;
      refuse(`mirror ${name} hands out decisions that are refused: ${reasonOf(error)}`);
    }
  }
  return chain;
}

/** @throws {@link ProtocolError} `bundle_invalid` when none of the keys opens it, and for its content. */
async function openDecisions(bytes: Uint8Array, keys: readonly string[]): Promise<ChainFiles> {
  const answers = await Promise.allSettled(keys.map((key) => open(bytes, key)));
  const archive = answers.find((it) => it.status === 'fulfilled')?.value;
  if (archive === undefined) {
    throw new ProtocolError('bundle_invalid', 'they cannot be opened with the keys that are here');
  }
  const files = await unpackFiles(archive);
  const chain = await decodeChain((name) => Promise.resolve(files.get(name)));
  if (chain === undefined) throw new ProtocolError('bundle_invalid', 'there are no directives');
  return chain;
}

/** Add to a verified chain what goes on from it, verified, and keep it. */
async function joinDecisions(
  { home, trust }: Pick<Listener, 'home' | 'trust'>,
  stored: Chain,
  found: ChainFiles,
): Promise<Chain> {
  const newer = await newerOrKept(home, trust, stored, found.completed);
  if (newer.length === 0) return stored;
  const id = stored.plan.campaign;
  const completed = [...stored.completed, ...newer];
  const atHand = [...stored.plans, ...found.plans];
  const plans = await namedPlans(id, completed, atHand, () =>
    Promise.reject(new ProtocolError('plan_invalid', 'a plan that they speak of is missing')),
  );
  if (plans === undefined) throw new Error('a stored chain has directives');
  const files = { plans, completed };
  return verifyChain(home, trust, id, files, () => saveChain(home.campaign(id), files));
}

/** As {@link newerOf}; both of two decisions with one number are kept. */
async function newerOrKept(
  home: Home,
  trust: Trust,
  stored: Chain,
  found: CompletedDirectives,
): Promise<CompletedDirectives> {
  try {
    return newerOf(stored, found, trust);
  } catch (error) {
    if (!isFork(error)) throw error;
    throw await keepFork(home, trust, error, [...stored.completed, ...found]);
  }
}

/**
 * What goes beyond a verified chain.
 *
 * @throws {@link ProtocolError} `directives_forked` when one is valid and has the number of another.
 */
function newerOf(
  { plan, directives }: Chain,
  found: CompletedDirectives,
  trust: Trust,
): CompletedDirectives {
  const digests = new Map(directives.map(({ sequence, digest }) => [sequence, digest]));
  return found.filter(({ envelope: json }) => {
    const envelope = readEnvelope(json);
    const { campaign, sequence } = parseDirective(envelope.payload);
    if (campaign !== plan.campaign) {
      throw new ProtocolError('statement_invalid', 'a directive is of another campaign');
    }
    const there = digests.get(sequence);
    if (there === undefined) return true;
    if (there === directiveDigest(envelope.payload)) return false;
    verifyDirective(envelope, trust.roots, verifyEd25519);
    const text = `ALARM: officers have signed two different decisions with number ${sequence}`;
    throw new ProtocolError('directives_forked', `${campaign}: ${text}; call one of them`);
  });
}
