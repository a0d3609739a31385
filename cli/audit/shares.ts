import { checkSplit, combineShares, verifyPlannedShare } from '../../protocol/embargo/share.ts';
import type { KeyName } from '../../protocol/embargo/key-name.ts';
import type { OfficerShare, Share } from '../../protocol/embargo/share.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { releasedThrough } from '../operator/publications.ts';
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
    id: 'shares.break-glass',
    title: 'the second split of the release key was not used, or it is told who used it and why',
    run: checkBreakGlass,
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
async function readKey(audit: Audit, name: 'release' | 'closing'): Promise<string | undefined> {
  const { plan } = await audit.get(planFact);
  const published = await audit.get(publishedFact);
  const { state } = await audit.get(directivesFact);
  const own = await readShares(audit, published, name);
  const keyPath = name === 'release' ? RECORD.releaseKey : RECORD.closingKey;
  const isOut = state.released || releasedThrough(published.shares, plan) !== undefined;
  if (name === 'release' && !isOut) {
    demand(!audit.files.sizes.has(keyPath), `${keyPath} is there, but the patch was not released`);
    return undefined;
  }
  const split = name === 'closing' ? name : (releasedThrough(published.shares, plan) ?? name);
  const shares = split === name ? own : await readShares(audit, published, split);
  const { key } = await combineShares(shares, plan, split);
  await checkSplit(verifyAll(shares, plan, split), plan, split);
  const file = utf8Decode(await audit.files.read(keyPath, LIMIT.small));
  demand(file === `${key}\n`, `${keyPath} is not the key that the shares make`);
  return key;
}

/** Every good share of one split, as the record has it. */
async function readShares(
  audit: Audit,
  { shares }: Published,
  key: KeyName,
): Promise<readonly OfficerShare[]> {
  const officers = shares[key].map(({ officer }) => officer);
  requirePaths(
    audit,
    `shares/${key}.`,
    officers.map((officer) => RECORD.share(key, officer)),
  );
  return Promise.all(
    officers.map(async (officer) => ({
      officer,
      document: await audit.files.read(RECORD.share(key, officer), LIMIT.small),
    })),
  );
}

/** Loud when it was used; and however many came out, each is a share of the one release key. */
async function checkBreakGlass(audit: Audit): Promise<string> {
  const { plan } = await audit.get(planFact);
  const published = await audit.get(publishedFact);
  const { state } = await audit.get(directivesFact);
  const shares = await readShares(audit, published, 'break-glass');
  if (plan.breakGlassThreshold === undefined) return 'the plan has no such split';
  const verified = verifyAll(shares, plan, 'break-glass');
  if (shares.length >= plan.breakGlassThreshold) await checkSplit(verified, plan, 'break-glass');
  const names = shares.map(({ officer }) => officer).join(', ');
  if (state.breakGlass !== 'broken' && shares.length === 0) return 'it was not used';
  const why = state.breakGlass === 'broken' ? 'by leaked' : 'by hand, after the release time';
  const out = `${shares.length} of ${plan.breakGlassThreshold} shares`;
  return `BREAK-GLASS ${why}: ${out}${names === '' ? '' : `: ${names}`}`;
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
