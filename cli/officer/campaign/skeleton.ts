import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import type { ReviewPolicy } from '../../../protocol/plan/review-policy.ts';

/** Stands wherever the skeleton needs an officer's words; `lint` refuses what still holds it. */
export const PLACEHOLDER = 'REPLACE-ME';

export interface SkeletonChoices {
  readonly id: string;
  readonly network: string;
  readonly exercise: boolean;
  readonly variants: readonly string[];
  readonly reviews: ReviewPolicy;
  /** Digest of a snapshot that `network add` kept, if there is one. */
  readonly snapshot: string | undefined;
  /** Unix ms. */
  readonly now: number;
}

const DAY_MS = 86_400_000;

/** The files of a new campaign directory, by relative path. */
export function campaignSkeleton(choices: SkeletonChoices): ReadonlyMap<string, Uint8Array> {
  const releaseTime = proposeReleaseTime(choices.now);
  const release = formatTime(releaseTime);
  const texts: [string, string][] = [
    ['README.md', readme()],
    ['campaign.json', campaignJson(choices, releaseTime)],
    ['notice.md', notice(choices, release)],
    ['disclosure.md', disclosure(choices)],
    ['INSTRUCTIONS.md', instructions(choices)],
    ...choices.variants.map((name): [string, string] => [
      `artifacts/${name}/${PLACEHOLDER}`,
      `Put the files of ${name} here, name them in campaign.json, and delete this one.\n`,
    ]),
  ];
  return new Map(texts.map(([name, text]) => [name, utf8Encode(text)]));
}

/** The first 14:00 UTC at least 24 hours away on a Monday to Thursday: most of the world is awake. */
export function proposeReleaseTime(now: number): number {
  let candidate = Math.floor(now / DAY_MS) * DAY_MS + 14 * 3_600_000;
  while (candidate < now + DAY_MS || ![1, 2, 3, 4].includes(new Date(candidate).getUTCDay())) {
    candidate += DAY_MS;
  }
  return candidate;
}

function campaignJson(choices: SkeletonChoices, releaseTime: number): string {
  const file = {
    format: 'sealdrop-campaign/v1',
    id: choices.id,
    network: choices.network,
    exercise: choices.exercise,
    releaseTime: formatTime(releaseTime),
    latestDisclosure: formatTime(releaseTime + 14 * DAY_MS),
    reviews: choices.reviews,
    variants: choices.variants.map((name) => ({
      name,
      base: PLACEHOLDER,
      tree: PLACEHOLDER,
      toolchain: PLACEHOLDER,
      files: [`${PLACEHOLDER}.patch`],
    })),
    snapshot: choices.snapshot ?? PLACEHOLDER,
    mirrors: [],
    regions: [],
    secretTerms: [],
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

const exerciseLine = ({ exercise }: SkeletonChoices): string =>
  exercise ? 'EXERCISE. This is a rehearsal; no real bug is behind it.\n\n' : '';

function notice(choices: SkeletonChoices, releaseTime: string): string {
  return `# ${choices.id}: a critical update is coming

${exerciseLine(choices)}A critical update of your validator software will be released to you on
${releaseTime}. Please have somebody at the keyboard at that hour.

- ${PLACEHOLDER}: which clients and versions need it, and nothing about why.
- ${PLACEHOLDER}: how long it takes, and whether a restart is needed.
- ${PLACEHOLDER}: may it be applied at once, and what may be said meanwhile?

To prepare: \`sealdrop ack ${choices.id}\`, then \`sealdrop prefetch ${choices.id}\` and
\`sealdrop ready ${choices.id}\`. Check this message with \`sealdrop verify-notice\`.
`;
}

function disclosure(choices: SkeletonChoices): string {
  return `# ${PLACEHOLDER}: title of the advisory

${exerciseLine(choices)}- Id: ${choices.id}
- Severity: ${PLACEHOLDER}
- Affected versions: ${PLACEHOLDER}
- Fixed by: ${PLACEHOLDER}

## What was wrong

${PLACEHOLDER}

## What was done, and when

${PLACEHOLDER}

## Credit

${PLACEHOLDER}
`;
}

function instructions(choices: SkeletonChoices): string {
  const steps = choices.variants.map(
    (name) => `## ${name}

1. \`git checkout ${PLACEHOLDER}\`
2. \`git apply --index ${PLACEHOLDER}.patch\`
3. \`git write-tree\` must print ${PLACEHOLDER}
4. ${PLACEHOLDER}: build, restart, and how to see that it worked
5. \`sealdrop attest ${choices.id} --variant ${name}\`
`,
  );
  return `# How to apply ${choices.id}

${exerciseLine(choices)}${steps.join('\n')}
## If it goes wrong

${PLACEHOLDER}: how to go back, and whom to call. Then \`sealdrop revert ${choices.id}\`.
`;
}

function readme(): string {
  return `# A campaign, before it is sealed

Everything here is under embargo. It never leaves this machine except through \`sealdrop seal\`.
Replace every \`${PLACEHOLDER}\`, then run \`sealdrop lint DIR\` until it has nothing left to say.

- \`notice.md\`: what operators are told ahead of time. Nothing about the bug.
- \`disclosure.md\`: the full advisory, published at the end, bit for bit as it stands when sealed.
- \`INSTRUCTIONS.md\`: what an operator does at the release time, for every variant.
- \`artifacts/<variant>/\`: the patches or builds. Names are unique over all variants.
- \`campaign.json\`:
  - \`releaseTime\`: when operators can open the artifacts; UTC. notice.md must state the same.
  - \`latestDisclosure\`: when the disclosure is published, adoption or not; UTC.
  - \`exercise\`: true for a rehearsal; notice.md, disclosure.md and INSTRUCTIONS.md must then say
    EXERCISE.
  - \`variants\`: \`base\` is the commit (or tag) that the patches apply to, \`tree\` the git tree hash
    that must result, \`toolchain\` the exact compiler, \`files\` the names in artifacts/<name>/.
    Patches are applied in the order of their names: 0001-….patch, 0002-….patch.
  - \`serverCustody\`: "one" to give the server one of the release shares, so that one officer less can open
    with it; "alone", in an exercise only, to let it open without any. Left out, officers hold all.
  - \`reviews\`: how many of which reviewers must find the release sound before it can be armed; \`by\`
    lists ids from the trust root. \`required\` 0 and nobody listed: none.
  - \`snapshot\`: stake that adoption is measured against: a canonical file in this directory, or the
    digest that \`sealdrop network add\` printed.
  - \`mirrors\`: https addresses that the plan names besides the server. Operators fetch ciphertext
    and shares there too, agents put shares there, and \`lint\` compares what they hold.
  - \`regions\`: where the stake lives, so that T0 is judged by the clocks, weekends and holidays
    there: \`[{"zone": "Europe/Berlin", "percent": 60, "country": "DE"}, …]\`; \`holidays\` beside
    them are days off that no table knows.
  - \`secretTerms\`: words and phrases that notice.md must not say, such as what the bug is in.
  - \`milestones\` (optional): what adoption is measured by; exactly one is the strict gate.

  The times above are proposals: a working day at 14:00 UTC, and two weeks to disclose.
`;
}
