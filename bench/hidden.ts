import { makeOperator, makeValidator, snapshotOf } from '../test/support/operators.ts';
import { startChildStory } from '../test/support/child-story.ts';
import { makeProof, tokenHash, type TestClient } from '../test/support/session.ts';
import { enrol, expectStatus, openStory, postSnapshot } from '../test/support/story.ts';
import type { Signer } from '../protocol/signature/ed25519.ts';
import { openConnection } from './connection.ts';
import { formatTable, median } from './table.ts';

/** How long a hidden thing and an unknown one took to be denied, asked in turn. */
export interface HiddenTimes {
  readonly what: string;
  readonly pairs: number;
  readonly hiddenMs: number;
  readonly unknownMs: number;
  /** That times differing by chance alone differ as much (Mann-Whitney, both sides). */
  readonly p: number;
}

const NO_LIMITS = { ADDRESS_RATE: '1000000', IDENTITY_RATE: '1000000' };
const WARM_UP = 300;

/**
 * Time requests for a campaign that is committed and hidden, and for one that does not exist; which of
 * a pair comes first is left to chance.
 *
 * A test compares the work itself (`test/server/hidden-work.test.ts`); this shows what is left.
 */
export async function measureHidden(pairs: number): Promise<readonly HiddenTimes[]> {
  await using server = await startChildStory(NO_LIMITS);
  const validator = makeValidator(1n);
  const operator = await makeOperator([validator]);
  const snapshot = await postSnapshot(server, snapshotOf([validator]));
  expectStatus(await enrol(server, operator), 200);
  const story = await openStory(server, { snapshot });
  await story.uploadCiphertext();
  await story.decide('commit');

  const { url } = server.child;
  const { id, bundle } = story.sealed;
  const campaigns: Pair = [`/v1/campaigns/${id}`, '/v1/campaigns/SDX-2026-ZZZZ'];
  const ciphertexts: Pair = [`/blobs/sha256/${bundle.sha256}`, `/blobs/sha256/${'ab'.repeat(32)}`];
  const login = { client: server.client(operator.key), key: operator.key };
  return [
    await time(url, 'a campaign, to the public', campaigns, pairs),
    await time(url, 'a campaign, to an operator', campaigns, pairs, login),
    await time(url, 'its ciphertext, to an operator', ciphertexts, pairs, login),
  ];
}

type Pair = readonly [hidden: string, unknown: string];

async function time(
  url: string,
  what: string,
  paths: Pair,
  pairs: number,
  login?: { readonly client: TestClient; readonly key: Signer },
): Promise<HiddenTimes> {
  const token = await login?.client.token();
  const times: [number[], number[]] = [[], []];
  for (let i = -WARM_UP; i < pairs; i++) {
    for (const side of Math.random() < 0.5 ? ([0, 1] as const) : ([1, 0] as const)) {
      const path = paths[side];
      const head = [`GET ${path} HTTP/1.1`, `host: ${new URL(url).host}`];
      if (login !== undefined && token !== undefined) {
        const claims = { ath: tokenHash(token) };
        const proof = makeProof(login.key, 'GET', `${url}${path}`, Date.now(), { claims });
        head.push(`authorization: DPoP ${token}`, `dpop: ${proof}`);
      }
      const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
      // One each: the server closes a connection with a problem that it tells before the request's end.
      const connection = await openConnection(new URL(url));
      const startedAt = performance.now();
      const { status } = await connection.send(request);
      if (status !== 404) throw new Error(`${path} was answered ${status}`);
      if (i >= 0) times[side].push(performance.now() - startedAt);
      connection.close();
    }
  }
  const [hidden, unknown] = times;
  const p = compare(hidden, unknown);
  return { what, pairs, hiddenMs: median(hidden), unknownMs: median(unknown), p };
}

/** Mann-Whitney's U by its normal approximation; ties are too rare to matter. */
function compare(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((it) => [it, 1] as const), ...b.map((it) => [it, 0] as const)];
  all.sort(([x], [y]) => x - y);
  const rankSum = all.reduce((sum, [, isA], index) => sum + isA * (index + 1), 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const spread = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * upperTail(Math.abs(u - (a.length * b.length) / 2) / spread);
}

/** Of the normal distribution: Abramowitz and Stegun, 26.2.17; to seven digits. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const factors = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const polynomial = factors.reduce((sum, factor) => (sum + factor) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

export function hiddenReport(times: readonly HiddenTimes[]): string {
  const table = formatTable([
    ['', 'hidden, ms', 'unknown, ms', 'ratio', 'p'],
    ...times.map(({ what, hiddenMs, unknownMs, p }) => [
      what,
      hiddenMs.toFixed(3),
      unknownMs.toFixed(3),
      (hiddenMs / unknownMs).toFixed(3),
      p.toFixed(2),
    ]),
  ]);
  const pairs = times[0]?.pairs ?? 0;
  return `What is hidden, and what does not exist: median of ${pairs} answers each, asked in turn\n\n${table}`;
}
