import { checkSplit, combineShares, verifyPlannedShare } from '../../protocol/embargo/share.ts';
import type { KeyName, OfficerShare, Share } from '../../protocol/embargo/share.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { count, demand, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { requirePaths } from './folder.ts';
import { planFact } from './plan.ts';
import { publishedFact, type Published } from './published.ts';

/** The release key; `undefined` for a campaign that ended before its patch was released. */
export const releaseKeyFact: Fact<string | undefined> = {
  check: 'shares.release',
  establish: (audit) => readKey(audit, 'release'),
};

export const closingKeyFact: Fact<string> = {
  check: 'shares.closing',
  async establish(audit) {
    const key = await readKey(audit, 'closing');
    demand(key !== undefined, 'a disclosed campaign has a closing key');
    return key;
  },
};

export const shareChecks: readonly Check[] = [
  {
    id: 'shares.release',
    title: 'any threshold of the release shares makes release.key, which is the plan’s',
    async run(audit: Audit): Promise<string> {
      const key = await audit.get(releaseKeyFact);
      if (key === undefined) return 'the patch was never released';
      return describe(await audit.get(publishedFact), 'release');
    },
  },
  {
    id: 'shares.closing',
    title: 'any threshold of the closing shares makes closing.key, which is the plan’s',
    async run(audit: Audit): Promise<string> {
      await audit.get(closingKeyFact);
      return describe(await audit.get(publishedFact), 'closing');
    },
  },
];

/**
 * The key that the shares in the record make, after looking at each of them.
 *
 * A share whose officer published garbage is not in the record, and does not make it bad.
 */
async function readKey(audit: Audit, name: KeyName): Promise<string | undefined> {
  const { plan } = await audit.get(planFact);
  const published = await audit.get(publishedFact);
  const { state } = await audit.get(directivesFact);
  const officers = published.shares[name].map(({ officer }) => officer);
  requirePaths(
    audit,
    `shares/${name}.`,
    officers.map((officer) => RECORD.share(name, officer)),
  );
  const keyPath = name === 'release' ? RECORD.releaseKey : RECORD.closingKey;
  if (name === 'release' && !state.released && officers.length < plan.shareThreshold) {
    demand(!audit.files.sizes.has(keyPath), `${keyPath} is there, but the patch was not released`);
    return undefined;
  }
  const shares: OfficerShare[] = [];
  for (const officer of officers) {
    const document = await audit.files.read(RECORD.share(name, officer), LIMIT.small);
    shares.push({ officer, document });
  }
  const { key } = await combineShares(shares, plan, name);
  await checkSplit(verifyAll(shares, plan, name), plan, name);
  const file = utf8Decode(await audit.files.read(keyPath, LIMIT.small));
  demand(file === `${key}\n`, `${keyPath} is not the key that the shares make`);
  return key;
}

function verifyAll(shares: readonly OfficerShare[], plan: Plan, name: KeyName): Share[] {
  return shares.map(({ officer, document }) => verifyPlannedShare(document, plan, name, officer));
}

function describe({ shares, bad }: Published, name: KeyName): string {
  const officers = shares[name].map(({ officer }) => officer).join(', ');
  const good = `${count(shares[name].length, 'share')}: ${officers}`;
  const named = bad
    .filter(({ of }) => of.startsWith(name))
    .map(({ officer, reason }) => `${officer} (${reason})`);
  return named.length === 0 ? good : `${good}; bad: ${named.join(', ')}`;
}
