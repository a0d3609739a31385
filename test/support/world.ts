import type { ReviewPolicy } from '../../protocol/plan/review-policy.ts';
import type { SealOptions } from './campaign.ts';
import type { TestClock } from './clock.ts';
import { testClock } from './clock.ts';
import type { TestOfficer } from './officers.ts';
import type { TestOperator } from './operators.ts';
import { makeOperator, makeValidator, snapshotOf } from './operators.ts';
import type { Story } from './story.ts';
import { enrol, expectStatus, openStory, postSnapshot } from './story.ts';
import type { TestServer, TestServerOptions } from './test-server.ts';
import { startTestServer } from './test-server.ts';

/** A server with enrolled operators and a campaign whose plan has been uploaded. */
export interface World extends AsyncDisposable {
  readonly server: TestServer;
  readonly clock: TestClock;
  readonly operators: readonly TestOperator[];
  readonly snapshot: { readonly sha256: string; readonly point: string };
  readonly story: Story;
  officer(index: number): TestOfficer;
  operator(index: number): TestOperator;
  /** Another campaign on the same server. */
  another(options?: Partial<Omit<SealOptions, 'now'>>): Promise<Story>;
  close(): Promise<void>;
}

/** @param options.stakes - Of the operators, one validator each. */
export async function openWorld(
  options: TestServerOptions & {
    readonly stakes?: readonly bigint[];
    readonly reviews?: ReviewPolicy;
  } = {},
): Promise<World> {
  const { stakes = [30n, 30n, 29n, 1n], reviews } = options;
  const clock = testClock();
  const server = await startTestServer({ ...options, now: clock.now });
  const validators = stakes.map(makeValidator);
  const operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
  const snapshot = await postSnapshot(server, snapshotOf(validators));
  for (const operator of operators) expectStatus(await enrol(server, operator), 200);
  const sealing = { snapshot, ...(reviews && { reviews }) };
  const story = await openStory(server, sealing);
  const at = <T>(list: readonly T[], index: number): T => {
    const found = list[index];
    if (found === undefined) throw new Error(`there is no number ${index}`);
    return found;
  };
  return {
    server,
    clock,
    operators,
    snapshot,
    story,
    officer: (index) => at(server.officers, index),
    operator: (index) => at(operators, index),
    another: (changes) => openStory(server, { ...sealing, ...changes }),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
