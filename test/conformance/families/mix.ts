import type { ExitCode } from '../../../cli/exit-code.ts';
import { dropBundle, dropPlan, exchanged, hostile, swap, type Attack } from '../support/attacks.ts';
import type { HostileCase, Prepare } from '../support/cases.ts';
import { fetchPatch, prefetch, verifyNotice, type Flow } from '../support/flows.ts';

/** Something of campaign B in place of the same thing of campaign A: served, or in the home. */
interface Part {
  readonly name: string;
  readonly attack?: Attack;
  readonly exchange?: Prepare;
  /** Keeps nobody from the patch by itself: see `honest.ts`. */
  readonly isHarmless?: true;
}

const path = (rest: string): [string, string] => [
  `/v1/campaigns/{A}${rest}`,
  `/v1/campaigns/{B}${rest}`,
];

const BEFORE_T0: readonly Part[] = [
  { name: 'plan', attack: swap(...path('/plan')) },
  { name: 'directives', attack: swap(...path('/directives')) },
  { name: 'bundle', attack: swap('/blobs/sha256/{bundleA}', '/blobs/sha256/{bundleB}') },
  {
    name: 'commitment',
    attack: swap('/v1/commitments/{commitmentA}', '/v1/commitments/{commitmentB}'),
  },
  { name: 'notice', exchange: exchanged('notice.txt') },
  { name: 'list of documents', exchange: exchanged('COMMITMENT') },
];

const AT_T0: readonly Part[] = [
  { name: 'directives', attack: swap(...path('/directives')) },
  {
    name: 'shares',
    attack: (site) => {
      void swap(...path('/shares'))(site);
      site.remove('/v1/campaigns/{A}/release-key');
    },
  },
  {
    name: 'release key',
    attack: (site) => {
      void swap(...path('/release-key'))(site);
      const shares = JSON.parse(new TextDecoder().decode(site.read(path('/shares')[0]))) as {
        shares: unknown[];
      };
      // Too few of our own, so that the key is asked for.
      site.put(path('/shares')[0], JSON.stringify({ shares: shares.shares.slice(0, 1) }));
    },
  },
  {
    name: 'signatures',
    attack: swap(...path('/signatures')),
    exchange: exchanged('signatures.age'),
    isHarmless: true,
  },
  { name: 'stored plan', exchange: exchanged('plan.txt') },
  { name: 'stored directives', exchange: exchanged('directives.json') },
  { name: 'stored bundle', exchange: exchanged('bundle') },
  { name: 'stored notice', exchange: exchanged('notice.txt', 'COMMITMENT') },
];

/** Nothing published fits, so there is nothing to open with; anything else was refused before. */
const NEEDS_KEY = ['shares', 'release key', 'signatures', 'stored bundle'];

function exitAtT0(names: readonly string[]): ExitCode {
  const lacksKey = names.includes('shares') || names.includes('release key');
  return lacksKey && names.every((name) => NEEDS_KEY.includes(name)) ? 3 : 6;
}

const dropPlanAndBundle: Prepare = async (home, repository) => {
  await dropPlan(home, repository);
  await dropBundle(home, repository);
};

function combine(
  flow: Flow,
  parts: readonly Part[],
  exitOf: (names: readonly string[]) => ExitCode,
  beforeOf: (names: readonly string[]) => Prepare | undefined = () => undefined,
): HostileCase[] {
  const pairs = parts.flatMap((first, index) =>
    parts.slice(index + 1).map((second) => [first, second]),
  );
  const alone = parts.filter(({ isHarmless }) => isHarmless !== true).map((it) => [it]);
  return [...alone, ...pairs].map((chosen) => {
    const names = chosen.map(({ name }) => name);
    const before = beforeOf(names);
    const exchanges = chosen.flatMap(({ exchange }) => exchange ?? []);
    return hostile(
      flow,
      `${names.join(' and ')} of another campaign`,
      async (site) => {
        for (const { attack } of chosen) await attack?.(site);
      },
      exitOf(names),
      /./,
      {
        ...(before && { before }),
        ...(exchanges.length > 0 && {
          exchange: async (home, repository) => {
            for (const exchange of exchanges) await exchange(home, repository);
          },
        }),
      },
    );
  });
}

/** Two campaigns mixed, every part and every pair of parts. */
export const mix: readonly HostileCase[] = [
  ...combine(
    prefetch,
    BEFORE_T0,
    () => 6,
    (names) => (names.includes('plan') ? dropPlanAndBundle : dropBundle),
  ),
  ...combine(fetchPatch, AT_T0, exitAtT0),
  hostile(
    verifyNotice,
    'the commitment of another campaign',
    swap('/v1/commitments/{commitmentA}', '/v1/commitments/{commitmentB}'),
    6,
    /./,
  ),
];
