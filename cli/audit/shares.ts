import {
  checkSplit,
  combineShares,
  verifyPlannedShare,
} from '../../protocol/embargo/planned-shares.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import type { OfficerShare, Share } from '../../protocol/embargo/share.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { releasedThrough, type OpenedPublications } from '../../protocol/embargo/publications.ts';
import { inRevision, LIMIT, RECORD } from '../../protocol/record/layout.ts';
import type { LoggedRevision } from '../../protocol/record/revisions.ts';
import {
  count,
  demand,
  forRevisions,
  tellRevisions,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { directivesFact } from './directives.ts';
import { requirePaths } from './folder.ts';
import { publishedFact } from './published.ts';
import { revisionsFact } from './revisions.ts';

/** The release keys by revision; `undefined` for one whose patch was never released. */
export const releaseKeysFact: Fact<readonly (string | undefined)[]> = {
  check: 'shares.release',
  async establish(audit) {
    const revisions = await audit.get(revisionsFact);
    await audit.get(publishedFact);
    return forRevisions(revisions, (revision) => readReleaseKey(audit, revision));
  },
};

/** The key of the last closing bundle. Those of earlier ones are never published. */
export const closingKeyFact: Fact<string> = {
  check: 'shares.closing',
  async establish(audit) {
    const revisions = await audit.get(revisionsFact);
    await audit.get(publishedFact);
    const keys = await forRevisions(revisions, async (revision, i) => {
      if (i === revisions.length - 1) return readKey(audit, revision, 'closing');
      requirePaths(audit, inRevision(revision.plan.revision, 'shares/closing.'), []);
      return undefined;
    });
    const key = keys.at(-1);
    demand(key !== undefined, 'a disclosed campaign has a closing key');
    return key;
  },
};

export const shareChecks: readonly Check[] = [
  {
    id: 'shares.release',
    title: 'any threshold of the release shares makes release.key, which is the plan’s',
    async run(audit: Audit): Promise<string> {
      const keys = await audit.get(releaseKeysFact);
      const { opened } = await audit.get(publishedFact);
      return tellRevisions(
        opened.map((it, i) => (keys[i] === undefined ? NEVER_RELEASED : describe(it, 'release'))),
      );
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
      const last = (await audit.get(publishedFact)).opened.at(-1);
      return last === undefined ? '' : describe(last, 'closing');
    },
  },
];

async function readReleaseKey(audit: Audit, revision: LoggedRevision): Promise<string | undefined> {
  const { plan } = revision;
  const { shares } = await openedOf(audit, revision);
  const split = releasedThrough(shares, plan);
  if (split !== undefined || (await mustBeReleased(audit, revision))) {
    if (split === 'break-glass') await readShares(audit, revision, 'release');
    return readKey(audit, revision, split ?? 'release');
  }
  for (const { officer, document } of await readShares(audit, revision, 'release')) {
    verifyPlannedShare(document, plan, 'release', officer);
  }
  const keyPath = inRevision(plan.revision, RECORD.releaseKey);
  demand(!audit.files.sizes.has(keyPath), `${keyPath} is there, but the patch was not released`);
  return undefined;
}

/**
 * Whether officers have said that a revision is released, which its shares have to bear out. One that
 * they superseded to be released at once may have been left before its shares were out.
 */
async function mustBeReleased(audit: Audit, { end, plan }: LoggedRevision): Promise<boolean> {
  const { directives, revisions, state } = await audit.get(directivesFact);
  const patch = revisions.find((it) => it.plan.releaseRecipient === plan.releaseRecipient);
  const brought = directives[(patch?.sequence ?? 0) - 1]?.directive;
  const next = revisions[plan.revision]?.sequence ?? directives.length;
  const left = directives[next - 1]?.directive.from;
  if (brought?.action === 'supersede' && brought.to === 'released') return left === 'adopted';
  if (end === Infinity) return state.released;
  return left === 'released' || left === 'adopted' || left === 'withdrawn';
}

/**
 * The key that the shares in the record make, after looking at each of them.
 *
 * A share whose officer published garbage is not in the record, and does not make it bad.
 */
async function readKey(audit: Audit, revision: LoggedRevision, split: KeyName): Promise<string> {
  const { plan } = revision;
  const shares = await readShares(audit, revision, split);
  const { key } = await combineShares(shares, plan, split);
  await checkSplit(verifyAll(shares, plan, split), plan, split);
  const keyPath =
    split === 'closing' ? RECORD.closingKey : inRevision(plan.revision, RECORD.releaseKey);
  const file = utf8Decode(await audit.files.read(keyPath, LIMIT.small));
  demand(file === `${key}\n`, `${keyPath} is not the key that the shares make`);
  return key;
}

/** Every good share of one split of one revision, as the record has it. */
async function readShares(
  audit: Audit,
  revision: LoggedRevision,
  split: KeyName,
): Promise<readonly OfficerShare[]> {
  const own = (path: string): string => inRevision(revision.plan.revision, path);
  const { shares } = await openedOf(audit, revision);
  const officers = shares[split].map(({ officer }) => officer);
  requirePaths(
    audit,
    own(`shares/${split}.`),
    officers.map((officer) => own(RECORD.share(split, officer))),
  );
  return Promise.all(
    officers.map(async (officer) => ({
      officer,
      document: await audit.files.read(own(RECORD.share(split, officer)), LIMIT.small),
    })),
  );
}

async function openedOf(audit: Audit, { plan }: LoggedRevision): Promise<OpenedPublications> {
  const opened = (await audit.get(publishedFact)).opened[plan.revision - 1];
  if (opened === undefined) throw new Error('one for each revision');
  return opened;
}

/** Loud when it was used; and however many came out, each is a share of the one release key. */
async function checkBreakGlass(audit: Audit): Promise<string> {
  const revisions = await audit.get(revisionsFact);
  const { state } = await audit.get(directivesFact);
  await audit.get(publishedFact);
  const found = await forRevisions(revisions, async (revision) => {
    const { plan, end } = revision;
    const shares = await readShares(audit, revision, 'break-glass');
    if (plan.breakGlassThreshold === undefined) return 'the plan has no such split';
    const verified = verifyAll(shares, plan, 'break-glass');
    if (shares.length >= plan.breakGlassThreshold) await checkSplit(verified, plan, 'break-glass');
    const names = shares.map(({ officer }) => officer).join(', ');
    // `leaked` ends a campaign, so that it is about the last revision.
    const isBroken = end === Infinity && state.breakGlass === 'broken';
    if (!isBroken && shares.length === 0) return 'it was not used';
    const why = isBroken ? 'by leaked' : 'by hand, after the release time';
    const out = `${shares.length} of ${plan.breakGlassThreshold} shares`;
    return `BREAK-GLASS ${why}: ${out}${names === '' ? '' : `: ${names}`}`;
  });
  return tellRevisions(found);
}

const NEVER_RELEASED = 'the patch was never released';

function verifyAll(shares: readonly OfficerShare[], plan: Plan, name: KeyName): Share[] {
  return shares.map(({ officer, document }) => verifyPlannedShare(document, plan, name, officer));
}

function describe({ shares, bad }: OpenedPublications, name: KeyName): string {
  const officers = shares[name].map(({ officer }) => officer).join(', ');
  const good = `${count(shares[name].length, 'share')}: ${officers}`;
  const named = bad
    .filter(({ of }) => of.startsWith(name))
    .map(({ officer, reason }) => `${officer} (${reason})`);
  return named.length === 0 ? good : `${good}; bad: ${named.join(', ')}`;
}
