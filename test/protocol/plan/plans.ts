import {
  commitmentDigest,
  commitmentName,
  encodeCommitment,
} from '../../../protocol/commitment/commitment.ts';
import { encodePlan, planDigest } from '../../../protocol/plan/plan.ts';
import { DEFAULT_MILESTONES } from '../../../protocol/stake/milestone.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { NO_REVIEWS } from '../../../protocol/plan/review-policy.ts';
import { QUICKNET, roundAt } from '../../../protocol/plan/timelock.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { NETWORK, PEOPLE, recipientNamed } from '../trust/network.ts';

export const CAMPAIGN = 'SDX-2026-7KQ4';

/** A digest that stands for some bytes, the same for the same name. */
export const digestNamed = (name: string): string => sha256Hex(utf8Encode(name));

/** A plan for two of three officers; `commitment` follows from the documents unless given. */
export function planOf(changes: Partial<Plan> = {}): Plan {
  const documents = changes.documents ?? [
    { name: 'disclosure.md', sha256: digestNamed('disclosure') },
    { name: 'notice.txt', sha256: digestNamed('notice') },
    { name: 'release.txt', sha256: digestNamed('release') },
  ];
  return {
    campaign: CAMPAIGN,
    nonce: digestNamed('nonce'),
    revision: 1,
    network: NETWORK,
    kind: 'embargoed',
    exercise: false,
    commitment: commitmentDigest(encodeCommitment(documents)),
    documents,
    releaseRecipient: recipientNamed('release'),
    accessRecipient: recipientNamed('access'),
    closingRecipient: recipientNamed('closing'),
    shareThreshold: 2,
    shares: (['release', 'closing'] as const).flatMap((key) =>
      PEOPLE.map((officer) => ({ key, officer, sha256: digestNamed(`${key} ${officer}`) })),
    ),
    bundles: [
      { variant: 'agave', sha256: digestNamed('agave'), size: 131_072 },
      { variant: 'jito', sha256: digestNamed('jito'), size: 262_144 },
    ],
    closingBundle: { sha256: digestNamed('closing bundle'), size: 65_536 },
    releaseTime: '2026-11-20T14:00:00Z',
    latestDisclosure: '2026-12-20T14:00:00Z',
    milestones: DEFAULT_MILESTONES,
    policy: { gate: 'attested', reviews: NO_REVIEWS },
    snapshot: { sha256: digestNamed('snapshot'), point: 'epoch 650' },
    ...changes,
  };
}

/** The plan that follows `before`: its documents with `documents` put in their place. */
export function revisionOf(
  before: Plan,
  documents: Readonly<Record<string, string>>,
  changes: Partial<Plan> = {},
): Plan {
  const kept = before.documents.filter(({ name }) => !name.startsWith('COMMITMENT'));
  const list = [
    { name: commitmentName(before.revision), sha256: before.commitment },
    ...kept.map(({ name, sha256 }) => ({ name, sha256: documents[name] ?? sha256 })),
  ];
  return {
    ...before,
    nonce: digestNamed(`nonce ${before.revision + 1}`),
    revision: before.revision + 1,
    documents: list,
    commitment: commitmentDigest(encodeCommitment(list)),
    ...changes,
  };
}

export const digestOf = (plan: Plan): string => planDigest(encodePlan(plan));

/** A plan whose release shares are locked to T0, with a second split that takes all three officers. */
export function lockedPlanOf(changes: Partial<Plan> = {}): Plan {
  const plan = planOf();
  const shares = plan.shares.map((share) =>
    share.key === 'release' ? { ...share, locked: digestNamed(`locked ${share.officer}`) } : share,
  );
  const glass = PEOPLE.map((officer) => {
    return { key: 'break-glass' as const, officer, sha256: digestNamed(`break-glass ${officer}`) };
  });
  const { releaseTime = plan.releaseTime } = changes;
  return {
    ...plan,
    timelock: { chain: QUICKNET.hash, round: roundAt(QUICKNET, parseTime(releaseTime)) },
    breakGlassThreshold: 3,
    shares: [...shares, ...glass],
    ...changes,
  };
}
