import type { Output } from '../output.ts';
import type { Ceremony } from './ceremony.ts';
import { describeRoot, rootLines } from './description.ts';

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
  const { root, people, missing, contentDigest, pin } = ceremony;
  const description = await describeRoot(root);
  for (const line of rootLines(description)) out.line(line);
  out.line(`content        ${contentDigest}`);
  out.line(`signed by      ${people.join(', ')}`);
  if (pin === undefined) {
    out.line(`missing        ${missing} of ${root.directiveThreshold} signatures`);
    out.note(`next: another officer runs: sealdrop trust sign ${directory}`);
  } else {
    out.line(`root.json      sha256 ${pin}`);
    out.note('complete: publish this digest in at least three independent places, never first by');
    out.note('mail, and give root.json and targets.json to the server (SEALDROP_ROOT)');
  }
  out.summary({
    ...description,
    directory,
    added,
    signedBy: people,
    missing,
    contentSha256: contentDigest,
    rootSha256: pin ?? null,
  });
}
