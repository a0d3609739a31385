import { sha256Hex, utf8Decode } from '../../protocol/encoding/bytes.ts';
import {
  dummyLeaf,
  dummyNonces,
  parseDummyKeys,
  type DummyNonces,
} from '../../protocol/log/dummy.ts';
import { accountedSpan, formatLeaf, type Leaf } from '../../protocol/log/leaf.ts';
import { parseOpening, type Opening } from '../../protocol/log/opening.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { pathsIn } from './folder.ts';
import { leavesFact, type LoggedLeaf } from './log.ts';
import { planFact } from './plan.ts';

export interface Opened {
  /** Of the sealed leaf in the log. */
  readonly index: number;
  readonly opening: Opening;
}

/** Everything in openings/, each verified to be what its sealed leaf stands for; by index. */
export const openingsFact: Fact<readonly Opened[]> = {
  check: 'openings.leaves',
  establish: readOpenings,
};

/** Where the log says that this campaign is disclosed. */
export const disclosureFact: Fact<number> = {
  check: 'openings.disclosure',
  async establish(audit) {
    const { plan } = await audit.get(planFact);
    const { leaves } = await audit.get(leavesFact);
    const found = leaves.filter(
      ({ leaf }) => leaf.type === 'disclosure' && leaf.campaign === plan.campaign,
    );
    const [first, second] = found;
    demand(first !== undefined, 'the log does not say that the campaign is disclosed');
    demand(second === undefined, 'the log discloses the campaign twice');
    const { leaf, index } = first;
    demand(
      leaf.type === 'disclosure' && leaf.commitment === plan.commitment,
      `leaf ${index} discloses another commitment`,
    );
    return index;
  },
};

export const openingChecks: readonly Check[] = [
  {
    id: 'openings.leaves',
    title: 'every opening hashes to its sealed leaf',
    async run(audit: Audit): Promise<string> {
      return count((await audit.get(openingsFact)).length, 'opening');
    },
  },
  {
    id: 'openings.disclosure',
    title: 'the log says once that this campaign is disclosed, with the plan’s commitment',
    async run(audit: Audit): Promise<string> {
      return `leaf ${await audit.get(disclosureFact)}`;
    },
  },
  {
    id: 'openings.complete',
    title: 'every leaf sealed before the disclosure is opened, a dummy, or withheld with a reason',
    run: checkAccounts,
  },
];

async function readOpenings(audit: Audit): Promise<readonly Opened[]> {
  const { leaves } = await audit.get(leavesFact);
  const opened: Opened[] = [];
  for (const path of pathsIn(audit, 'openings/')) {
    const index = Number(path.slice('openings/'.length));
    demand(RECORD.opening(index) === path, `${path} is no index`);
    const leaf = leaves[index]?.leaf;
    demand(leaf?.type === 'sealed', `${path} is for a leaf that is not sealed`);
    const bytes = await audit.files.read(path, LIMIT.document);
    demand(sha256Hex(bytes) === leaf.sha256, `${path} does not hash to its leaf`);
    opened.push({ index, opening: within(path, () => parseOpening(bytes)) });
  }
  return opened.sort((a, b) => a.index - b.index);
}

type Account = Extract<Leaf, { type: 'opened' | 'dummy' | 'withheld' }>;

/**
 * The duty to open: nothing that was sealed before the disclosure may quietly stay so.
 *
 * What a campaign still hidden then had sealed is withheld, with the dummies around it, and opened
 * when its own time comes: the one way in which a leaf is accounted for twice.
 */
async function checkAccounts(audit: Audit): Promise<string> {
  const { leaves } = await audit.get(leavesFact);
  const files = new Set((await audit.get(openingsFact)).map(({ index }) => index));
  const disclosure = await audit.get(disclosureFact);

  const accounts = readAccounts(leaves);
  const nonces = await readDummies(audit);
  const ends: Account[] = [];
  for (const { index, leaf } of leaves.slice(0, disclosure)) {
    if (leaf.type !== 'sealed') continue;
    const account = accounts[index];
    demand(account !== undefined, `leaf ${index} is sealed to this day`);
    ends.push(account);
    if (account.type === 'dummy') requireDummy(leaf, index, nonces);
    const isOpened = account.type === 'opened';
    demand(!isOpened || files.has(index), `${RECORD.opening(index)} is missing`);
    demand(isOpened || !files.has(index), `leaf ${index} is not opened in the log`);
  }
  const late = [...files].find((index) => index > disclosure);
  demand(late === undefined, `leaf ${late ?? 0} was sealed after the disclosure`);
  return describeAccounts(ends);
}

/** How each sealed leaf ends, by its index. */
function readAccounts(leaves: readonly LoggedLeaf[]): readonly (Account | undefined)[] {
  const accounts = Array<Account | undefined>(leaves.length).fill(undefined);
  for (const { index, leaf } of leaves) {
    if (leaf.type !== 'opened' && leaf.type !== 'dummy' && leaf.type !== 'withheld') continue;
    const { first, last } = accountedSpan(leaf);
    // The first leaf that is wrong ends this, so a span as long as the log costs nothing twice.
    for (let at = first; at <= last; at++) {
      const sealed = leaves[at];
      const isEarlier = sealed !== undefined && at < index && isSealed(sealed);
      demand(isEarlier, `leaf ${index} accounts for no leaf sealed before it`);
      const isFirst = accounts[at] === undefined;
      const isOpening = accounts[at]?.type === 'withheld' && leaf.type !== 'withheld';
      demand(isFirst || isOpening, `leaf ${at} is accounted for twice`);
      accounts[at] = leaf;
    }
  }
  return accounts;
}

async function readDummies(audit: Audit): Promise<DummyNonces> {
  const text = utf8Decode(await audit.files.read(RECORD.dummies, LIMIT.small));
  return dummyNonces(within(RECORD.dummies, () => parseDummyKeys(text)));
}

function requireDummy(sealed: Leaf, index: number, nonces: DummyNonces): void {
  const nonce = nonces(index);
  demand(nonce !== undefined, `${RECORD.dummies} does not open leaf ${index}`);
  demand(formatLeaf(dummyLeaf(nonce)) === formatLeaf(sealed), `leaf ${index} is no dummy`);
}

function isSealed({ leaf }: LoggedLeaf): boolean {
  return leaf.type === 'sealed';
}

function describeAccounts(accounts: readonly Account[]): string {
  const reasons = new Map<string, number>();
  for (const account of accounts) {
    if (account.type !== 'withheld') continue;
    reasons.set(account.reason, (reasons.get(account.reason) ?? 0) + 1);
  }
  const numberOf = (type: Account['type']): number =>
    accounts.filter((account) => account.type === type).length;
  const withheld = [...reasons].map(([reason, number]) => `, ${number} withheld (${reason})`);
  return `${numberOf('opened')} opened, ${numberOf('dummy')} dummies${withheld.join('')}`;
}
