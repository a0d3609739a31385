import type { Transaction } from 'kysely';

import { sha256Hex, toBase64 } from '../../protocol/encoding/bytes.ts';
import type { CampaignChange } from '../services/campaign/change.ts';
import { ServiceError } from '../services/error.ts';
import { mutableColumns } from './campaign-row.ts';
import { saveAttachment } from './directives.ts';
import { appendEvents } from './events.ts';
import { appendLeaves, appendSealed } from './openings.ts';
import type { Schema } from './schema.ts';

/** Compare-and-swap: of two changes that start from the same state one loses. */
export async function applyChange(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { before, after, at } = change;
  const id = before.state.campaign;
  const { numUpdatedRows } = await tx
    .updateTable('campaigns')
    .set(mutableColumns(after))
    .where('id', '=', id)
    .where('sequence', '=', before.state.sequence)
    .where('status', '=', before.state.status)
    .where('events', '=', before.events)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ServiceError('conflict', 'the campaign has moved on');
  await addDirective(tx, change);
  await addPublication(tx, change);
  await appendEvents(tx, id, change.events);
  await addOpenLeaves(tx, change);
  if (change.attachment !== undefined) await saveAttachment(tx, id, change.attachment);
  if (change.targets !== undefined) {
    const { version, bytes, sha256 } = change.targets;
    const text = new TextDecoder().decode(bytes);
    await tx.insertInto('tuf_targets').values({ version, bytes: text, sha256 }).execute();
  }
  for (const [name, bytes] of change.documents ?? []) {
    const row = { campaign: id, name, sha256: sha256Hex(bytes), bytes: toBase64(bytes) };
    await tx.insertInto('documents').values(row).execute();
  }
  if (change.disclosure !== undefined) {
    const [seq] = await appendLeaves(tx, [change.disclosure], at);
    await tx
      .updateTable('campaigns')
      .set({ disclosure_seq: seq ?? 0 })
      .where('id', '=', id)
      .execute();
  }
}

async function addDirective(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { directive, before, at } = change;
  if (directive === undefined) return;
  const { sequence, digest, envelope, entry } = directive;
  const campaign = before.state.campaign;
  await appendSealed(tx, [{ ...entry, acceptedAt: at }]);
  await tx
    .insertInto('directives')
    .values({
      campaign,
      sequence,
      digest,
      envelope,
      completed_at: at,
      opening: entry.digest,
      receipt: entry.receipt,
    })
    .execute();
  await tx.deleteFrom('proposals').where('campaign', '=', campaign).execute();
}

async function addPublication(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  if (change.publication === undefined) return;
  const { entry, ...publication } = change.publication;
  await appendSealed(tx, [entry]);
  await tx
    .insertInto('publications')
    .values({
      campaign: change.before.state.campaign,
      ...publication,
      accepted_at: entry.acceptedAt,
      receipt: entry.receipt,
      opening: entry.digest,
    })
    .execute();
}

async function addOpenLeaves(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { commitment, before, at } = change;
  if (commitment === undefined) return;
  const [seq] = await appendLeaves(tx, [{ type: 'commitment', sha256: commitment }], at);
  await tx
    .insertInto('commitments')
    .values({
      sha256: commitment,
      queue_seq: seq ?? 0,
      campaign: before.state.campaign,
      committed_at: at,
    })
    .execute();
}
