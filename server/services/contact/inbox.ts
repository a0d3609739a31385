import type { z } from 'zod';

import type { inboxResponse } from '../../../protocol/api/operator.ts';
import type { StatementStore } from '../adoption/statement-store.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { viewOf } from '../campaign/campaign.ts';
import type { Registry } from '../campaign/registry.ts';
import type { Identity } from '../caller.ts';
import type { MessageStore } from './messages.ts';

type InboxEntry = z.infer<typeof inboxResponse>['campaigns'][number];

/** What concerns one operator: the same as by mail, for when mail does not come. */
export interface Inbox {
  read(operator: Identity): Promise<InboxEntry[]>;
}

export function inbox(deps: {
  readonly registry: Registry;
  readonly messages: MessageStore;
  readonly statements: StatementStore;
}): Inbox {
  const { registry, messages, statements } = deps;

  const readOne = async (campaign: Campaign, operator: Identity): Promise<InboxEntry> => {
    const id = campaign.state.campaign;
    const own = await statements.listKinds(id, operator.publicKey);
    return {
      campaign: viewOf(campaign),
      messages: [...(await messages.listMessages(id, operator.publicKey))],
      statements: own.map(({ kind }) => kind),
      counter: own.reduce((highest, { counter }) => Math.max(highest, counter), 0),
    };
  };

  return {
    async read(operator) {
      const entries: InboxEntry[] = [];
      for (const campaign of registry.listVisible(operator)) {
        const entry = await readOne(campaign, operator);
        if (campaign.state.status !== 'disclosed' || entry.messages.length > 0) entries.push(entry);
      }
      return entries;
    },
  };
}
