import type { VerifiedDirective } from '../../../protocol/campaign/directive.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { isReached } from '../../../protocol/stake/milestone.ts';
import type { Tally } from '../../../protocol/stake/tally.ts';
import { percent } from '../amounts.ts';

/**
 * A turn of a campaign in words, for operators: what was decided, why, and what they do now.
 *
 * @param before - T0 as it stood before, RFC 3339 UTC.
 * @param count - Adoption as the officer who writes this counts it: with an override.
 */
export function describeTurn(
  plan: Plan,
  before: string,
  decided: VerifiedDirective,
  count?: Pick<Tally, 'attested' | 'total'>,
): string {
  const { campaign } = plan;
  const { action, people, reason, sequence, digest } = decided;
  return `${whatHappened(before, decided)}${count === undefined ? '' : whatWasCounted(plan, count)}

Reason: ${reason === '' ? 'none was given' : reason}
Decided by ${people.join(', ')}, as directive ${sequence} of ${campaign}:
${digest}

${whatToDo(campaign, decided)}
${action === 'leaked' || decided.to === 'disclosed' ? '' : 'The embargo stands: tell nobody. Do not forward this mail.\n'}`;
}

/** How far adoption had come, in exact sums, and the gate that was not waited for. */
function whatWasCounted(
  { milestones }: Plan,
  { attested, total }: Pick<Tally, 'attested' | 'total'>,
): string {
  const gate = milestones.find((it) => it.action === 'gate');
  if (gate === undefined) return '';
  const { num, den, strict, weight } = gate;
  const what = weight === 'stake' ? 'of stake' : 'validators';
  const [part, whole] = [attested[weight], total[weight]];
  const reached = isReached(gate, part, whole) ? 'reached by now' : 'not reached';
  return `
Attested when this was written: ${part} of ${whole} ${what}, ${percent(part, whole)}.
The threshold, ${strict ? 'more than' : 'at least'} ${num}/${den}, is ${reached}.`;
}

function whatHappened(
  before: string,
  { action, override, to, revision, releaseTime }: VerifiedDirective,
): string {
  switch (action) {
    case 'reschedule':
      return `The release time has been moved\n    from ${before}\n    to   ${releaseTime ?? ''}`;
    case 'abort':
      return 'The campaign has been aborted. Nothing is released at the announced time.';
    case 'withdraw':
      return 'The patch has been withdrawn, because it does harm.';
    case 'leaked':
      return 'THE EMBARGO IS BROKEN. What was announced is released and disclosed now.';
    case 'supersede':
      return `The patch is superseded by revision ${revision}.`;
    case 'commit':
      return `The documents have been revised: revision ${revision}.`;
    case 'disclose':
      return override === true
        ? 'The campaign is disclosed now, by override: officers did not wait for adoption.'
        : 'The campaign is disclosed now.';
    case 'notify':
    case 'arm':
      return `The campaign is ${to} now.`;
  }
}

function whatToDo(campaign: string, { action }: VerifiedDirective): string {
  switch (action) {
    case 'reschedule':
      return `Run: sealdrop prefetch ${campaign}, which verifies the new time.`;
    case 'abort':
      return `There is nothing to do. sealdrop prefetch ${campaign} shows the signed decision.`;
    case 'withdraw':
      return (
        'Do not apply it. Whoever runs it goes back as INSTRUCTIONS.md says, and tells us:\n' +
        `sealdrop revert ${campaign} --reason TEXT`
      );
    case 'leaked':
      return `Do not wait for the announced time. Run: sealdrop fetch ${campaign} --wait --out ./patch`;
    case 'supersede':
      return (
        'Do not apply the earlier one any more. A new notice comes with a mail of its own: verify it\n' +
        `(sealdrop verify-notice), then run: sealdrop prefetch ${campaign}`
      );
    case 'commit':
      return `Run: sealdrop prefetch ${campaign}, which verifies what has changed.`;
    case 'disclose':
      return (
        'Whoever does not run the patch applies it at once: everybody can read now what it mends.\n' +
        `Run: sealdrop fetch ${campaign} --out ./patch`
      );
    case 'notify':
    case 'arm':
      return `See: sealdrop inbox`;
  }
}
