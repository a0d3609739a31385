import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { flood } from './families/flood.ts';
import { freeze } from './families/freeze.ts';
import { honest } from './families/honest.ts';
import { json } from './families/json.ts';
import { length } from './families/length.ts';
import { log } from './families/log.ts';
import { goodMirrors, mirrors } from './families/mirrors.ts';
import { mix } from './families/mix.ts';
import { names } from './families/names.ts';
import { recovery } from './families/recovery.ts';
import { redirects } from './families/redirects.ts';
import { rollback } from './families/rollback.ts';
import { roots } from './families/roots.ts';
import { signatures } from './families/signatures.ts';
import { testHonest, testHostile, type Bench, type HostileCase } from './support/cases.ts';
import { recordRepository } from './support/repository.ts';
import { startSimulator } from './support/simulator.ts';

// The CLI alone, against a server that says whatever an attacker wants. See docs/spec/conformance.md.

const HOSTILE: Readonly<Record<string, readonly HostileCase[]>> = {
  'older states': rollback,
  'a clock that moves on': freeze,
  'two campaigns mixed': mix,
  'endless and slow data': flood,
  'wrong lengths': length,
  'roots of trust': roots,
  'signatures and keys': signatures,
  'odd names': names,
  redirects,
  'mirrors that lie': mirrors,
  'a log that breaks its word': log,
  'odd JSON': json,
};

let bench: Bench | undefined;
const getBench = (): Bench => {
  if (bench === undefined) throw new Error('the suite has not been set up');
  return bench;
};

describe('conformance', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-conformance-'));
    const simulator = await startSimulator();
    bench = { simulator, repository: await recordRepository(folder, simulator.url) };
  });
  after(async () => {
    await bench?.simulator[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [family, cases] of Object.entries(HOSTILE)) {
    describe(`refuses ${family}`, () => {
      testHostile(cases, getBench);
    });
  }
  describe('recovers', () => {
    testHonest(recovery, getBench);
  });
  describe('accepts what is merely unusual', () => {
    testHonest(honest, getBench);
  });
  describe('opens from mirrors', () => {
    testHonest(goodMirrors, getBench);
  });

  it('has at least 60 hostile cases and 10 honest ones, no two alike', () => {
    const hostile = Object.values(HOSTILE).flat();
    const tame = [...recovery, ...honest, ...goodMirrors];
    const titles = [...hostile, ...tame].map(({ flow, name }) => `${flow.name}: ${name}`);
    assert.equal(new Set(titles).size, titles.length);
    assert.ok(hostile.length >= 60, `${hostile.length} hostile cases`);
    assert.ok(tame.length >= 10, `${tame.length} honest cases`);
  });
});
