import { startChildStory } from '../test/support/child-story.ts';
import type { TestOperator } from '../test/support/operators.ts';
import { makeOperator, makeValidator, snapshotOf } from '../test/support/operators.ts';
import type { TestClient } from '../test/support/session.ts';
import { makeProof, tokenHash } from '../test/support/session.ts';
import type { Story } from '../test/support/story.ts';
import {
  enrol,
  envelopeJson,
  expectStatus,
  openStory,
  postSnapshot,
} from '../test/support/story.ts';
import { openConnection } from './connection.ts';
import { cpuTimeMs } from './process-time.ts';

/** What one round of statements took. */
export interface StatementRound {
  readonly count: number;
  /** Durably accepted, as seen by who sent them. */
  readonly perSecond: number;
  /** From the first byte sent to the last one received. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** User and system time of the whole server process; only where there is a `/proc`. */
  readonly serverCpuMs: number | undefined;
}

/** A server process with a campaign that operators are asked to acknowledge. */
export interface StatementBench extends AsyncDisposable {
  /** Let every operator make `each` acknowledgements, one after the other. */
  round(each: number): Promise<StatementRound>;
}

/** Limits of the product that a load from one machine would run into. */
const NO_LIMITS = { ADDRESS_RATE: '1000000', IDENTITY_RATE: '1000000' };
/** Everything goes into the log within a second, as after T0: the log's work is part of the figure. */
const LOG_INTERVAL = { LOG_EPOCH_MS: '1000', LOG_EPOCH_LEAVES: '4096' };
/** Mails that one request may carry. */
const MAX_MESSAGES = 50;

interface Sender {
  readonly operator: TestOperator;
  readonly client: TestClient;
}

/**
 * Start `node server/main.ts` as a process of its own, and bring one campaign to "notified".
 *
 * Each operator has one connection: statements of one operator have rising counters, so they cannot
 * be under way together.
 *
 * @param options.nodeOptions - `NODE_OPTIONS` of the server, such as `--cpu-prof`.
 */
export async function openStatementBench(options: {
  readonly operators: number;
  readonly nodeOptions?: string;
}): Promise<StatementBench> {
  await using undo = new AsyncDisposableStack();
  const server = undo.use(
    await startChildStory(
      { ...NO_LIMITS, ...LOG_INTERVAL },
      options.nodeOptions === undefined ? {} : { NODE_OPTIONS: options.nodeOptions },
    ),
  );
  const { child } = server;
  const validators = Array.from({ length: options.operators }, () => makeValidator(1n));
  const operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
  const snapshot = await postSnapshot(server, snapshotOf(validators));
  for (const operator of operators) expectStatus(await enrol(server, operator), 200);
  const story = await openStory(server, { snapshot });
  await story.uploadCiphertext();
  await story.decide('commit');
  await story.decide('notify');
  for (let i = 0; i < operators.length; i += MAX_MESSAGES) {
    expectStatus(await story.notice(...operators.slice(i, i + MAX_MESSAGES)), 200);
  }
  const senders = operators.map((operator) => ({ operator, client: server.client(operator.key) }));

  const opened = undo.move();
  return {
    round: async (each) => {
      const lanes: Uint8Array[][] = [];
      for (const sender of senders) lanes.push(await prepare(story, child.url, sender, each));
      return sendAll(child.url, lanes, () => cpuTimeMs(child.process.pid));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Whole HTTP requests, signed: what the client does for them is not what is measured. */
async function prepare(
  story: Story,
  url: string,
  { operator, client }: Sender,
  count: number,
): Promise<Uint8Array[]> {
  const path = `${story.path}/statements`;
  const token = await client.token();
  const claims = { ath: tokenHash(token) };
  return Array.from({ length: count }, () => {
    const body = JSON.stringify({ envelope: envelopeJson(story.statement(operator, 'ack')) });
    const proof = makeProof(operator.key, 'POST', `${url}${path}`, Date.now(), { claims });
    const head = [
      `POST ${path} HTTP/1.1`,
      `host: ${new URL(url).host}`,
      `authorization: DPoP ${token}`,
      `dpop: ${proof}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
    ].join('\r\n');
    return Buffer.from(`${head}\r\n\r\n${body}`);
  });
}

async function sendAll(
  url: string,
  lanes: readonly (readonly Uint8Array[])[],
  readCpuMs: () => Promise<number | undefined>,
): Promise<StatementRound> {
  const connections = await Promise.all(lanes.map(() => openConnection(new URL(url))));
  const latencies: number[] = [];
  const cpuBefore = await readCpuMs();
  const start = performance.now();
  await Promise.all(
    connections.map(async (connection, index) => {
      for (const request of lanes[index] ?? []) {
        const sentAt = performance.now();
        const { status, body } = await connection.send(request);
        if (status !== 200) throw new Error(`a statement was answered ${status} ${body}`);
        latencies.push(performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const cpuAfter = await readCpuMs();
  for (const connection of connections) connection.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? 0;
  return {
    count: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    serverCpuMs:
      cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
  };
}
