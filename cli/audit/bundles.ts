import { openBundle, openClosing, type Bundle } from '../../protocol/embargo/bundle.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { count, demand, type Audit, type Check, type Fact } from './check.ts';
import { requirePaths, signaturePaths } from './folder.ts';
import { planFact } from './plan.ts';
import { closingKeyFact, releaseKeyFact } from './shares.ts';

/** The opened bundles, by variant; `undefined` when the patch was never released. */
export const bundlesFact: Fact<ReadonlyMap<string, Bundle> | undefined> = {
  check: 'bundles.contents',
  establish: readBundles,
};

export const bundleChecks: readonly Check[] = [
  {
    id: 'bundles.files',
    title: 'bundles/ holds the ciphertexts that the plan lists and no other',
    async run(audit: Audit): Promise<string> {
      const { plan } = await audit.get(planFact);
      const listed = [...plan.bundles, plan.closingBundle];
      requirePaths(
        audit,
        'bundles/',
        listed.map(({ sha256 }) => RECORD.bundle(sha256)),
      );
      return count(listed.length, 'ciphertext');
    },
  },
  {
    id: 'bundles.contents',
    title: 'every bundle opens with release.key to exactly what release.txt lists',
    async run(audit: Audit): Promise<string> {
      const bundles = await audit.get(bundlesFact);
      return bundles === undefined ? NEVER_RELEASED : [...bundles.keys()].join(', ');
    },
  },
  {
    id: 'bundles.sums',
    title: 'SHA256SUMS is the list inside the bundles',
    async run(audit: Audit): Promise<string> {
      const bundles = await audit.get(bundlesFact);
      if (bundles === undefined) return NEVER_RELEASED;
      const sums = await audit.files.read(RECORD.sums, LIMIT.small);
      for (const [variant, { files }] of bundles) {
        const inside = files.get(SUMS_NAME);
        const isSame = inside !== undefined && equalBytes(inside, sums);
        demand(isSame, `the bundle of ${variant} holds another SHA256SUMS`);
      }
      return `the same in ${count(bundles.size, 'bundle')}`;
    },
  },
  {
    id: 'bundles.closing',
    title: 'the closing bundle opens with closing.key to exactly the committed documents',
    run: checkClosing,
  },
];

const NEVER_RELEASED = 'the patch was never released';

async function readBundles(audit: Audit): Promise<ReadonlyMap<string, Bundle> | undefined> {
  const { plan } = await audit.get(planFact);
  const releaseKey = await audit.get(releaseKeyFact);
  if (releaseKey === undefined) {
    for (const path of [RECORD.sums, ...signaturePaths(audit)]) {
      demand(!audit.files.sizes.has(path), `${path} is there, but the patch was never released`);
    }
    return undefined;
  }
  const bundles = new Map<string, Bundle>();
  for (const { variant, sha256, size } of plan.bundles) {
    const ciphertext = await audit.files.read(RECORD.bundle(sha256), size);
    bundles.set(variant, await openBundle(ciphertext, releaseKey, plan, variant));
  }
  return bundles;
}

/** Whatever is inside was committed to, and so is what the record holds: the two are the same. */
async function checkClosing(audit: Audit): Promise<string> {
  const { plan } = await audit.get(planFact);
  const closingKey = await audit.get(closingKeyFact);
  const { sha256, size } = plan.closingBundle;
  const ciphertext = await audit.files.read(RECORD.bundle(sha256), size);
  return count((await openClosing(ciphertext, closingKey, plan)).size, 'file');
}
