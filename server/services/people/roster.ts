import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import type { Bindings } from '../../../protocol/stake/bindings.ts';
import type { Enrolment } from '../../../protocol/statement/enrolment.ts';

/** An enrolment that was verified when it was accepted. */
export interface EnrolledOperator {
  readonly enrolment: Enrolment;
  /** The envelope as stored, JSON. */
  readonly envelope: string;
  readonly email: string;
  /** Armored public key. */
  readonly openpgp: string;
}

/** Every operator there is, in memory: asked on every request. */
export interface Roster {
  /** Who speaks for which identity now, by the rule of `bindIdentities`: the latest enrolment. */
  readonly bindings: Bindings;
  find(operator: Ed25519PublicKey): EnrolledOperator | undefined;
  /** Latest enrolment of each operator. */
  all(): readonly EnrolledOperator[];
  /** Every enrolment, in the order of their leaves in the log: what decides who speaks for whom. */
  history(): readonly EnrolledOperator[];
  /** Identities that this operator speaks for now. */
  validatorsOf(operator: Ed25519PublicKey): ReadonlySet<string>;
  /** How many enrolments have named this identity. */
  timesEnrolled(validator: string): number;
  /** How often an identity has changed its operator: tallies made before count differently. */
  takeovers(): number;
  add(operator: EnrolledOperator): void;
}

const NOTHING: ReadonlySet<string> = new Set();

/** @param stored - Every enrolment ever accepted, in the order of their leaves in the log. */
export function openRoster(stored: readonly EnrolledOperator[]): Roster {
  const history: EnrolledOperator[] = [];
  const operators = new Map<string, EnrolledOperator>();
  const bindings = new Map<string, Ed25519PublicKey>();
  const validators = new Map<string, Set<string>>();
  const times = new Map<string, number>();
  let takeovers = 0;

  const bind = (validator: string, operator: Ed25519PublicKey): void => {
    times.set(validator, (times.get(validator) ?? 0) + 1);
    const before = bindings.get(validator);
    if (before === operator) return;
    if (before !== undefined) {
      validators.get(before)?.delete(validator);
      takeovers += 1;
    }
    bindings.set(validator, operator);
    validators.set(operator, (validators.get(operator) ?? new Set()).add(validator));
  };
  const add = (added: EnrolledOperator): void => {
    const { operator, proofs } = added.enrolment;
    history.push(added);
    operators.set(operator, added);
    for (const { validator } of proofs) bind(validator, operator);
  };
  for (const operator of stored) add(operator);

  return {
    bindings,
    find: (operator) => operators.get(operator),
    all: () => [...operators.values()],
    history: () => history,
    validatorsOf: (operator) => validators.get(operator) ?? NOTHING,
    timesEnrolled: (validator) => times.get(validator) ?? 0,
    takeovers: () => takeovers,
    add,
  };
}
