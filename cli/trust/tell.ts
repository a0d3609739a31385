import { rootChanges } from '../../protocol/trust/chain.ts';
import type { Output } from '../output.ts';
import type { Ceremony } from './ceremony.ts';
import { changeLine, describeRoot, rootLines } from './description.ts';

/**
 * Say what was signed and what is still to do.
 *
 * @param added - Whether a signature was added just now.
 */
export async function tellCeremony(
  out: Output,
  ceremony: Ceremony,
  directory: string,
  added: boolean,
): Promise<void> {
  const { root, people, predecessor, predecessors, contentDigest, digest } = ceremony;
  const { missing, missingBefore } = ceremony;
  const description = await describeRoot(root);
  const changes = predecessor === undefined ? [] : rootChanges(predecessor.root, root);
  for (const line of rootLines(description)) out.line(line);
  for (const change of changes) out.line(`change         ${changeLine(change)}`);
  out.line(`content        ${contentDigest}`);
  out.line(`signed by      ${people.join(', ')}`);
  if (predecessor !== undefined) {
    out.line(`of root ${predecessor.root.version}      ${predecessors.join(', ')}`);
  }
  if (digest === undefined) {
    if (missing > 0) {
      out.line(`missing        ${missing} of ${root.directiveThreshold} signatures`);
    }
    if (missingBefore > 0) {
      const needed = predecessor?.root.directiveThreshold ?? 0;
      out.line(`missing        ${missingBefore} of ${needed} signatures of people of the old root`);
    }
    out.note(`next: another officer runs: sealdrop trust sign ${directory}`);
  } else {
    out.line(`root.json      sha256 ${digest}`);
    if (predecessor === undefined) {
      out.note(
        'complete: publish this digest in at least three independent places, never first by',
      );
      out.note('mail, and give root.json and targets.json to the server (SEALDROP_ROOT)');
    } else {
      out.note(`complete: sealdrop trust publish ${directory}`);
    }
  }
  out.summary({
    ...description,
    directory,
    added,
    changes,
    signedBy: people,
    signedByOld: predecessors,
    missing,
    missingOld: missingBefore,
    contentSha256: contentDigest,
    rootSha256: digest ?? null,
  });
}
