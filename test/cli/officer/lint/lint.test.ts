import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { runCommand } from '../../../../cli/command.ts';
import { campaignNewCommand } from '../../../../cli/commands/campaign-new.ts';
import { lintCommand } from '../../../../cli/commands/lint.ts';
import { readCampaignDirectory } from '../../../../cli/officer/campaign/campaign-dir.ts';
import { readCampaignFile } from '../../../../cli/officer/campaign/campaign-file.ts';
import type { Finding } from '../../../../cli/officer/campaign/finding.ts';
import { proposeReleaseTime } from '../../../../cli/officer/campaign/skeleton.ts';
import { loadHolidays, type Holidays } from '../../../../cli/officer/lint/holidays.ts';
import { lintCampaign, type LintFacts } from '../../../../cli/officer/lint/lint.ts';
import { utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { vouchersOf } from '../../../protocol/trust/network.ts';
import { testContext } from '../../support/context.ts';
import {
  CAMPAIGN,
  fillCampaign,
  git,
  makeRepository,
  readText,
  RELEASE_TIME,
  testSnapshot,
  type CampaignChanges,
  type TestRepository,
} from '../support/campaign.ts';
import { looseServerKeys, makeOfficers, NETWORK, NOW, type Officers } from '../support/officers.ts';

let folder: string;
let repository: TestRepository;
let officers: Officers;
let holidays: Holidays;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealdrop-lint-'));
  repository = await makeRepository(join(folder, 'agave'));
  officers = await makeOfficers(looseServerKeys());
  holidays = await loadHolidays();
});
after(() => rm(folder, { recursive: true, force: true }));

function factsOf(facts: Partial<LintFacts> = {}): LintFacts {
  return {
    now: NOW,
    env: process.env,
    signal: new AbortController().signal,
    root: officers.root,
    targetsExpire: undefined,
    repositories: new Map([['agave', repository.path]]),
    publicRepositories: [],
    holidays,
    findSnapshot: () => Promise.resolve(undefined),
    ...facts,
  };
}

async function lint(
  changes: CampaignChanges = {},
  facts: Partial<LintFacts> = {},
): Promise<readonly Finding[]> {
  const path = await mkdtemp(join(folder, 'campaign-'));
  await fillCampaign(path, repository, changes);
  const { findings, linted } = await lintCampaign(
    await readCampaignDirectory(path),
    factsOf(facts),
  );
  const hasError = findings.some(({ severity }) => severity === 'error');
  assert.equal(linted === undefined, hasError, 'only a campaign without errors may be sealed');
  return findings;
}

const variant = (changes: object): CampaignChanges => ({
  file: {
    variants: [
      {
        name: 'agave',
        base: repository.base,
        tree: repository.tree,
        toolchain: 'rustc 1.82.0',
        files: ['0001-agave.patch'],
        ...changes,
      },
    ],
  },
});

async function assertFinding(
  severity: Finding['severity'],
  where: string,
  pattern: RegExp,
  changes: CampaignChanges,
  facts: Partial<LintFacts> = {},
): Promise<void> {
  const findings = await lint(changes, facts);
  const found = findings.some(
    (it) => it.severity === severity && it.where === where && pattern.test(it.message),
  );
  assert.ok(found, `no such ${severity} at ${where} among ${JSON.stringify(findings)}`);
}

describe('lint', () => {
  it('has nothing to say about a campaign that is ready', async () => {
    assert.deepEqual(await lint(), []);
  });

  it('refuses a release time that is not in the future, and one after the last date', async () => {
    const where = 'campaign.json.releaseTime';
    await assertFinding('error', where, /future/, {}, { now: Date.parse(RELEASE_TIME) });
    await assertFinding('error', 'campaign.json.latestDisclosure', /not after/, {
      file: { latestDisclosure: RELEASE_TIME },
    });
  });

  it('warns about weekends by UTC when nobody says where the stake lives', async () => {
    const notice = '# SDX-2026-7KQ4\n2026-11-21T14:00:00Z\n';
    await assertFinding('warning', 'campaign.json.releaseTime', /Saturday/, {
      file: { releaseTime: '2026-11-21T14:00:00Z', regions: [] },
      files: { 'notice.md': notice },
    });
  });

  it('refuses reviews that firms of the root cannot give', async () => {
    const where = 'campaign.json.reviews';
    const root = { ...officers.root, ...vouchersOf(['acme', 'bolt'], []) };
    const reviews = (required: number, ...by: string[]): CampaignChanges => ({
      file: { reviews: { required, by } },
    });
    assert.deepEqual(await lint(reviews(2, 'bolt', 'acme'), { root }), []);
    await assertFinding('error', where, /eve is no reviewer/, reviews(1, 'acme', 'eve'), { root });
    await assertFinding('error', where, /more reviews/, reviews(2, 'acme'), { root });
    await assertFinding('error', where, /named once/, reviews(1, 'acme', 'acme'), { root });
    await assertFinding('error', where, /required/, reviews(0, 'acme'), { root });
  });

  it('refuses a notice that names another hour than campaign.json', async () => {
    await assertFinding('error', 'notice.md', /release time/, {
      file: { releaseTime: '2026-11-18T15:00:00Z' },
    });
  });

  it('refuses an exercise that does not say so in every text', async () => {
    for (const where of ['notice.md', 'disclosure.md', 'INSTRUCTIONS.md']) {
      await assertFinding('error', where, /EXERCISE/, { file: { exercise: true } });
    }
  });

  it('applies the patches and refuses another tree than promised', async () => {
    await assertFinding('error', 'artifacts/agave', /tree/, variant({ tree: 'a'.repeat(40) }));
    await assertFinding('error', 'artifacts/agave', /does not apply/, {
      files: { 'artifacts/agave/0001-agave.patch': 'diff --git a/x b/x\n--- a/x\n+++ b/x\n' },
    });
    await assertFinding('error', 'artifacts/agave', /no commit/, variant({ base: 'v9.9.9' }));
  });

  it('leaves nothing of a patch behind in the clone it was tried on', async () => {
    const objects = (): Promise<string> => git(repository.path, 'count-objects', '-v');
    const before = await objects();
    assert.deepEqual(await lint(), []);
    assert.equal(await objects(), before);
    assert.equal(await git(repository.path, 'status', '--porcelain'), '');
    await assert.rejects(git(repository.path, 'cat-file', '-e', repository.tree));
  });

  it('says when patches were not tried', async () => {
    await assertFinding('warning', 'artifacts/agave', /not tried/, {}, { repositories: new Map() });
  });

  it('refuses artifacts that are missing, empty, reserved, or share a name', async () => {
    const patch = 'artifacts/agave/0001-agave.patch';
    await assertFinding('error', patch, /not there/, { files: { [patch]: null } });
    await assertFinding('error', patch, /empty/, { files: { [patch]: '' } });
    const reserved = variant({ files: ['sha256sums'] });
    await assertFinding('error', 'artifacts/agave/sha256sums', /bundle holds/, reserved);
    const twice = {
      file: {
        variants: ['agave', 'jito'].map((name, index) => ({
          name,
          base: repository.base,
          tree: repository.tree,
          toolchain: 'rustc',
          files: [index === 0 ? 'fix.patch' : 'FIX.patch'],
        })),
      },
      files: { 'artifacts/agave/fix.patch': 'a', 'artifacts/jito/FIX.patch': 'b' },
    };
    await assertFinding('error', 'artifacts/jito/FIX.patch', /has the name of/, twice);
  });

  it('warns about a file that nobody lists, and refuses a symbolic link', async () => {
    await assertFinding('warning', 'artifacts/agave/extra', /not listed/, {
      files: { 'artifacts/agave/extra': 'x' },
    });
    const path = await mkdtemp(join(folder, 'campaign-'));
    await fillCampaign(path, repository);
    await symlink('/etc/hostname', join(path, 'artifacts', 'agave', 'link'));
    const { findings } = await lintCampaign(await readCampaignDirectory(path), factsOf());
    assert.ok(
      findings.some(({ where, severity }) => where.endsWith('link') && severity === 'error'),
    );
  });

  it('refuses a snapshot that is missing, of another network, or without stake', async () => {
    const where = 'campaign.json.snapshot';
    await assertFinding('error', where, /not there/, { files: { 'stake.txt': null } });
    await assertFinding('error', where, /not there/, { file: { snapshot: 'a'.repeat(64) } });
    const other = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG';
    await assertFinding('error', where, /network/, { files: { 'stake.txt': testSnapshot(other) } });
    const empty = new TextDecoder().decode(testSnapshot()).replace(/ \d+$/gm, ' 0');
    await assertFinding('error', where, /no stake/, { files: { 'stake.txt': empty } });
  });

  it('refuses milestones without exactly one strict gate', async () => {
    const gate = { num: 2, den: 3, strict: true, weight: 'stake', action: 'gate' };
    const where = 'campaign.json.milestones';
    for (const milestones of [
      [
        { ...gate, name: 'one' },
        { ...gate, name: 'two' },
      ],
      [{ ...gate, name: 'one', strict: false }],
      [{ ...gate, name: 'one', action: 'record' }],
    ]) {
      await assertFinding('error', where, /one gate/, { file: { milestones } });
    }
  });

  it('has a way out for everything that it says', async () => {
    const findings = await lint(
      { file: { exercise: true, snapshot: 'x' }, files: { 'notice.md': 'Ünïcode \u200b \n' } },
      { root: undefined, repositories: new Map() },
    );
    assert.ok(findings.length > 5);
    for (const { advice } of findings) assert.ok(advice.length > 5);
  });

  it('refuses what steers a terminal, and warns about what nobody sees, with the line', async () => {
    const text = (line: string): CampaignChanges => ({
      files: { 'disclosure.md': `# Title\n\n${line}\nEnd.\n` },
    });
    for (const line of ['a\u001b[2Jb', 'a\u202eb', 'a\u2066b', 'a\u0000b', 'a\u2028b']) {
      await assertFinding('error', 'disclosure.md:3', /control characters/, text(line));
    }
    for (const line of ['a\u200bb', 'a\u00adb', 'a\u{e0041}b', 'a\ufeffb']) {
      await assertFinding('warning', 'disclosure.md:3', /nobody sees/, text(line));
    }
    await assertFinding('warning', 'disclosure.md:3', /white space/, text('a  '));
    assert.deepEqual(await lint(text('Prägnant: 日本語 – fine.')), []);
  });

  it('warns when the targets known here end before the release', async () => {
    const soon = { targetsExpire: '2026-11-18T13:59:59Z' };
    await assertFinding('warning', 'trust', /targets expire/, {}, soon);
    assert.deepEqual(await lint({}, { targetsExpire: '2026-11-18T14:00:00Z' }), []);
  });

  it('refuses a root that expires too soon after the release', async () => {
    const soon = { ...officers.root, expires: '2026-11-20T00:00:00Z' };
    await assertFinding('error', 'trust', /expires/, {}, { root: soon });
    // Two weeks after T0 is enough to go on, but not for the last date that this campaign has.
    const later = { ...officers.root, expires: '2026-12-03T00:00:00Z' };
    const long = { file: { latestDisclosure: '2026-12-16T14:00:00Z' } };
    await assertFinding('warning', 'trust', /before the last date/, long, { root: later });
    await assertFinding('warning', 'trust', /no root/, {}, { root: undefined });
  });

  it('warns about words in the notice that point at the bug', async () => {
    const notice = (word: string): CampaignChanges => ({
      files: { 'notice.md': `# ${CAMPAIGN} on ${RELEASE_TIME}\n\nIt is about ${word}.\n` },
    });
    await assertFinding('warning', 'notice.md:3', /"tokens".*title/, notice('tokens'));
    await assertFinding('warning', 'notice.md:3', /"zeroize".*file/, notice('Zeroize'));
    // An id that happens to be a word is in both titles, as it should be.
    const id = 'SDX-2026-MYAY';
    const titled = {
      'notice.md': `# ${id} on ${RELEASE_TIME}\n\nBe there.\n`,
      'disclosure.md': `# ${id}: it mints\n\nIt did.\n`,
    };
    const found = await lint({ file: { id }, files: titled });
    assert.deepEqual(
      found.filter(({ where }) => where.startsWith('notice.md')),
      [],
    );
    assert.deepEqual(await lint(notice('updates of validators')), []);
  });

  it('refuses carriage returns, which a sealed document may not hold', async () => {
    await assertFinding('error', 'disclosure.md', /carriage/, {
      files: { 'disclosure.md': '# Title\r\n' },
    });
  });

  it('refuses a notice with lines that are for seal to add, in whatever spelling', async () => {
    for (const line of ['Access-Key: none', ' Server custody : none']) {
      await assertFinding('error', 'notice.md', /for seal to add/, {
        files: { 'notice.md': `Be ready at 2026-11-18T14:00:00Z.\n${line}\n` },
      });
    }
  });

  it('says everything at once', async () => {
    const findings = await lint({
      file: { releaseTime: '2026-11-01T14:00:00Z', snapshot: 'nothing.txt' },
      files: { 'INSTRUCTIONS.md': null, 'disclosure.md': 'REPLACE-ME\n' },
    });
    const errors = findings.filter(({ severity }) => severity === 'error');
    assert.deepEqual(
      new Set(errors.map(({ where }) => where)),
      new Set([
        'campaign.json.releaseTime',
        'campaign.json.snapshot',
        'INSTRUCTIONS.md',
        'disclosure.md:1',
        'notice.md',
      ]),
    );
  });
});

describe('campaign.json', () => {
  const good = {
    format: 'sealdrop-campaign/v1',
    id: CAMPAIGN,
    network: NETWORK,
    exercise: false,
    releaseTime: RELEASE_TIME,
    latestDisclosure: '2026-12-02T14:00:00Z',
    variants: [{ name: 'a', base: 'v1', tree: 'a'.repeat(40), toolchain: 'x', files: ['f'] }],
    snapshot: 'stake.txt',
  };
  const read = (value: unknown): ReturnType<typeof readCampaignFile> =>
    readCampaignFile(utf8Encode(JSON.stringify(value)));

  it('is read when it is well-formed', () => {
    assert.deepEqual(read(good), good);
  });

  const region = { zone: 'Asia/Tokyo', percent: 60, country: 'JP' };

  it('may name mirrors, regions and secret terms', () => {
    const mirrors = ['https://mirror.example/sealdrop'];
    const full = { ...good, mirrors, regions: [region], secretTerms: ['zero balance'] };
    assert.deepEqual(read(full), full);
  });

  const hostile: readonly [string, unknown][] = [
    ['a path as a file name', { ...good, variants: [{ ...good.variants[0], files: ['../f'] }] }],
    ['an option as a base', { ...good, variants: [{ ...good.variants[0], base: '--output=x' }] }],
    ['a path as a variant', { ...good, variants: [{ ...good.variants[0], name: '../x' }] }],
    ['a path as a snapshot', { ...good, snapshot: '../stake.txt' }],
    ['an absolute snapshot', { ...good, snapshot: '/etc/passwd' }],
    ['a path as an id', { ...good, id: '../SDX-2026-7KQ4' }],
    ['an unknown field', { ...good, skipChecks: true }],
    ['a time with an offset', { ...good, releaseTime: '2026-11-18T14:00:00+02:00' }],
    ['no variant', { ...good, variants: [] }],
    ['a thousand variants', { ...good, variants: Array(1000).fill(good.variants[0]) }],
    [
      'control characters',
      { ...good, variants: [{ ...good.variants[0], toolchain: 'a\u001b[2J' }] },
    ],
    ['a mirror over http', { ...good, mirrors: ['http://mirror.example'] }],
    ['a mirror twice', { ...good, mirrors: ['https://m.example', 'https://m.example'] }],
    ['a time zone that is none', { ...good, regions: [{ zone: 'Mars/Olympus', percent: 1 }] }],
    ['an offset for a time zone', { ...good, regions: [{ zone: '+02:00', percent: 1 }] }],
    ['half a per cent', { ...good, regions: [{ zone: 'UTC', percent: 0.5 }] }],
    ['a day that does not exist', { ...good, regions: [{ ...region, holidays: ['2026-02-30'] }] }],
    ['a secret of two lines', { ...good, secretTerms: ['a\nb'] }],
    ['text for a boolean', { ...good, exercise: 'false' }],
    ['a list', [good]],
    ['null', null],
  ];
  for (const [name, value] of hostile) {
    it(`is refused with ${name}`, () => {
      const result = read(value);
      assert.ok(Array.isArray(result) && result.length > 0);
    });
  }

  it('is refused with two fields of one name, and when it is no JSON', () => {
    const twice = JSON.stringify(good).replace('{', '{"id":"SDX-2026-0000",');
    assert.ok(Array.isArray(readCampaignFile(utf8Encode(twice))));
    assert.ok(Array.isArray(readCampaignFile(utf8Encode('{'))));
    assert.ok(Array.isArray(readCampaignFile(new Uint8Array([0xff]))));
  });

  it('never throws, and never repeats a value in what it says (property)', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...Object.keys(good)), (json, field) => {
        const secret = 'embargoed-words';
        const value = { ...good, [field]: [JSON.parse(json), secret] };
        const result = read(value);
        assert.ok(Array.isArray(result));
        assert.ok(!JSON.stringify(result).includes(secret));
      }),
      { numRuns: 300 },
    );
  });
});

describe('campaign new', () => {
  it('makes a directory in which lint finds every place still to be filled in', async () => {
    await using context = await testContext({ json: true, now: () => NOW });
    const path = join(context.home, 'next');
    const options = { network: NETWORK, variant: ['agave', 'jito'] };
    await runCommand(campaignNewCommand, { args: [path], options }, context);
    assert.match(String(context.said.summary()['campaign']), /^SDX-2026-[0-9A-Z]{4}$/);

    await using linting = await testContext({ json: true, now: () => NOW });
    await assert.rejects(runCommand(lintCommand, { args: [path] }, linting), { name: 'CliError' });
    const places = linting.said.events().map((finding) => String(finding['where']));
    for (const name of ['campaign.json', 'notice.md', 'disclosure.md', 'INSTRUCTIONS.md']) {
      assert.ok(
        places.some((place) => place.split(':')[0] === name),
        name,
      );
    }
  });

  it('writes down whose reviews it takes, all of them unless told otherwise', async () => {
    const reviewsOf = async (options: Record<string, string[] | string>): Promise<unknown> => {
      await using context = await testContext({ now: () => NOW });
      const path = join(context.home, 'next');
      const all = { network: NETWORK, variant: ['agave'], ...options };
      await runCommand(campaignNewCommand, { args: [path], options: all }, context);
      const json = await readText(path, 'campaign.json');
      return (JSON.parse(json) as { reviews: unknown }).reviews;
    };
    const reviewer = ['bolt', 'acme'];
    assert.deepEqual(await reviewsOf({}), { required: 0, by: [] });
    assert.deepEqual(await reviewsOf({ reviewer }), { required: 2, by: ['acme', 'bolt'] });
    assert.deepEqual(await reviewsOf({ reviewer, reviews: '1' }), {
      required: 1,
      by: ['acme', 'bolt'],
    });
    for (const options of [{ reviews: '1' }, { reviewer, reviews: '3' }, { reviewer: ['A'] }]) {
      await assert.rejects(reviewsOf(options), { name: 'UsageError' });
    }
  });

  it('does not touch a directory that holds something', async () => {
    await using context = await testContext();
    await writeFile(join(context.home, 'mine'), 'x');
    const input = { args: [context.home], options: { network: NETWORK, variant: ['agave'] } };
    await assert.rejects(runCommand(campaignNewCommand, input, context), {
      name: 'OutputExistsError',
    });
  });

  it('proposes 14:00 UTC on a Monday to Thursday, at least a day ahead (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: NOW, max: NOW + 400 * 86_400_000 }), (now) => {
        const proposed = new Date(proposeReleaseTime(now));
        assert.ok(proposed.getTime() >= now + 86_400_000);
        assert.ok(proposed.getTime() <= now + 6 * 86_400_000);
        assert.ok([1, 2, 3, 4].includes(proposed.getUTCDay()));
        assert.match(proposed.toISOString(), /T14:00:00\.000Z$/);
      }),
    );
  });
});
