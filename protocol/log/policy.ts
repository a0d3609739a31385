import { ProtocolError } from '../errors.ts';
import type { Ed25519PublicKey } from '../signature/ed25519.ts';
import { NOTE_COSIGNATURE, NOTE_ED25519, parseVerifierKey } from '../signature/verifier-key.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';

/** A log whose checkpoints a policy is about. */
export interface PolicyLog {
  readonly verifier: NoteVerifier;
  readonly url?: string;
}

/** A witness under the name it has within one policy. */
export interface PolicyWitness {
  readonly kind: 'witness';
  readonly name: string;
  readonly verifier: NoteVerifier;
  /** Its submission prefix, as written; judged by whoever connects to it. */
  readonly url?: string;
}

/** Cosigns when `threshold` of its members do; each member is in one group only. */
export interface PolicyGroup {
  readonly kind: 'group';
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly (PolicyWitness | PolicyGroup)[];
}

/** Which witnesses have to cosign a checkpoint before it is believed. C2SP tlog-policy. */
export interface Policy {
  /** The whole text, as signed or stored. */
  readonly text: string;
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** `undefined` for `quorum none`. */
  readonly quorum: PolicyWitness | PolicyGroup | undefined;
}

/** In UTF-16 code units. */
export const MAX_POLICY_LENGTH = 32_768;
/** Logs, witnesses and groups, each. */
const MAX_ENTRIES = 64;
const NO_QUORUM = 'none';

/**
 * Parse a tlog-policy text.
 *
 * Stricter than C2SP in three points: the text is UTF-8, keys are Ed25519, and no witness has a
 * log's key or shares name and key id with another key, which would make its cosignatures ambiguous.
 *
 * @throws {@link ProtocolError} `policy_invalid`, naming the first line that is wrong and why;
 *   `too_large` above {@link MAX_POLICY_LENGTH}.
 * @see docs/spec/witness.md, "Policy"
 */
export function parsePolicy(text: string): Policy {
  if (text.length > MAX_POLICY_LENGTH) {
    throw new ProtocolError('too_large', `policy is longer than ${MAX_POLICY_LENGTH} characters`);
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') throw wrong(lines.length + 1, 'it does not end in a newline');
  const builder = new PolicyBuilder();
  for (const [index, line] of lines.entries()) {
    try {
      builder.add(line);
    } catch (error) {
      if (error instanceof LineError) throw wrong(index + 1, error.message);
      throw error;
    }
  }
  if (builder.quorum === undefined) throw wrong(lines.length + 1, 'there is no quorum line');
  const quorum = builder.quorum === NO_QUORUM ? undefined : builder.quorum;
  return { text, logs: builder.logs, witnesses: builder.witnesses, quorum };
}

/**
 * Tell whether these keys are enough. Counts witnesses of the policy, each in its one place:
 * neither a key that signed twice nor one of a stranger changes anything.
 */
export function isQuorumMet(
  { quorum }: Pick<Policy, 'quorum'>,
  cosigned: ReadonlySet<Ed25519PublicKey>,
): boolean {
  const hasCosigned = (member: PolicyWitness | PolicyGroup): boolean =>
    member.kind === 'witness'
      ? cosigned.has(member.verifier.publicKey)
      : member.members.filter(hasCosigned).length >= member.threshold;
  return quorum === undefined || hasCosigned(quorum);
}

/** The quorum in one line, for people to compare: `2 of (w1.example, w2.example, w3.example)`. */
export function describeQuorum({ quorum }: Pick<Policy, 'quorum'>): string {
  const describe = (member: PolicyWitness | PolicyGroup): string =>
    member.kind === 'witness'
      ? member.verifier.name
      : `${member.threshold} of (${member.members.map(describe).join(', ')})`;
  return quorum === undefined ? 'none' : describe(quorum);
}

/** What is wrong with one line, as yet without its number. */
class LineError extends Error {}

class PolicyBuilder {
  readonly logs: PolicyLog[] = [];
  readonly witnesses: PolicyWitness[] = [];
  quorum: PolicyWitness | PolicyGroup | typeof NO_QUORUM | undefined;

  readonly #names = new Map<string, PolicyWitness | PolicyGroup>();
  readonly #taken = new Set<string>();
  #groups = 0;

  /** @throws LineError */
  add(line: string): void {
    if (/[\0-\x08\x0b-\x1f\x7f]/.test(line)) throw new LineError('control character');
    if (!line.isWellFormed()) throw new LineError('not UTF-8');
    if (/^[ \t]*(?:#|$)/.test(line)) return;
    const [keyword = '', ...words] = line.split(/[ \t]+/).filter((word) => word !== '');
    if (keyword === 'log') this.#addLog(words);
    else if (keyword === 'witness') this.#addWitness(words);
    else if (keyword === 'group') this.#addGroup(words);
    else if (keyword === 'quorum') this.#setQuorum(words);
    else throw new LineError(`${shown(keyword)} is no keyword`);
  }

  #addLog(words: readonly string[]): void {
    const [vkey, url] = words;
    if (vkey === undefined || words.length > 2) throw new LineError('it takes: log VKEY [URL]');
    const verifier = readKey(vkey, NOTE_ED25519);
    this.#requireNewKey(verifier, this.logs.length);
    this.logs.push({ verifier, ...(url !== undefined && { url }) });
  }

  #addWitness(words: readonly string[]): void {
    const [name, vkey, url] = words;
    if (name === undefined || vkey === undefined || words.length > 3) {
      throw new LineError('it takes: witness NAME VKEY [URL]');
    }
    const verifier = readKey(vkey, NOTE_COSIGNATURE);
    this.#requireNewKey(verifier, this.witnesses.length);
    const witness = { kind: 'witness', name, verifier, ...(url !== undefined && { url }) } as const;
    this.#define(witness);
    this.witnesses.push(witness);
  }

  #addGroup([name, rule, ...names]: readonly string[]): void {
    if (name === undefined || rule === undefined || names.length === 0) {
      throw new LineError('it takes: group NAME all|any|K MEMBER...');
    }
    this.#groups += 1;
    requireRoom(this.#groups - 1);
    const threshold = thresholdOf(rule, names.length);
    const members = names.map((member) => this.#take(member));
    this.#define({ kind: 'group', name, threshold, members });
  }

  #setQuorum(words: readonly string[]): void {
    const [name] = words;
    if (name === undefined || words.length > 1) throw new LineError('it takes: quorum NAME');
    if (this.quorum !== undefined) throw new LineError('there is a quorum already');
    this.quorum = name === NO_QUORUM ? NO_QUORUM : this.#get(name);
  }

  #define(entry: PolicyWitness | PolicyGroup): void {
    if (entry.name === NO_QUORUM) throw new LineError(`the name ${NO_QUORUM} is taken`);
    if (this.#names.has(entry.name)) throw new LineError(`${shown(entry.name)} is defined already`);
    this.#names.set(entry.name, entry);
  }

  #get(name: string): PolicyWitness | PolicyGroup {
    const found = this.#names.get(name);
    if (found === undefined) throw new LineError(`${shown(name)} is not defined above`);
    return found;
  }

  /** A member of one group cannot be one of another, or one witness could count twice. */
  #take(name: string): PolicyWitness | PolicyGroup {
    const member = this.#get(name);
    if (this.#taken.has(name)) throw new LineError(`${shown(name)} is in a group already`);
    this.#taken.add(name);
    return member;
  }

  #requireNewKey({ publicKey, name, keyId }: NoteVerifier, count: number): void {
    requireRoom(count);
    for (const { verifier } of [...this.logs, ...this.witnesses]) {
      if (verifier.publicKey === publicKey) throw new LineError('that key is listed already');
      if (verifier.name === name && verifier.keyId === keyId) {
        throw new LineError('another key has this name and key id');
      }
    }
  }
}

function readKey(vkey: string, type: NoteVerifier['type']): NoteVerifier {
  let verifier: NoteVerifier;
  try {
    verifier = parseVerifierKey(vkey);
  } catch (error) {
    if (error instanceof ProtocolError) throw new LineError(error.message, { cause: error });
    throw error;
  }
  if (verifier.type === type) return verifier;
  throw new LineError(
    type === NOTE_ED25519 ? 'that is the key of a witness' : 'that is the key of a log',
  );
}

function thresholdOf(rule: string, members: number): number {
  if (rule === 'all') return members;
  if (rule === 'any') return 1;
  if (!/^[1-9]\d{0,3}$/.test(rule))
    throw new LineError('the threshold is not all, any or a number');
  const threshold = Number(rule);
  if (threshold > members) throw new LineError(`${threshold} of ${members} cannot be met`);
  return threshold;
}

function requireRoom(count: number): void {
  if (count >= MAX_ENTRIES) throw new LineError(`more than ${MAX_ENTRIES} of a kind`);
}

/** A word of the policy for a message: printable, and short. */
function shown(word: string): string {
  return `"${word.slice(0, 40).replaceAll(/[^\x21-\x7e]/g, '?')}"`;
}

function wrong(line: number, cause: string): ProtocolError {
  return new ProtocolError('policy_invalid', `witness policy, line ${line}: ${cause}`);
}
