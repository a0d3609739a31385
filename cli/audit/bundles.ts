import { openAge } from '../../platform/age.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { openBundle, type Bundle } from '../../protocol/embargo/bundle.ts';
import { openClosing } from '../../protocol/embargo/closing-bundle.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { inRevision, LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { ciphertextsOfAll } from '../../protocol/plan/ciphertexts.ts';
import {
  count,
  demand,
  forRevisions,
  tellRevisions,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { requirePaths, signatureNames } from './folder.ts';
import { planFact } from './plan.ts';
import { closingKeyFact, releaseKeysFact } from './shares.ts';

/**
 * The opened bundles by revision, and each by variant; `undefined` for a revision whose patch was
 * never released.
 */
export const bundlesFact: Fact<readonly (ReadonlyMap<string, Bundle> | undefined)[]> = {
  check: 'bundles.contents',
  async establish(audit) {
    const { all } = await audit.get(planFact);
    const releaseKeys = await audit.get(releaseKeysFact);
    return forRevisions(all, ({ plan }, i) => readBundles(audit, plan, releaseKeys[i]));
  },
};

export const bundleChecks: readonly Check[] = [
  {
    id: 'bundles.files',
    title: 'bundles/ holds the ciphertexts that the plan lists and no other',
    async run(audit: Audit): Promise<string> {
      const { plans } = await audit.get(planFact);
      const listed = ciphertextsOfAll(plans);
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
      const opened = await audit.get(bundlesFact);
      return tellRevisions(
        opened.map((it) => (it === undefined ? NEVER_RELEASED : [...it.keys()].join(', '))),
      );
    },
  },
  {
    id: 'bundles.sums',
    title: 'SHA256SUMS is the list inside the bundles',
    async run(audit: Audit): Promise<string> {
      const { all } = await audit.get(planFact);
      const opened = await audit.get(bundlesFact);
      return tellRevisions(
        await forRevisions(all, ({ plan }, i) => checkSums(audit, plan, opened[i])),
      );
    },
  },
  {
    id: 'bundles.closing',
    title: 'the closing bundle opens with closing.key to exactly the committed documents',
    run: checkClosing,
  },
];

const NEVER_RELEASED = 'the patch was never released';

async function readBundles(
  audit: Audit,
  plan: Plan,
  releaseKey: string | undefined,
): Promise<ReadonlyMap<string, Bundle> | undefined> {
  if (releaseKey === undefined) {
    for (const name of [RECORD.sums, ...signatureNames(audit, plan.revision)]) {
      const path = inRevision(plan.revision, name);
      demand(!audit.files.sizes.has(path), `${path} is there, but the patch was never released`);
    }
    for (const bundle of plan.bundles) await requireCiphertext(audit, bundle);
    return undefined;
  }
  const bundles = new Map<string, Bundle>();
  for (const { variant, sha256, size } of plan.bundles) {
    const ciphertext = await audit.files.read(RECORD.bundle(sha256), size);
    bundles.set(variant, await openBundle(ciphertext, releaseKey, plan, variant, openAge));
  }
  return bundles;
}

async function checkSums(
  audit: Audit,
  { revision }: Plan,
  bundles: ReadonlyMap<string, Bundle> | undefined,
): Promise<string> {
  if (bundles === undefined) return NEVER_RELEASED;
  const sums = await audit.files.read(inRevision(revision, RECORD.sums), LIMIT.small);
  for (const [variant, { files }] of bundles) {
    const inside = files.get(SUMS_NAME);
    const isSame = inside !== undefined && equalBytes(inside, sums);
    demand(isSame, `the bundle of ${variant} holds another SHA256SUMS`);
  }
  return `the same in ${count(bundles.size, 'bundle')}`;
}

/**
 * Whatever is inside was committed to, and so is what the record holds: the two are the same.
 *
 * The last closing bundle has the documents of all revisions. An earlier one is opened if it has the
 * same key; else it stays closed, and is only looked at from outside.
 */
async function checkClosing(audit: Audit): Promise<string> {
  const { all, last } = await audit.get(planFact);
  const closingKey = await audit.get(closingKeyFact);
  return tellRevisions(
    await forRevisions(all, async ({ plan }) => {
      const { sha256, size } = plan.closingBundle;
      if (plan.closingRecipient !== last.plan.closingRecipient) {
        await requireCiphertext(audit, plan.closingBundle);
        return `closed for ever, and opened with revision ${last.plan.revision}`;
      }
      const ciphertext = await audit.files.read(RECORD.bundle(sha256), size);
      return count((await openClosing(ciphertext, closingKey, plan)).size, 'file');
    }),
  );
}

/** A ciphertext that nobody can open is still the one that the plan lists. */
async function requireCiphertext(
  audit: Audit,
  { sha256, size }: { readonly sha256: string; readonly size: number },
): Promise<void> {
  const path = RECORD.bundle(sha256);
  const isPlanned =
    audit.files.sizes.get(path) === size && (await audit.files.digest(path)) === sha256;
  demand(isPlanned, `${path} is not the ciphertext in the plan`);
}
