import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { openCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { AuditError, count, demand, type Audit, type Check, type Fact } from './check.ts';
import { requirePaths } from './folder.ts';
import { recordSource, tilePaths } from './record-log.ts';
import { openAccounts, type Accounts } from '../log/tree/accounts.ts';
import { checkTree } from '../log/tree/check-tree.ts';
import type { LoggedLeaf } from '../log/tree/leaf-tile.ts';
import { trustFact } from './trust.ts';

/** What the leaves say, which make the signed root. The sealed ones, nearly all, are not kept. */
interface CheckedLog {
  readonly size: number;
  /** What the log made public from the start, in order. */
  readonly announced: readonly LoggedLeaf[];
  /**
   * What became of the sealed leaves.
   *
   * @throws {@link AuditError} for a leaf that accounts for what it may not.
   */
  accounts(): Accounts;
  /** What is wrong with a tile above the leaves. */
  readonly flaw: string | undefined;
}

export const checkpointFact: Fact<Checkpoint> = {
  check: 'log.checkpoint',
  async establish(audit) {
    const { newest } = await audit.get(trustFact);
    const note = utf8Decode(await audit.files.read(RECORD.checkpoint, LIMIT.small));
    return openCheckpoint(note, newest.origin, [newest.logKey], audit.verify);
  },
};

export const leavesFact: Fact<CheckedLog> = { check: 'log.root', establish: readLeaves };

/** How many tiles there are, each what the leaves make it. */
export const tilesFact: Fact<number> = { check: 'log.tiles', establish: checkTiles };

export const logChecks: readonly Check[] = [
  {
    id: 'log.checkpoint',
    title: 'the checkpoint is of this log and signed by its key',
    async run(audit: Audit): Promise<string> {
      const { origin, size } = await audit.get(checkpointFact);
      return `${origin}, ${count(size, 'leaf', 'leaves')}`;
    },
  },
  {
    id: 'log.root',
    title: 'the leaves are well formed and make the signed root',
    async run(audit: Audit): Promise<string> {
      const { size } = await audit.get(leavesFact);
      return count(size, 'leaf', 'leaves');
    },
  },
  {
    id: 'log.tiles',
    title: 'every tile is what the leaves make it, and none is missing or too many',
    async run(audit: Audit): Promise<string> {
      return count(await audit.get(tilesFact), 'tile');
    },
  },
];

async function readLeaves(audit: Audit): Promise<CheckedLog> {
  const checkpoint = await audit.get(checkpointFact);
  const accounts = openAccounts();
  const announced: LoggedLeaf[] = [];
  let refused: AuditError | undefined;
  let flaw: string | undefined;
  await checkTree(recordSource(audit.files, checkpoint.size), checkpoint, {
    onOther(entry) {
      const { type } = entry.leaf;
      if (type !== 'opened' && type !== 'dummy' && type !== 'withheld') announced.push(entry);
      try {
        if (refused === undefined) accounts.add(entry);
      } catch (cause) {
        refused = new AuditError(cause instanceof Error ? cause.message : '', { cause });
      }
    },
    onFlaw: (message) => (flaw ??= message),
  });
  return {
    size: checkpoint.size,
    announced,
    accounts() {
      if (refused !== undefined) throw refused;
      return accounts;
    },
    flaw,
  };
}

async function checkTiles(audit: Audit): Promise<number> {
  const { size, flaw } = await audit.get(leavesFact);
  const paths = [...tilePaths(size)];
  requirePaths(audit, 'log/', [RECORD.checkpoint, ...paths]);
  demand(flaw === undefined, `log/${flaw ?? ''}`);
  return paths.length;
}
