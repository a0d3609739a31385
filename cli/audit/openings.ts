import { sha256Hex, utf8Decode } from '../../protocol/encoding/bytes.ts';
import {
  dummyLeaf,
  dummyNonces,
  parseDummyKeys,
  type DummyNonces,
} from '../../protocol/log/dummy.ts';
import type { Leaf } from '../../protocol/log/leaf.ts';
import { parseOpening, type Opening } from '../../protocol/log/opening.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { pathsIn } from './folder.ts';
import { leavesFact } from './log.ts';
import { planFact } from './plan.ts';
import { leafReader } from './record-log.ts';
import { formatEnds } from '../log/tree/accounts.ts';

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
    const { last } = await audit.get(planFact);
    const { announced } = await audit.get(leavesFact);
    const found = announced.filter(
      ({ leaf }) => leaf.type === 'disclosure' && leaf.campaign === last.plan.campaign,
    );
    const [first, second] = found;
    demand(first !== undefined, 'the log does not say that the campaign is disclosed');
    demand(second === undefined, 'the log discloses the campaign twice');
    const { leaf, index } = first;
    demand(
      leaf.type === 'disclosure' && leaf.commitment === last.plan.commitment,
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
  const { size } = await audit.get(leavesFact);
  const leafAt = leafReader(audit.files, size);
  const indexes = pathsIn(audit, 'openings/').map((path) => {
    const index = Number(path.slice('openings/'.length));
    demand(RECORD.opening(index) === path, `${path} is no index`);
    return index;
  });
  const opened: Opened[] = [];
  for (const index of indexes.sort((a, b) => a - b)) {
    const path = RECORD.opening(index);
    const leaf = index < size ? await leafAt(index) : undefined;
    demand(leaf?.type === 'sealed', `${path} is for a leaf that is not sealed`);
    const bytes = await audit.files.read(path, LIMIT.document);
    demand(sha256Hex(bytes) === leaf.sha256, `${path} does not hash to its leaf`);
    opened.push({ index, opening: within(path, () => parseOpening(bytes)) });
  }
  return opened;
}

/** The duty to open: nothing that was sealed before the disclosure may quietly stay so. */
async function checkAccounts(audit: Audit): Promise<string> {
  const log = await audit.get(leavesFact);
  const files = new Set((await audit.get(openingsFact)).map(({ index }) => index));
  const disclosure = await audit.get(disclosureFact);

  const accounts = log.accounts();
  const nonces = await readDummies(audit);
  const leafAt = leafReader(audit.files, log.size);
  for (let index = 0; index < disclosure; index++) {
    const end = accounts.endOf(index);
    if (end === undefined) continue;
    demand(end.type !== 'sealed', `leaf ${index} is sealed to this day`);
    if (end.type === 'dummy') requireDummy(await leafAt(index), index, nonces);
    const isOpened = end.type === 'opened';
    demand(!isOpened || files.has(index), `${RECORD.opening(index)} is missing`);
    demand(isOpened || !files.has(index), `leaf ${index} is not opened in the log`);
  }
  const late = [...files].find((index) => index > disclosure);
  demand(late === undefined, `leaf ${late ?? 0} was sealed after the disclosure`);
  return formatEnds(accounts.countBelow(disclosure));
}

async function readDummies(audit: Audit): Promise<DummyNonces> {
  const text = utf8Decode(await audit.files.read(RECORD.dummies, LIMIT.small));
  return dummyNonces(within(RECORD.dummies, () => parseDummyKeys(text)));
}

function requireDummy(sealed: Leaf, index: number, nonces: DummyNonces): void {
  const nonce = nonces(index);
  demand(nonce !== undefined, `${RECORD.dummies} does not open leaf ${index}`);
  demand(isSameLeaf(dummyLeaf(nonce), sealed), `leaf ${index} is no dummy`);
}

function isSameLeaf(a: Leaf, b: Leaf): boolean {
  return a.type === 'sealed' && b.type === 'sealed' && a.sha256 === b.sha256;
}
