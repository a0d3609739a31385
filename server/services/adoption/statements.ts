import { hash } from 'node:crypto';

import type { CampaignStatus } from '../../../protocol/campaign/transitions.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { encodeEnvelope, verifyEnvelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import type {
  OperatorStatement,
  OperatorStatementKind,
} from '../../../protocol/statement/operator.ts';
import { parseOperatorStatement, requireContext } from '../../../protocol/statement/operator.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { Registry } from '../campaign/registry.ts';
import type { Identity } from '../caller.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Roster } from '../people/roster.ts';
import type { Acceptance } from '../sealing.ts';
import { sealWithReceipt } from '../sealing.ts';
import type { Adoption } from './adoption.ts';
import type { StatementStore } from './statement-store.ts';
import { MAX_STATEMENTS, tooManyStatements } from './statement-store.ts';
import type { Testimony } from './testimony.ts';

export interface Statements {
  submit(operator: Identity, id: string, envelope: Envelope): Promise<Acceptance>;
}

/** When each kind is accepted. */
const ACCEPTED_IN = {
  ack: ['notified', 'armed', 'released', 'adopted'],
  ready: ['notified', 'armed', 'released', 'adopted'],
  decline: ['notified', 'armed', 'released', 'adopted'],
  attest: ['released', 'adopted', 'disclosed'],
  revert: ['released', 'adopted', 'withdrawn', 'disclosed'],
} as const satisfies Record<OperatorStatementKind, readonly CampaignStatus[]>;

/**
 * Take in operators' statements: cheap checks first, the signature last, one durable commit, then
 * the answer. The same envelope again gets the same answer; it counts once.
 */
export function statements(deps: {
  readonly store: StatementStore;
  readonly registry: Registry;
  readonly roster: Roster;
  readonly adoption: Adoption;
  readonly testimony: Testimony;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly now: () => number;
}): Statements {
  const { store, registry, roster, now } = deps;

  const checkContext = (
    statement: OperatorStatement,
    operator: Identity,
    { state }: Campaign,
  ): void => {
    const { kind, validators } = statement;
    const accepted: readonly CampaignStatus[] = ACCEPTED_IN[kind];
    if (!accepted.includes(state.status)) {
      throw new ServiceError('conflict', `no ${kind} while the campaign is ${state.status}`);
    }
    const own = roster.validatorsOf(operator.publicKey);
    const foreign = validators.find((validator) => !own.has(validator));
    refuseUnless(foreign === undefined, `${foreign ?? ''} is not bound to this operator`);
  };

  return {
    async submit(operator, id, envelope) {
      const campaign = registry.getVisible(id, operator);
      const statement = parseOperatorStatement(envelope.payload);
      refuseUnless(statement.campaign === id, 'the statement is for another campaign');
      const content = encodeEnvelope(envelope);
      const { kind, revision, counter } = statement;
      const key = {
        campaign: id,
        operator: operator.publicKey,
        counter,
        digest: hash('sha256', content),
      };
      const { known, lastCounter } = await store.findStatement(key);
      if (known !== undefined) return known;
      // There are no more statements than counters.
      const isMany = lastCounter >= MAX_STATEMENTS;
      if (isMany && (await store.countStatements(id, operator.publicKey)) >= MAX_STATEMENTS) {
        throw tooManyStatements();
      }
      if (counter <= lastCounter) {
        throw new ServiceError('conflict', `the counter must be above ${lastCounter}`);
      }
      checkContext(statement, operator, campaign);
      const plan = planOf(campaign);
      requireContext(statement, plan);
      refuseUnless(
        statement.variant === undefined ||
          plan.bundles.some(({ variant }) => variant === statement.variant),
        'the plan has no such variant',
      );

      verifyEnvelope(envelope, deps.verify, new Map([[operator.publicKey, operator.id]]), 1);
      const entry = sealWithReceipt(deps.log, now(), id, 'statement', content);
      const { acceptance, added } = await store.addStatement({
        ...key,
        kind,
        revision,
        envelope: utf8Decode(content),
        entry,
      });
      if (added) {
        const accepted = { ...statement, operator: operator.publicKey };
        await deps.adoption.add(id, accepted, entry.acceptedAt);
        await deps.testimony.hear(accepted);
      }
      return acceptance;
    },
  };
}
