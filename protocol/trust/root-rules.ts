import { ProtocolError } from '../errors.ts';
import { formatVerifierKey } from '../signature/verifier-key.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import type { Endorser, TrustRoot } from './root.ts';
import { isServerHolder } from './server-holder.ts';

/**
 * Check everything that a root must be in itself: thresholds that cannot be turned against each
 * other, and every key for one purpose of one party, so that nobody counts in two roles.
 *
 * @throws {@link ProtocolError} `trust_invalid`
 * @see docs/spec/trust.md, "Root"
 */
export function checkRules(root: TrustRoot): void {
  const { people, directiveThreshold, shareThreshold } = root;
  const n = people.size;
  for (const parties of [people, root.reviewers, root.endorsers]) {
    for (const [id, party] of parties) demandOfRoot(id === party.id, 'a person under another id');
  }
  demandOfRoot(directiveThreshold <= n, 'more people needed than there are');
  demandOfRoot(shareThreshold <= n, 'more shares needed than there are');
  demandOfRoot(2 * directiveThreshold > n, 'two halves could decide against each other');
  demandOfRoot(directiveThreshold + shareThreshold > n, 'those left out could open the patch');
  demandOfRoot(root.logKey.name === root.origin, 'the log has another name than the origin');
  checkWitnessPolicy(root);
  checkVouchers(root);
  const keys = keysWithPurpose(root).map(([publicKey]) => publicKey);
  demandOfRoot(isUnique(keys), 'one key for two purposes or people');
}

/** Every key of every kind, with whom it belongs to and what for. */
export function purposeOfKeys(root: TrustRoot): ReadonlyMap<string, string> {
  return new Map(keysWithPurpose(root));
}

/** Names of verifier keys as they are written. */
export const formatVkey = ({ name, type, publicKey }: NoteVerifier): string =>
  formatVerifierKey(name, type, publicKey);

/** @throws {@link ProtocolError} `trust_invalid` */
export function demandOfRoot(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('trust_invalid', `root of trust: ${otherwise}`);
}

/** Client and server go by the same text, so it must be about this log and these witnesses. */
function checkWitnessPolicy({ witnessPolicy, witnesses, logKey }: TrustRoot): void {
  if (witnessPolicy === undefined) return;
  const vkeysOf = (verifiers: readonly NoteVerifier[]): string =>
    verifiers.map(formatVkey).sort().join(' ');
  const listed = witnessPolicy.witnesses.map(({ verifier }) => verifier);
  demandOfRoot(vkeysOf(listed) === vkeysOf(witnesses), 'the witness policy names other witnesses');
  const logs = witnessPolicy.logs.map(({ verifier }) => formatVkey(verifier));
  demandOfRoot(
    logs.length === 0 || logs.join() === formatVkey(logKey),
    'the witness policy is about another log',
  );
}

/** Nobody vouches for their own work, or twice: an id is of one party, and a firm is listed once. */
function checkVouchers({ people, reviewers, endorsers, endorsementThreshold }: TrustRoot): void {
  const ids = [people, reviewers, endorsers].flatMap((parties) => [...parties.keys()]);
  demandOfRoot(isUnique(ids), 'one person in two roles');
  demandOfRoot(!ids.some(isServerHolder), 'an id that stands for the server');
  for (const parties of [reviewers, endorsers]) {
    demandOfRoot(isUnique([...parties.values()].map(foldedName)), 'one name is listed twice');
  }
  demandOfRoot(endorsementThreshold <= endorsers.size, 'more endorsers needed than there are');
  demandOfRoot(
    endorsementThreshold > 0 === endorsers.size > 0,
    'endorsers are listed because their word is asked for',
  );
}

const foldedName = ({ name }: Endorser): string => name.toLowerCase();

function keysWithPurpose(root: TrustRoot): readonly (readonly [string, string])[] {
  const officers = [...root.people.values()].flatMap(({ id, ...keys }) =>
    Object.entries(keys).map(([purpose, publicKey]) => [publicKey, `${purpose} of ${id}`] as const),
  );
  const reviewers = [...root.reviewers.values()].flatMap(({ id, key, age }) => [
    [key, `review of ${id}`] as const,
    [age, `age of ${id}`] as const,
  ]);
  const endorsers = [...root.endorsers.values()].map(
    ({ id, key }) => [key, `endorsement of ${id}`] as const,
  );
  const witnesses = root.witnesses.map((it) => [it.publicKey, `witness ${it.name}`] as const);
  return [
    ...officers,
    ...reviewers,
    ...endorsers,
    ...witnesses,
    ...(root.custodian
      ? ([
          [root.custodian.key, 'custody signing'],
          [root.custodian.age, 'custody age'],
        ] as const)
      : []),
    [root.logKey.publicKey, 'log'],
    [root.tokenKey, 'token'],
    [root.snapshotKey, 'snapshot'],
    [root.timestampKey, 'timestamp'],
  ];
}

function isUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
