import { parseTime } from '../../../protocol/encoding/time.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import type { Presigned } from './presigned.ts';

/** How long before signatures end officers are told to give new ones: over a night. */
const SOON_MS = 24 * 3_600_000;

/**
 * What to do about signatures under `leaked` that were given ahead: which are void or end soon, and
 * who could give those that are missing. Nothing where nobody gave any, or once all is disclosed.
 */
export function presignedReminders(
  { context, keys, trust }: OfficerSession,
  { plan: { campaign }, state }: Standing,
  { kept, given }: Presigned,
): readonly string[] {
  if (state.status === 'disclosed') return [];
  const now = context.now();
  const trouble = ({ problem, directive }: NonNullable<Presigned['given']>): string | undefined => {
    if (problem !== undefined) return `void (${problem})`;
    const { expiresAt } = directive;
    return parseTime(expiresAt) - now < SOON_MS ? `good until ${expiresAt} only` : undefined;
  };
  const anew = `sealdrop leaked ${campaign} --prepare --reason TEXT --out FILE`;
  const reminders: string[] = [];
  if (kept !== undefined) {
    const { people } = kept;
    const missing = trust.root.directiveThreshold - 1 - people.length;
    const others = [...trust.root.people.keys()].filter(
      (id) => id !== keys.id && !people.includes(id),
    );
    const wrong = trouble(kept);
    if (wrong !== undefined) {
      reminders.push(`what others signed ahead for a leak is ${wrong}: ask them for new ones`);
    } else if (missing > 0) {
      const names = others.sort().join(', ');
      reminders.push(`signed ahead for a leak, ${missing} more are missing, of any of ${names}`);
    }
  }
  const wrong = given && trouble(given);
  if (wrong !== undefined) {
    reminders.push(`what you signed ahead for a leak is ${wrong}; for a new one: ${anew}`);
  }
  return reminders.map((text) => `${campaign}: ${text}`);
}

/** Said by `status` and `inspect`; an agent says each once. */
export function remindOfPresigned(
  session: OfficerSession,
  standing: Standing,
  presigned: Presigned,
): void {
  for (const text of presignedReminders(session, standing, presigned)) {
    session.context.out.warn(text);
  }
}
