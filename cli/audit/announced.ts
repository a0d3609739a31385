import type { Leaf } from '../../protocol/log/leaf.ts';
import {
  count,
  demand,
  forRevisions,
  tellRevisions,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { leavesFact } from './log.ts';
import { planFact } from './plan.ts';
import { trustFact } from './trust.ts';

/** Where the log made public what is public of a revision from its start. */
export interface Announced {
  /** First leaf with the plan's commitment. */
  readonly commitment: number;
  /** First leaf with the plan's snapshot. */
  readonly snapshot: number;
}

/** By revision. */
export const announcedFact: Fact<readonly Announced[]> = {
  check: 'announced.commitment',
  async establish(audit) {
    const { all } = await audit.get(planFact);
    const { announced } = await audit.get(leavesFact);
    const first = (type: 'commitment' | 'snapshot', sha256: string): number => {
      const found = announced.find(({ leaf }) => leaf.type === type && leaf.sha256 === sha256);
      demand(found !== undefined, `the log does not announce the ${type}`);
      return found.index;
    };
    return forRevisions(all, ({ plan }) => ({
      commitment: first('commitment', plan.commitment),
      snapshot: first('snapshot', plan.snapshot.sha256),
    }));
  },
};

export const announcedChecks: readonly Check[] = [
  {
    id: 'announced.commitment',
    title: 'the log announces the commitment and the stake snapshot of the plan',
    async run(audit: Audit): Promise<string> {
      const announced = await audit.get(announcedFact);
      return tellRevisions(
        announced.map(({ commitment, snapshot }) => `leaves ${commitment} and ${snapshot}`),
      );
    },
  },
  {
    id: 'announced.roots',
    title: 'the log announces every root of trust, and no other',
    run: checkRoots,
  },
];

/** A root that some were shown and others not would part them; the log settles which there are. */
async function checkRoots(audit: Audit): Promise<string> {
  const { digests } = await audit.get(trustFact);
  const { announced } = await audit.get(leavesFact);
  const roots = announced.map(({ leaf }) => leaf).filter(isRoot);
  for (const [version, sha256] of digests) {
    const found = roots.filter((leaf) => leaf.version === version);
    demand(found.length > 0, `root ${version} is not in the log`);
    const isSame = found.every((leaf) => leaf.sha256 === sha256);
    demand(isSame, `the log announces another root ${version}`);
  }
  const unknown = roots.find(({ version }) => !digests.has(version));
  demand(unknown === undefined, `root ${unknown?.version ?? 0} is in the log, but not here`);
  return count(digests.size, 'root');
}

function isRoot(leaf: Leaf): leaf is Extract<Leaf, { type: 'root' }> {
  return leaf.type === 'root';
}
