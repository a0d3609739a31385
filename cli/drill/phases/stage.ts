import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '../../../protocol/encoding/time.ts';
import { prepareVariants, type PreparedVariant } from '../patch.ts';
import type { World } from '../world.ts';
import { approveByOthers } from './approve.ts';

/** A campaign whose commitment is public. */
export interface Staged {
  readonly campaign: string;
  readonly commitment: string;
  readonly dir: string;
  readonly variants: readonly PreparedVariant[];
}

/** T0 as first planned; once everybody is ready the officers reschedule it. */
const PLANNED_MS = 20 * 60_000;
const LATEST_MS = 14 * 86_400_000;

/** Patch, texts, `lint`, `seal`, `propose`, and the two approvals that make the commitment public. */
export async function stageCampaign(world: World): Promise<Staged> {
  const { lead, narrator } = world;
  const variants = await prepareVariants(world.dir);
  const dir = join(world.dir, 'campaign');
  await lead.run('campaign new', [dir], {
    variant: variants.map(({ name }) => name),
    network: `solana:${world.model.genesis}`,
    exercise: true,
  });
  await writeCampaign(world, dir, variants);

  const repo = variants.map(({ name, repository }) => `${name}=${repository}`);
  const { warnings } = await lead.run('lint', [dir], { repo });
  narrator.said(`lint: no errors, ${String(warnings)} warnings`);
  const sealed = await lead.run('seal', [dir], { repo });
  const campaign = String(sealed['campaign']);
  const commitment = String(sealed['commitment']);
  narrator.said(`${campaign} sealed for ${variants.length} clients`);
  await lead.run('propose', [dir]);
  await approveByOthers(world, campaign, dir);
  narrator.said(`public commitment ${commitment}`);
  return { campaign, commitment, dir, variants };
}

/** Put the officers' decisions and words where the skeleton asks for them. */
async function writeCampaign(
  { context }: World,
  dir: string,
  variants: readonly PreparedVariant[],
): Promise<void> {
  const path = join(dir, 'campaign.json');
  const skeleton = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const releaseTime = formatTime(floorToSecond(context.now() + PLANNED_MS));
  const campaign = {
    ...skeleton,
    releaseTime,
    latestDisclosure: formatTime(floorToSecond(context.now() + LATEST_MS)),
    variants: variants.map(({ name, base, tree, patchName }) => ({
      name,
      base,
      tree,
      toolchain: 'rustc 1.78.0',
      files: [patchName],
    })),
  };
  await writeFile(path, `${JSON.stringify(campaign, null, 2)}\n`);
  for (const { name, patchName, patch } of variants) {
    const artifacts = join(dir, 'artifacts', name);
    await rm(artifacts, { recursive: true, force: true });
    await mkdir(artifacts, { recursive: true });
    await copyFile(patch, join(artifacts, patchName));
  }
  const id = String(skeleton['id']);
  await writeFile(join(dir, 'notice.md'), notice(id, releaseTime));
  await writeFile(join(dir, 'disclosure.md'), disclosure(id));
  await writeFile(join(dir, 'INSTRUCTIONS.md'), instructions(variants));
}

const floorToSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

const notice = (id: string, releaseTime: string): string => `# ${id}: a critical update is coming

EXERCISE. This is a rehearsal; no real bug is behind it.

A critical update of your validator software will be released to you on
${releaseTime}, or when \`sealdrop inbox\` says. Please have somebody at the keyboard at that hour.

- It concerns the clients agave and jito at 1.18.21.
- It takes one build and one restart. Apply it as soon as you have it.
- Please say nothing about it in public before the disclosure.
`;

const disclosure = (id: string): string => `# ${id}: wrapping addition in the address translation

EXERCISE. This is a rehearsal; no real bug is behind it.

- Id: ${id}
- Severity: critical
- Affected versions: 1.18.21 and earlier
- Fixed by: checked additions when a region's address is computed

## What was wrong

The sum of a region's base and an offset could wrap around, and a program could halt every validator that ran it.

## Credit

The rehearsal team.
`;

function instructions(variants: readonly PreparedVariant[]): string {
  const steps = variants.map(
    ({ name, base, tree, patchName }) => `## ${name}

1. \`git checkout ${base}\`
2. \`git apply --index ${patchName}\`
3. \`git write-tree\` must print ${tree}
4. Build, restart, and say so: \`sealdrop attest\`
`,
  );
  return `# How to apply\n\nEXERCISE. This is a rehearsal.\n\n${steps.join('\n')}`;
}
