import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { HttpAnswer } from '../../../cli/client/http.ts';
import { refreshTargets } from '../../../cli/client/targets.ts';
import { followRoots, type Trust } from '../../../cli/client/trust.ts';
import { ProblemError, TemporaryError } from '../../../cli/errors.ts';
import { openHome, type Home } from '../../../cli/home/home.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { formatTime } from '../../../protocol/encoding/time.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildTargets } from '../../../protocol/trust/tuf.ts';
import { testContext } from '../support/context.ts';
import { makeParties, makeTrust, type Parties } from '../support/parties.ts';

const DAY_MS = 86_400_000;
const SHA256 = 'ab'.repeat(32);
const BUNDLES = [{ sha256: SHA256, size: 65_536 }];

interface Versions {
  readonly timestamp?: number;
  readonly snapshot?: number;
  readonly targets?: number;
  /** Days from now. */
  readonly timestampDays?: number;
  readonly targetsDays?: number;
  /** Who signs the targets. */
  readonly signers?: readonly Signer[];
}

/** A TUF repository in memory, signed with the real keys of `parties`, and a home that trusts it. */
class Repository implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array>();
  readonly server = 'http://127.0.0.1:1';
  failure: Error | undefined;
  readonly asked: string[] = [];
  readonly parties: Parties;
  readonly home: Home;
  readonly trust: Trust;
  readonly officers: readonly Signer[];

  private constructor(parties: Parties, home: Home, trust: Trust, officers: readonly Signer[]) {
    this.parties = parties;
    this.home = home;
    this.trust = trust;
    this.officers = officers;
  }

  static async make(): Promise<Repository> {
    const parties = await makeParties('alice', 'bob', 'carol');
    const folder = await makeTrust(parties);
    const bytes = new Uint8Array(await readFile(join(folder, 'root.json')));
    const trust = await followRoots(sha256Hex(bytes), (version) =>
      Promise.resolve(version === 1 ? bytes : undefined),
    );
    const context = await testContext({ home: join(parties.folder, 'operator') });
    const keys = await Promise.all(
      parties.officers.map((it) => openHome(it.context).officerKeys()),
    );
    return new Repository(
      parties,
      openHome(context),
      trust,
      keys.map(({ signer }) => signer),
    );
  }

  publish({ timestamp = 1, snapshot = 1, targets = 1, ...rest }: Versions): void {
    const { timestampDays = 1, targetsDays = 30, signers = this.officers.slice(0, 2) } = rest;
    const expires = (days: number): string => formatTime(Date.now() + days * DAY_MS);
    const common = { spec_version: '1.0.34' };
    const targetsSigned = buildTargets({
      version: targets,
      expires: expires(targetsDays),
      bundles: BUNDLES,
    });
    const snapshotSigned = {
      ...common,
      _type: 'snapshot',
      version: snapshot,
      expires: expires(7),
      meta: { 'targets.json': { version: targets } },
    };
    const timestampSigned = {
      ...common,
      _type: 'timestamp',
      version: timestamp,
      expires: expires(timestampDays),
      meta: { 'snapshot.json': { version: snapshot } },
    };
    const write = (name: string, signed: object, ...by: readonly Signer[]): void =>
      void this.files.set(name, encodeTuf(signed, signTuf(signed, ...by)));
    write(`${targets}.targets.json`, targetsSigned, ...signers);
    write(`${snapshot}.snapshot.json`, snapshotSigned, this.parties.server.snapshot);
    write('timestamp.json', timestampSigned, this.parties.server.timestamp);
  }

  tuf = (name: string): Promise<HttpAnswer> => {
    this.asked.push(name);
    if (this.failure) return Promise.reject(this.failure);
    const bytes = this.files.get(name);
    if (bytes === undefined) return Promise.reject(new ProblemError(404, 'not_found', 'no such'));
    return Promise.resolve({
      headers: new Headers(),
      async *chunks() {
        yield await Promise.resolve(bytes);
      },
    });
  };

  /** @param now - Unix ms, of the caller's clock. */
  refresh = (now = Date.now()): ReturnType<typeof refreshTargets> =>
    refreshTargets(this.home, this, this.trust, now);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.parties[Symbol.asyncDispose]();
  }
}

describe('refreshTargets', () => {
  it('gives the bundles that enough officers approved', async () => {
    await using repository = await Repository.make();
    repository.publish({});
    const targets = await repository.refresh();
    assert.deepEqual([...targets.bundles], [[SHA256, 65_536]]);
    repository.publish({ timestamp: 2, snapshot: 2, targets: 2 });
    assert.equal((await repository.refresh()).version, 2);
    assert.deepEqual((await repository.home.state.read()).tuf, {
      timestamp: 2,
      snapshot: 2,
      targets: 2,
    });
  });

  it('asks for no root: only our own rules move it', async () => {
    await using repository = await Repository.make();
    repository.publish({});
    await repository.refresh();
    assert.deepEqual(repository.asked, ['timestamp.json', '1.snapshot.json', '1.targets.json']);
  });

  it('refuses targets that too few people signed', async () => {
    await using repository = await Repository.make();
    repository.publish({ signers: repository.officers.slice(0, 1) });
    await assert.rejects(repository.refresh(), { code: 'trust_invalid' });
  });

  it('refuses targets signed by keys of another role', async () => {
    await using repository = await Repository.make();
    const { snapshot, timestamp } = repository.parties.server;
    repository.publish({ signers: [snapshot, timestamp] });
    await assert.rejects(repository.refresh(), { code: 'trust_invalid' });
  });

  it('says that metadata has expired', async () => {
    await using repository = await Repository.make();
    for (const late of [{ timestampDays: -1 }, { targetsDays: -1 }]) {
      repository.publish(late);
      await assert.rejects(repository.refresh(), { code: 'trust_invalid', message: /has expired/ });
    }
  });

  it('judges dates by the clock it is given, so that a moved one shows a freeze', async () => {
    await using repository = await Repository.make();
    repository.publish({ timestampDays: 1, targetsDays: 30 });
    await repository.refresh(Date.now() + 0.9 * DAY_MS);
    // The server is frozen: the same files, a day and a month later.
    for (const days of [1.1, 31]) {
      await assert.rejects(repository.refresh(Date.now() + days * DAY_MS), {
        code: 'trust_invalid',
        message: /has expired/,
      });
    }
    assert.equal((await repository.home.state.read()).tuf.timestamp, 1);
    repository.publish({ timestamp: 2, timestampDays: 2 });
    await repository.refresh(Date.now() + 1.1 * DAY_MS);
  });

  it('refuses every role going back', async () => {
    for (const back of [
      { timestamp: 2, snapshot: 3, targets: 3 },
      { timestamp: 4, snapshot: 2, targets: 3 },
      { timestamp: 4, snapshot: 4, targets: 2 },
    ]) {
      await using repository = await Repository.make();
      repository.publish({ timestamp: 3, snapshot: 3, targets: 3 });
      await repository.refresh();
      repository.publish(back);
      await assert.rejects(repository.refresh(), { code: 'trust_invalid' });
    }
  });

  it('refuses going back also when the cached metadata was lost', async () => {
    await using repository = await Repository.make();
    repository.publish({ timestamp: 3, snapshot: 3, targets: 3 });
    await repository.refresh();
    await rm(repository.home.path('tuf'), { recursive: true });
    repository.publish({ timestamp: 2, snapshot: 2, targets: 2 });
    await assert.rejects(repository.refresh(), {
      code: 'trust_invalid',
      message: /was seen before/,
    });
  });

  it('refuses a file that is endless', async () => {
    await using repository = await Repository.make();
    repository.publish({});
    repository.files.set('timestamp.json', new Uint8Array(20_000).fill(32));
    await assert.rejects(repository.refresh(), { code: 'too_large' });
  });

  it('lets a network failure be one, at every step', async () => {
    for (const name of ['timestamp.json', '1.snapshot.json', '1.targets.json']) {
      await using repository = await Repository.make();
      repository.publish({});
      const { tuf } = repository;
      const client = {
        server: repository.server,
        tuf: (asked: string) =>
          asked === name ? Promise.reject(new TemporaryError('cannot reach it')) : tuf(asked),
      };
      await assert.rejects(refreshTargets(repository.home, client, repository.trust, Date.now()), {
        name: 'TemporaryError',
      });
    }
  });
});
