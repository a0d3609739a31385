import type { Draft } from '../../../protocol/embargo/draft.ts';
import { findOption, type Input, type OptionSpec } from '../../command.ts';
import { readInputFile } from '../../home/files.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import { openOwnDraft } from './drafts.ts';
import { MAX_DRAFT_BYTES } from './sealed-dir.ts';

export const DRAFT_OPTION: OptionSpec = {
  flag: '--draft <file>',
  description: 'your draft of the campaign; opened in memory only',
};

/** The draft named on the command line, opened and found to be of this plan. */
export async function findDraft(
  input: Input,
  session: OfficerSession,
  { plan, planBytes }: Pick<Standing, 'plan' | 'planBytes'>,
): Promise<Draft | undefined> {
  const path = findOption(input, 'draft');
  if (path === undefined) return undefined;
  return openOwnDraft(session, await readInputFile(path, MAX_DRAFT_BYTES), plan, planBytes);
}
