import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { TreeState } from '../../../protocol/log/fork.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { findContradictions } from '../../../protocol/log/testimony.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import type { OperatorStatement } from '../../../protocol/statement/operator.ts';
import { describeFailure } from '../failure.ts';
import type { LogFiles } from '../log/store.ts';
import type { Logger } from '../logger.ts';

/** What operators say to have seen of the log, held against it. */
export interface Testimony {
  /**
   * Tell the server's operators when a statement that was accepted names a checkpoint that this log
   * never had. It stays accepted, and this never fails.
   *
   * @see docs/adr/0022-named-checkpoints-are-heard-not-judged.md
   */
  hear(statement: OperatorStatement & { readonly operator: string }): Promise<void>;
}

/** Sizes whose roots are remembered: operators name what was published lately. */
const MAX_KNOWN = 1024;

export function testimony(deps: {
  readonly origin: string;
  readonly files: Pick<LogFiles, 'readCheckpoint' | 'readTile'>;
  readonly logger: Logger;
}): Testimony {
  const { origin, files, logger } = deps;
  const tree = treeReader(async (level, index, width) => {
    const tile = await files.readTile({ level, index, width });
    if (tile === undefined) throw new Error('a tile of the log is missing');
    return tile;
  });
  /** Roots of this log in base64, by size. */
  const known = new Map<number, string>();

  const readLog = async (): Promise<TreeState> => {
    const note = await files.readCheckpoint();
    if (note === undefined) return { size: 0, root: EMPTY_ROOT };
    return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1), origin);
  };

  const remember = (size: number, root: string): void => {
    const [oldest] = known.keys();
    if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.set(size, root);
  };

  return {
    async hear({ campaign, operator, counter, checkpoint: { size, root } }) {
      try {
        if (known.get(size) === root) return;
        const log = await readLog();
        const [contradiction] = await findContradictions([{ size, root }], log, tree);
        if (contradiction === undefined) {
          remember(size, root);
          return;
        }
        const { ours } = contradiction;
        logger.error(
          {
            code: 'checkpoint_contradicted',
            campaign,
            operator,
            counter,
            size,
            root,
            published: log.size,
            ours: ours && toBase64(ours),
          },
          'an operator has seen a checkpoint that this log never had',
        );
      } catch (error) {
        const fields = { campaign, operator, counter, ...describeFailure(error) };
        logger.error(fields, 'a checkpoint that an operator names was not compared');
      }
    },
  };
}
