import { parseTime } from '../../protocol/encoding/time.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { serverCustodyText } from '../../protocol/plan/server-custody.ts';
import { countdown } from './amounts.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/** Everything about a campaign and what is pending, whole, as lines for a person. */
export function describeStanding(session: OfficerSession, standing: Standing): readonly string[] {
  const { plan, state, directives, pending } = standing;
  const now = session.context.now();
  const lines = [
    `campaign          ${plan.campaign}${plan.exercise ? '  EXERCISE' : ''}`,
    `network           ${plan.network}`,
    `status            ${state.status}, directive ${state.sequence}, revision ${state.revision}`,
    `plan              ${state.plan}`,
    `commitment        ${plan.commitment}`,
    ...plan.documents.map(({ name, sha256 }) => `  ${name.padEnd(16)}${sha256}`),
    `T0                ${state.releaseTime}  (${countdown(parseTime(state.releaseTime) - now)})`,
    `latest disclosure ${state.latestDisclosure}`,
    ...describeKeys(plan),
    `snapshot          ${plan.snapshot.sha256}  (${plan.snapshot.point})`,
    ...(plan.mirrors ?? []).map((mirror) => `mirror            ${mirror}`),
    ...plan.milestones.map(
      ({ name, num, den, strict, weight, action }) =>
        `milestone         ${name}: ${strict ? 'more than' : 'at least'} ${num}/${den} of ${weight}` +
        (action === 'gate' ? ', the gate' : ''),
    ),
    ...plan.bundles.map(
      ({ variant, sha256, size }) => `ciphertext        ${sha256}  ${variant}, ${size} bytes`,
    ),
    `ciphertext        ${plan.closingBundle.sha256}  closing, ${plan.closingBundle.size} bytes`,
    ...directives.map(
      ({ sequence, action, people, digest }) =>
        `directive ${String(sequence).padEnd(8)}${action}, by ${people.join(', ')}  ${digest}`,
    ),
  ];
  if (pending === undefined) return [...lines, 'pending           nothing'];
  const { directive, digest, people, problem, revised } = pending;
  const { action, from, to, sequence, reason, issuedAt, expiresAt, releaseTime } = directive;
  return [
    ...lines,
    `pending           ${action} (${from} to ${to}), directive ${sequence}  ${digest}`,
    ...(releaseTime === undefined ? [] : [`  new T0          ${releaseTime}`]),
    ...(revised === undefined ? [] : describeRevision(revised.plan, directive.plan)),
    ...(directive.override === true ? ['  override        before the gate is reached'] : []),
    ...(reason === '' ? [] : [`  reason          ${reason}`]),
    `  signed by       ${people.join(', ')}; needs ${session.trust.root.directiveThreshold}`,
    `  issued          ${issuedAt}, expires ${expiresAt}`,
    ...(problem === undefined ? [] : [`  cannot complete ${problem}`]),
  ];
}

/** A plan that is to follow: what operators would get, and when. */
function describeRevision(plan: Plan, digest: string): readonly string[] {
  return [
    `  new plan        ${digest}, revision ${plan.revision}`,
    `  commitment      ${plan.commitment}`,
    ...plan.documents.map(({ name, sha256 }) => `    ${name.padEnd(14)}${sha256}`),
    `  T0              ${plan.releaseTime}`,
    `  latest          ${plan.latestDisclosure}`,
    ...describeKeys(plan).map((line) => `  ${line}`),
    ...plan.bundles.map(({ variant, sha256 }) => `  ciphertext      ${sha256}  ${variant}`),
  ];
}

/** Who can open, and when. */
function describeKeys(plan: Plan): readonly string[] {
  const { shareThreshold, timelock, breakGlassThreshold, shares } = plan;
  const officers = shares.filter(({ key }) => key === 'closing').length;
  const lines = [`keys              ${shareThreshold} of ${officers} officers`];
  if (timelock !== undefined) {
    lines.push(
      `time-lock         release shares open with drand round ${timelock.round}, not before`,
    );
  }
  if (breakGlassThreshold !== undefined) {
    lines.push(
      `break-glass       ${breakGlassThreshold} of ${officers} officers, without time-lock`,
    );
  }
  const custody = serverCustodyText(plan);
  return custody === undefined ? lines : [...lines, custody];
}

/** The same for a program: what `--json` gives. */
export function standingSummary(standing: Standing): object {
  const { plan, state, directives, pending } = standing;
  return {
    campaign: plan.campaign,
    network: plan.network,
    exercise: plan.exercise,
    status: state.status,
    sequence: state.sequence,
    revision: state.revision,
    plan: state.plan,
    commitment: plan.commitment,
    releaseTime: state.releaseTime,
    latestDisclosure: state.latestDisclosure,
    timelock: plan.timelock ?? null,
    serverCustody: serverCustodyText(plan) ?? null,
    breakGlass: state.breakGlass,
    directives: directives.map(({ sequence, action, people, digest }) => ({
      sequence,
      action,
      people,
      digest,
    })),
    pending: pending && {
      ...pending.directive,
      digest: pending.digest,
      signed: pending.people,
      problem: pending.problem ?? null,
    },
  };
}
