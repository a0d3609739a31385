import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { MAX_BEACON_BYTES } from '../../protocol/embargo/beacon.ts';
import { QUICKNET } from '../../protocol/plan/timelock.ts';
import { serverBeacons } from '../../server/jobs/beacons.ts';
import { beaconJson, QUICKNET_ROUNDS } from '../protocol/embargo/drand.ts';

const [, [OTHER, another], [ROUND, signature]] = QUICKNET_ROUNDS as [
  unknown,
  [number, string],
  [number, string],
];
const lock = { chain: QUICKNET.hash, round: ROUND };

describe('beacons for the shares of the server', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-beacons-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const answering =
    (bodies: Readonly<Record<string, Uint8Array>>, asked: string[] = []): typeof fetch =>
    (input) => {
      const url = input instanceof Request ? input.url : `${input}`;
      asked.push(url);
      const body = bodies[new URL(url).host];
      return Promise.resolve(
        new Response(body && new Uint8Array(body), { status: body === undefined ? 404 : 200 }),
      );
    };

  it('come from whichever relay or file has the round, and are verified', async () => {
    const asked: string[] = [];
    const bodies = {
      'a.example': beaconJson(ROUND, another),
      'b.example': beaconJson(ROUND, signature),
    };
    const find = serverBeacons(
      ['https://a.example', 'https://b.example/drand'],
      answering(bodies, asked),
    );
    assert.equal((await find(lock)).round, ROUND);
    assert.deepEqual(asked, [
      `https://a.example/${QUICKNET.hash}/public/${ROUND}`,
      `https://b.example/drand/${QUICKNET.hash}/public/${ROUND}`,
    ]);
    const file = join(folder, 'beacon.json');
    await writeFile(file, beaconJson(ROUND, signature));
    assert.equal((await serverBeacons([file], answering({}))(lock)).round, ROUND);
  });

  it('are refused of another round, forged, or longer than one is', async () => {
    const long = new Uint8Array(MAX_BEACON_BYTES + 1).fill(0x20);
    long.set(beaconJson(ROUND, signature));
    for (const body of [beaconJson(OTHER, another), beaconJson(ROUND, another), long]) {
      const find = serverBeacons(['https://a.example'], answering({ 'a.example': body }));
      await assert.rejects(find(lock), AggregateError);
    }
    await assert.rejects(serverBeacons(['https://a.example'], answering({}))(lock), AggregateError);
    await assert.rejects(
      serverBeacons([join(folder, 'none')], answering({}))(lock),
      AggregateError,
    );
  });
});
