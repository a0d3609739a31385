import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { EXIT, type ExitCode } from '../../../cli/exit-code.ts';
import type { Flow } from './flows.ts';
import { copyHome, digestHome, type HomeDigest } from './home.ts';
import type { Repository } from './repository.ts';
import { asProcess, runCli, type Outcome } from './run.ts';
import type { Simulator } from './simulator.ts';
import { openSite, type Site } from './site.ts';
import { atTime, withLongClock } from './time.ts';

/** Changes a home, as somebody with the disk or a person with the wrong file would. */
export type Prepare = (home: string, repository: Repository) => Promise<void>;

export interface CaseOptions {
  /** Made before the flow, in the control as well: what the case needs to get anywhere. */
  readonly before?: Prepare;
  /** Part of the attack: files in the home that somebody exchanged. */
  readonly exchange?: Prepare;
  /** How far the clock has moved on, ms; the control keeps the right time. */
  readonly later?: number;
  /** A changed answer takes its time, which passes in no time. */
  readonly slow?: true;
}

/** Something an attacker does, and what has to come of it. */
export interface HostileCase extends CaseOptions {
  readonly flow: Flow;
  readonly name: string;
  readonly attack: (site: Site) => void | Promise<void>;
  readonly exit: ExitCode;
  readonly says: RegExp;
  /** The log's broken word must be kept as proof. */
  readonly leavesEvidence?: true;
  /** A statement was sent, so its counter is spent. */
  readonly spendsCounter?: true;
}

/** Something unusual that is no attack: the flow must come through. */
export interface HonestCase extends CaseOptions {
  readonly flow: Flow;
  readonly name: string;
  readonly arrange: (site: Site) => void | Promise<void>;
  /** Runs in the same home before the one that has to come through, such as an interrupted one. */
  readonly earlier?: readonly {
    readonly arrange: HonestCase['arrange'];
    readonly exit: ExitCode;
    readonly says?: RegExp;
  }[];
  /** Whether the last run must leave the home exactly as it found it. */
  readonly isIdempotent?: true;
}

/** What a suite has at hand while it runs. */
export interface Bench {
  readonly repository: Repository;
  readonly simulator: Simulator;
}

/** Register one test for each case of a family. @param bench - There once tests run. */
export function testHostile(cases: readonly HostileCase[], bench: () => Bench): void {
  for (const each of cases) {
    const skip = cannotRun(each);
    it(`${each.flow.name}: ${each.name}`, { skip }, () => refuse(each, bench()));
  }
}

export function testHonest(cases: readonly HonestCase[], bench: () => Bench): void {
  for (const each of cases) {
    const skip = cannotRun(each);
    it(`${each.flow.name}: ${each.name}`, { skip }, () => accept(each, bench()));
  }
}

/** Processes have the machine's clock and the machine's seconds. */
function cannotRun({ flow, later, slow }: HostileCase | HonestCase): string | false {
  const moves = flow.needsClock === true || later !== undefined || slow === true;
  return asProcess && moves ? 'SKIPPED: needs a clock that can be moved' : false;
}

async function refuse(each: HostileCase, bench: Bench): Promise<void> {
  await control(each, bench);
  const { repository, simulator } = bench;
  const { flow, spendsCounter: withoutCounters = false } = each;
  const home = await copyHome(repository.homes[flow.home], repository.folder);
  await each.before?.(home, repository);
  await each.exchange?.(home, repository);
  const site = openSite(repository, repository[flow.answers]);
  await each.attack(site);
  simulator.serve(site);
  const before = digestHome(home, { withoutCounters });
  const out = join(repository.folder, `out-of-${home.split('-').at(-1) ?? ''}`);

  const outcome = await run(each, home, out, bench);

  assert.equal(outcome.code, each.exit, outcome.said);
  assert.match(outcome.said, each.says);
  const isAboutServer = each.exchange === undefined && each.later === undefined;
  assert.ok(!isAboutServer || site.wasTouched(), 'nobody asked for what was changed');
  const after = digestHome(home, { withoutCounters });
  assert.deepEqual(after, before);
  assert.ok(!(await isWritten(out)), 'something was written');
  const evidence = existsSync(join(home, 'evidence')) ? await readdir(join(home, 'evidence')) : [];
  assert.equal(evidence.length, each.leavesEvidence === true ? 1 : 0);
  await rm(home, { recursive: true });
}

async function accept(each: HonestCase, bench: Bench): Promise<void> {
  const { repository, simulator } = bench;
  const { flow, earlier = [], arrange } = each;
  const home = await copyHome(repository.homes[flow.home], repository.folder);
  await each.before?.(home, repository);
  const out = join(repository.folder, `in-${home.split('-').at(-1) ?? ''}`);
  let before: HomeDigest = {};
  const last = { arrange, exit: EXIT.ok, says: /(?:)/ };
  for (const [index, { arrange, exit, says = /(?:)/ }] of [...earlier, last].entries()) {
    const site = openSite(repository, repository[flow.answers]);
    await arrange(site);
    simulator.serve(site);
    before = digestHome(home);
    const outcome = await run(each, home, `${out}-${index}`, bench);
    assert.equal(outcome.code, exit, outcome.said);
    assert.match(outcome.said, says);
  }
  if (each.isIdempotent) assert.deepEqual(digestHome(home), before);
  await rm(home, { recursive: true });
}

/** By flow and preparation: the same flow, unmutated, is accepted. */
const controls = new Map<string, Promise<void>>();

/** Negative control, once for each starting point: without the attack the flow comes through. */
function control(each: HostileCase, bench: Bench): Promise<void> {
  const { flow, before } = each;
  const key = `${flow.name} ${before?.name ?? ''}`;
  const known = controls.get(key);
  if (known !== undefined) return known;
  const controlled = accept(
    { flow, name: 'control', arrange: () => undefined, ...(before && { before }) },
    bench,
  );
  controls.set(key, controlled);
  return controlled;
}

function run(
  { flow, later = 0, slow }: HostileCase | HonestCase,
  home: string,
  out: string,
  { repository, simulator }: Bench,
): Promise<Outcome> {
  const { clock } = repository;
  const now = (flow.answers === 'released' ? clock.released : clock.now) + later;
  const words = flow.words(repository, simulator.url, out);
  const type = (): Promise<Outcome> => runCli(words, { home, now });
  if (slow === true) return withLongClock(type);
  return later === 0 ? type() : atTime(now, type);
}

async function isWritten(out: string): Promise<boolean> {
  return existsSync(out) && (await readdir(out)).length > 0;
}
