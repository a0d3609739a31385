import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const sealdrop = fileURLToPath(new URL('../../bin/sealdrop.mjs', import.meta.url));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run the CLI as a person would, in a directory of its own. */
function run(cwd: string, ...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [sealdrop, '--home', join(cwd, 'home'), ...args],
      { cwd, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
  });
}

describe('a rehearsal, from officers without keys to an audited record', () => {
  let dir = '';
  let drill: Run;
  let summary: Record<string, unknown> = {};

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sealdrop-e2e-'));
    const args = ['--validators', '24', '--seed', 'e2e', '--out', join(dir, 'record')];
    drill = await run(dir, '--json', 'drill', ...args);
    summary = JSON.parse(drill.stdout.trim().split('\n').at(-1) ?? '{}') as typeof summary;
  });

  after(() => rm(dir, { recursive: true, force: true }));

  it('succeeds, and its last line tells what happened', () => {
    assert.equal(drill.code, 0, drill.stderr);
    assert.equal(summary['message_type'], 'summary');
    assert.equal(summary['validators'], 24);
    assert.equal(summary['auditOk'], true);
    assert.equal(summary['supermajorityReached'], true);
    assert.equal(summary['seed'], 'e2e');
    assert.match(String(summary['commitment']), /^[0-9a-f]{64}$/);
    const [total, adopted] = [summary['totalStake'], summary['adoptedStake']].map((text) => {
      assert.equal(typeof text, 'string', 'stake is a decimal string');
      return BigInt(String(text));
    });
    assert.ok((adopted ?? 0n) * 3n > (total ?? 0n) * 2n);
  });

  it('prints JSON lines only', () => {
    for (const line of drill.stdout.trim().split('\n')) JSON.parse(line);
  });

  it('leaves a record that the audit accepts under the published root, offline', async () => {
    const pin = String(summary['rootSha256']);
    const audit = await run(dir, 'audit', join(dir, 'record'), '--root-sha256', pin);
    assert.equal(audit.code, 0, audit.stdout);
  });

  it('has the same adoption in the record as in the summary', async () => {
    const tally = JSON.parse(await readFile(join(dir, 'record', 'tally.json'), 'utf8')) as {
      readonly attestedStake: string;
    };
    assert.equal(tally.attestedStake, summary['adoptedStake']);
  });

  it('is found out when any one byte of a document is changed', async () => {
    const changed = join(dir, 'changed');
    await cp(join(dir, 'record'), changed, { recursive: true });
    const path = join(changed, 'documents', 'r1', 'disclosure.md');
    const bytes = await readFile(path);
    bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
    await writeFile(path, bytes);
    const audit = await run(dir, 'audit', changed);
    assert.equal(audit.code, 6);
  });

  it('is found out under another root', async () => {
    const audit = await run(dir, 'audit', join(dir, 'record'), '--root-sha256', '0'.repeat(64));
    assert.equal(audit.code, 6);
  });

  it('overwrites nothing: the same --out again is a usage error', async () => {
    const names = await readdir(join(dir, 'record'));
    const again = await run(dir, 'drill', '--validators', '24', '--out', join(dir, 'record'));
    assert.equal(again.code, 2);
    assert.deepEqual(await readdir(join(dir, 'record')), names);
  });
});
