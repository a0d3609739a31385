import type { z } from 'zod';

import type {
  contactsResponse,
  deliveryState,
  messageKind,
} from '../../../protocol/api/message.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import type { OperatorStatementKind } from '../../../protocol/statement/operator.ts';
import type { StatementStore } from '../adoption/statement-store.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { Registry } from '../campaign/registry.ts';
import { ServiceError } from '../error.ts';
import type { Roster } from '../people/roster.ts';
import type { Snapshots } from '../snapshots.ts';
import { requireEncryptedMessage } from './pgp-message.ts';

type MessageKind = z.infer<typeof messageKind>;
type DeliveryState = z.infer<typeof deliveryState>;
type Contact = z.infer<typeof contactsResponse>['contacts'][number];

/** A message as an officer encrypted it for one operator. */
interface NewMessage {
  readonly operator: Ed25519PublicKey;
  readonly kind: MessageKind;
  /** Number of the directive that it tells of. */
  readonly directive: number;
  /** PGP MESSAGE. */
  readonly armored: string;
}

interface Delivery {
  readonly operator: string;
  readonly kind: MessageKind;
  readonly directive: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly updatedAt: string;
}

export interface MessageStore {
  /**
   * Queue messages. One that has been queued before stays as it is, unless it has bounced.
   *
   * @returns How many are new.
   */
  queueMessages(campaign: string, messages: readonly NewMessage[]): Promise<number>;
  listDeliveries(campaign: string): Promise<readonly Delivery[]>;
  listMessages(
    campaign: string,
    operator: string,
  ): Promise<readonly Pick<NewMessage, 'kind' | 'directive' | 'armored'>[]>;
  /** Operators with a message, by campaign. */
  listRecipients(): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
}

export interface Messages {
  queue(
    campaign: Campaign,
    messages: readonly (Omit<NewMessage, 'directive'> & {
      readonly directive?: number | undefined;
    })[],
  ): Promise<{ readonly queued: number; readonly known: number }>;
  /** Every operator, those with the most stake first: who has to be called next. */
  contacts(campaign: Campaign): Promise<Contact[]>;
}

const MAX_MESSAGE_CHARACTERS = 1024 * 1024;

const STATE_AFTER = {
  ack: 'acknowledged',
  decline: 'declined',
  ready: 'ready',
  attest: 'attested',
  revert: 'reverted',
} as const satisfies Record<OperatorStatementKind, Contact['state']>;

/** Officers' machines encrypt; the server relays, and knows who has been reached. */
export function messages(deps: {
  readonly store: MessageStore;
  readonly statements: StatementStore;
  readonly registry: Registry;
  readonly roster: Roster;
  readonly snapshots: Snapshots;
  /** There is mail to send. */
  readonly onQueued: () => void;
}): Messages {
  const { store, registry, roster } = deps;
  return {
    async queue(campaign, outgoing) {
      const { status, sequence, campaign: id } = campaign.state;
      for (const { operator, kind, directive = sequence, armored } of outgoing) {
        if (roster.find(operator) === undefined) {
          throw new ServiceError('refused', `${operator} is not an enrolled operator`);
        }
        if (directive > sequence) {
          throw new ServiceError('conflict', `directive ${directive} has not been decided`);
        }
        const isDue =
          kind === 'closing'
            ? status === 'disclosed'
            : registry.hasRecipients(id) || hasBeenNotified(campaign);
        if (!isDue) throw new ServiceError('conflict', `no ${kind} while ${status}`);
        requireEncryptedMessage(armored, MAX_MESSAGE_CHARACTERS);
      }
      const numbered = outgoing.map((it) => ({ ...it, directive: it.directive ?? sequence }));
      const queued = await store.queueMessages(id, numbered);
      for (const { operator } of outgoing) registry.addRecipient(id, operator);
      if (queued > 0) deps.onQueued();
      return { queued, known: outgoing.length - queued };
    },

    async contacts(campaign) {
      const { campaign: id } = campaign.state;
      const { stakes } = await deps.snapshots.get(planOf(campaign).snapshot.sha256);
      const deliveries = await store.listDeliveries(id);
      const notices = new Map(
        deliveries.filter(({ kind }) => kind === 'notice').map((it) => [it.operator, it.state]),
      );
      const last = new Map<string, OperatorStatementKind>();
      for (const { operator, kind } of await deps.statements.listKinds(id))
        last.set(operator, kind);
      return roster
        .all()
        .map(({ enrolment: { operator } }) => {
          const validators = [...roster.validatorsOf(operator)].sort();
          const stake = validators.reduce((sum, it) => sum + (stakes.get(it) ?? 0n), 0n);
          const delivery = notices.get(operator) ?? null;
          const said = last.get(operator);
          const state: Contact['state'] =
            said !== undefined ? STATE_AFTER[said] : delivery === 'sent' ? 'sent' : 'unreached';
          return { operator, validators, stake, delivery, state };
        })
        .sort((a, b) => (a.stake === b.stake ? 0 : a.stake < b.stake ? 1 : -1))
        .map((contact) => ({ ...contact, stake: String(contact.stake) }));
    },
  };
}

function hasBeenNotified({ state, armedAt }: Campaign): boolean {
  return state.status === 'notified' || armedAt !== null;
}
