import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../protocol/encoding/bytes.ts';
import { parseStakeTable } from '../../protocol/stake/stake-table.ts';
import { findOption, hasFlag, wholeNumber, type Context, type Input } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { CommandTable } from './actor.ts';
import { freePort } from './free-port.ts';
import { buildModel, type Model } from './model.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { clock } from './phases/release.ts';
import { tellStory, type Outcome } from './story.ts';

const SCENARIO = 'august-2024';
const ALL_VALIDATORS = 1584;
const STAKES = fileURLToPath(new URL('../../data/solana-mainnet-epoch650.txt', import.meta.url));

/** Run the whole rehearsal; see `drillCommand`. */
export async function runDrill(input: Input, context: Context, table: CommandTable): Promise<void> {
  if (findOption(input, 'scenario') !== SCENARIO) {
    throw new UsageError('there is no such scenario', `the one there is: ${SCENARIO}`);
  }
  const validators = wholeNumber(
    findOption(input, 'validators') ?? '',
    '--validators',
    20,
    ALL_VALIDATORS,
  );
  const seed = findOption(input, 'seed') ?? toHex(context.randomBytes(6));
  const keep = hasFlag(input, 'keep');
  const out = resolve(findOption(input, 'out') ?? `drill-${seed}`);
  await refuseExisting(out);

  const model = buildModel(parseStakeTable(await readFile(STAKES)), validators, seed);
  const narrator = createNarrator(context.out, () => context.now());
  context.out.line(`A rehearsal with ${validators} validators. Seed: ${seed}`);
  const started = context.now();
  // What is loaded here, children need not compile again.
  flushCompileCache();
  const dir = await mkdtemp(join(tmpdir(), 'sealdrop-drill-'));
  try {
    const base = { context, dir, model, narrator };
    const outcome = await tellStory(base, table, await freePort(), { out, keep });
    report(context, model, outcome, narrator, started, keep ? dir : undefined);
  } finally {
    if (!keep) await rm(dir, { recursive: true, force: true });
  }
}

/** Found out now rather than after a minute. */
async function refuseExisting(out: string): Promise<void> {
  if (existsSync(out) && (await readdir(out)).length > 0) {
    throw new UsageError(`${out} exists and is not empty`, 'name a new folder with --out');
  }
}

function report(
  context: Context,
  model: Model,
  outcome: Outcome,
  narrator: Narrator,
  started: number,
  keptDir: string | undefined,
): void {
  const { staged, adoption, kept, founded } = outcome;
  const { out } = context;
  const supermajority = adoption.secondsToSupermajority;
  const percent = Number((adoption.adoptedStake * 10_000n) / model.totalStake) / 100;
  const validators = model.operators.reduce((sum, { validators: own }) => sum + own.length, 0);
  const seconds = (context.now() - started) / 1000;
  out.line('');
  out.line(`Campaign      ${staged.campaign}, an exercise`);
  out.line(`Commitment    ${staged.commitment}`);
  out.line(`T0            ${adoption.releaseTime}`);
  out.line(
    `Supermajority ${supermajority === undefined ? 'not reached' : `${clock(supermajority)} after T0 (model time, 1 s stood for ${adoption.timeScale} s)`}`,
  );
  out.line(`Adopted       ${percent.toFixed(2)} % of ${model.totalStake} lamports`);
  out.line(`Log           ${kept.checkpoint.size} leaves, root ${kept.checkpoint.root}`);
  out.line(`Record        ${kept.record}`);
  out.line(`Took          ${seconds.toFixed(1)} s`);
  if (keptDir !== undefined) {
    out.line(`Server        ${founded.url}, process ${founded.server.pid}, files in ${keptDir}`);
  }
  out.line('');
  out.line('Try next:');
  out.line(`  npx sealdrop audit ${kept.record} --root-sha256 ${founded.rootSha256}`);
  out.line(`  (cd ${kept.record}/documents/r1 && sha256sum -c ../../commitment/COMMITMENT)`);
  out.line(`  less ${kept.record}/README.md`);
  out.summary({
    campaign: staged.campaign,
    network: `solana:${model.genesis}`,
    validators,
    operators: model.operators.length,
    totalStake: model.totalStake,
    adoptedStake: adoption.adoptedStake,
    supermajorityReached: supermajority !== undefined,
    secondsFromT0ToSupermajority: supermajority ?? null,
    timeScale: adoption.timeScale,
    commitment: staged.commitment,
    checkpoint: kept.checkpoint,
    record: kept.record,
    auditOk: kept.auditOk,
    seed: model.seed,
    releaseTime: adoption.releaseTime,
    rootSha256: founded.rootSha256,
    server: keptDir === undefined ? null : founded.url,
    seconds,
    phases: narrator.timings,
  });
}
