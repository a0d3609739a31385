import type { z } from 'zod';
import { eventsResponse } from '../../protocol/api/campaign.ts';
import { equalBytes, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { encodeJson, parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { NO_CAMPAIGN, type Opening } from '../../protocol/log/opening.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { RECORD } from '../../protocol/record/layout.ts';
import { parseEnvelopeFile } from '../../protocol/record/lines.ts';
import { AuditError, demand, within, type Audit, type Fact } from './check.ts';
import { openingsFact, type Opened } from './openings.ts';
import { planFact } from './plan.ts';

/** What an opening of kind `event` holds: the server's own word. */
export type EventEntry = z.infer<typeof eventsResponse>['events'][number];

export interface LoggedEvent extends EventEntry {
  /** Of its sealed leaf. */
  readonly index: number;
}

/** What the log has of this campaign, and of enrolments. */
export interface Ledger {
  /** By leaf. */
  readonly events: readonly LoggedEvent[];
  /** Leaf of each envelope that was accepted, by {@link entryOf}. */
  readonly envelopes: ReadonlyMap<string, number>;
  /** Openings of other campaigns that are disclosed as well. */
  readonly others: number;
}

type EnvelopeKind = Exclude<Opening['kind'], 'event'>;

const MAX_EVENT_BYTES = 4096;

export const ledgerFact: Fact<Ledger> = { check: 'openings.content', establish: readLedger };

/** Names an accepted envelope within a {@link Ledger}. */
export function entryOf(kind: EnvelopeKind, envelope: Envelope): string {
  return `${kind} ${sha256Hex(encodeEnvelope(envelope))}`;
}

/**
 * The leaf of an envelope that the record holds.
 *
 * @throws {@link AuditError} when the log has none: the record made it up, or the server hid it.
 */
export function leafOf(
  ledger: Ledger,
  kind: EnvelopeKind,
  envelope: Envelope,
  what: string,
): number {
  const index = ledger.envelopes.get(entryOf(kind, envelope));
  if (index === undefined) throw new AuditError(`${what} is not in the log`);
  return index;
}

async function readLedger(audit: Audit): Promise<Ledger> {
  const { campaign } = await audit.get(planFact);
  const envelopes = new Map<string, number>();
  const events: LoggedEvent[] = [];
  let others = 0;
  for (const { index, opening } of await audit.get(openingsFact)) {
    if (opening.campaign !== campaign && opening.campaign !== NO_CAMPAIGN) {
      others += 1;
    } else if (opening.kind === 'event') {
      events.push({ ...within(RECORD.opening(index), () => parseEvent(opening)), index });
    } else {
      const entry = readEntry({ index, opening }, opening.kind);
      demand(!envelopes.has(entry), `leaf ${index} repeats another one`);
      envelopes.set(entry, index);
    }
  }
  return { events, envelopes, others };
}

function readEntry({ index, opening }: Opened, kind: EnvelopeKind): string {
  return within(RECORD.opening(index), () => entryOf(kind, parseEnvelopeFile(opening.content)));
}

function parseEvent({ content }: Opening): EventEntry {
  const json = parseJson(content, MAX_EVENT_BYTES);
  const event = parseShape(eventsResponse.shape.events.element, json, 'encoding_invalid', 'event');
  if (equalBytes(encodeJson(event), content)) return event;
  throw new ProtocolError('encoding_invalid', 'the event is not in its one encoding');
}
