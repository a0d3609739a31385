import { dirname, join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { withOutputDirectory } from '../../platform/files.ts';
import { campaignId, networkId, personId } from '../../protocol/encoding/shape.ts';
import { NO_REVIEWS, type ReviewPolicy } from '../../protocol/plan/review-policy.ts';
import { loadTrust } from '../client/trust.ts';
import {
  argument,
  findOption,
  hasFlag,
  listOption,
  wholeNumber,
  type Command,
  type Input,
} from '../command.ts';
import { UsageError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { generateCampaignId } from '../officer/campaign/campaign-id.ts';
import { campaignSkeleton } from '../officer/campaign/skeleton.ts';
import { findCurrentSnapshot } from '../officer/kept-snapshots.ts';

export const campaignNewCommand: Command = {
  name: 'campaign new',
  group: 'officer',
  summary: 'Start the directory of a new campaign, ready to be edited',
  args: [{ name: 'dir', description: 'directory to make' }],
  options: [
    {
      flag: '--variant <name>',
      description: 'client that gets a patch',
      required: true,
      many: true,
    },
    { flag: '--network <id>', description: 'solana:<genesis hash>; default: the trust root’s' },
    { flag: '--id <id>', description: 'campaign id; default: a random one' },
    {
      flag: '--reviewer <id>',
      description: 'firm in the trust root that may review it; once for each',
      many: true,
    },
    { flag: '--reviews <k>', description: 'how many of them must, before arming; default: all' },
    { flag: '--exercise', description: 'a rehearsal, marked as such in every text' },
  ],
  example: 'sealdrop campaign new ./next --variant agave --variant jito',

  async run(input, context) {
    const home = openHome(context);
    const directory = argument(input, 0);
    const network =
      findOption(input, 'network') ??
      ((await home.findConfig()) && (await loadTrust(home)).root.network);
    if (network === undefined) {
      throw new UsageError('which network?', 'give --network solana:<genesis hash>');
    }
    if (!networkId.safeParse(network).success) {
      throw new UsageError(`"${network}" is not a network`, 'one looks like solana:<genesis hash>');
    }
    const id =
      findOption(input, 'id') ??
      generateCampaignId(context.now(), (length) => context.randomBytes(length));
    if (!campaignId.safeParse(id).success) {
      throw new UsageError(`"${id}" is not a campaign id`, 'one looks like SDX-2026-7KQ4');
    }
    const variants = listOption(input, 'variant');
    const wrong = variants.find((name) => !personId.safeParse(name).success);
    if (wrong !== undefined) {
      throw new UsageError(`"${wrong}" is not a variant`, 'lower-case letters, digits, hyphens');
    }
    if (variants.length === 0) throw new UsageError('at least one --variant is needed');
    if (new Set(variants).size !== variants.length)
      throw new UsageError('a variant is given twice');

    const files = campaignSkeleton({
      id,
      network,
      exercise: hasFlag(input, 'exercise'),
      variants,
      reviews: readReviews(input),
      snapshot: await findCurrentSnapshot(home),
      now: context.now(),
    });
    await withOutputDirectory(directory, async (out) => {
      for (const [name, bytes] of files) {
        await mkdir(dirname(join(out, name)), { recursive: true });
        await writeFile(join(out, name), bytes, { flag: 'wx', mode: 0o600 });
      }
    });
    context.out.line(`${id} is in ${directory}; its README.md says what goes where`);
    context.out.note(`next: fill it in, then sealdrop lint ${directory}`);
    context.out.summary({ campaign: id, directory, files: [...files.keys()].sort() });
  },
};

function readReviews(input: Input): ReviewPolicy {
  const by = [...listOption(input, 'reviewer')].sort();
  const wrong = by.find((id) => !personId.safeParse(id).success);
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is not a reviewer's id`);
  if (new Set(by).size !== by.length) throw new UsageError('a reviewer is given twice');
  const text = findOption(input, 'reviews');
  if (by.length === 0) {
    if (text !== undefined) throw new UsageError('whose reviews?', 'give --reviewer ID');
    return NO_REVIEWS;
  }
  const required = text === undefined ? by.length : wholeNumber(text, '--reviews', 1, by.length);
  return { required, by };
}
