import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BaseFetcher, Updater } from 'tuf-js';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { encodeTuf, signTuf } from '../../protocol/trust/metadata.ts';
import { buildTargets } from '../../protocol/trust/tuf.ts';
import { tufPublisher } from '../../server/services/trust/tuf.ts';
import { serial } from '../../server/services/serial.ts';
import {
  PEOPLE,
  rootFile,
  rootOf,
  signerNamed,
  signingSigners,
} from '../protocol/trust/network.ts';
import { flipped, INTEROP, missingPython, openWorkshop, python } from './support/tools.ts';
import type { Workshop } from './support/tools.ts';

const DAY_MS = 24 * 3_600_000;
const BUNDLE = utf8Encode('ciphertext');
const TARGET = `bundles/${sha256Hex(BUNDLE)}.age`;

/** A client that says whether it got the target, keeping its state from one time to the next. */
type TufClient = (repo: string, state: string) => Promise<boolean>;

let shop: Workshop;

const clients: readonly (readonly [string, string | false, TufClient])[] = [
  ['tuf-js', false, updateWithTufJs],
  [
    'python-tuf',
    missingPython('tuf.ngclient'),
    (repo, state) => {
      const script = join(INTEROP, 'python', 'tuf_client.py');
      const { status, text } = shop.run(python(), [script, repo, state, TARGET]);
      return Promise.resolve(status === 0 && text === `OK ${BUNDLE.length}\n`);
    },
  ],
];

before(() => {
  shop = openWorkshop();
});

after(() => {
  shop.remove();
});

/**
 * A repository as our officers and our server sign it, on the machine's clock as the clients are.
 *
 * @param versions - How many targets one after another, all published.
 */
async function publishRepository(
  name: string,
  { versions = 1, signers = PEOPLE.slice(0, 2), now = Date.now() } = {},
): Promise<string> {
  const repo = join(shop.path, name);
  for (const folder of ['metadata', 'bundles']) mkdirSync(join(repo, folder), { recursive: true });
  writeFileSync(join(repo, 'root.json'), rootFile(rootOf(), [...PEOPLE]));
  writeFileSync(join(repo, TARGET), BUNDLE);
  for (let version = 1; version <= versions; version++) {
    const bundles = [{ sha256: sha256Hex(BUNDLE), size: BUNDLE.length }];
    const targets = buildTargets({ version, expires: formatTime(now + 30 * DAY_MS), bundles });
    const bytes = encodeTuf(targets, signTuf(targets, ...signingSigners(signers)));
    const path = (file: string): string => join(repo, 'metadata', file);
    await tufPublisher({
      files: {
        read: (file) => {
          try {
            return Promise.resolve(new Uint8Array(readFileSync(path(file))));
          } catch {
            return Promise.resolve(undefined);
          }
        },
        write: (file, content) => {
          writeFileSync(path(file), content);
          return Promise.resolve();
        },
      },
      latestTargets: () => Promise.resolve({ version, bytes, sha256: sha256Hex(bytes) }),
      signers: () =>
        Promise.resolve({ snapshot: signerNamed('snapshot'), timestamp: signerNamed('timestamp') }),
      serial: serial(),
      now: () => now,
    }).publish([]);
  }
  return repo;
}

for (const [name, skip, update] of clients) {
  describe(name, { skip }, () => {
    const fresh = (): Promise<string> => mkdtemp(join(shop.path, 'state-'));

    it('follows our metadata to a bundle, twice', async () => {
      const repo = await publishRepository(`${name}-good`, { versions: 2 });
      const state = await fresh();
      assert.equal(await update(repo, state), true);
      assert.equal(await update(repo, state), true);
    });

    it('refuses targets that one of two officers signed', async () => {
      const repo = await publishRepository(`${name}-alone`, { signers: ['ada'] });
      assert.equal(await update(repo, await fresh()), false);
    });

    it('refuses a timestamp that is older than the one it saw', async () => {
      const state = await fresh();
      const newer = await publishRepository(`${name}-newer`, { versions: 2 });
      const older = await publishRepository(`${name}-older`);
      assert.equal(await update(newer, state), true);
      assert.equal(await update(older, state), false);
      assert.equal(await update(older, await fresh()), true);
    });

    it('refuses a timestamp that has expired', async () => {
      const stale = await publishRepository(`${name}-stale`, { now: Date.now() - 2 * DAY_MS });
      assert.equal(await update(stale, await fresh()), false);
    });

    it('refuses a larger bundle, another one, and one snapshot among another’s files', async () => {
      const good = await publishRepository(`${name}-mixed`, { versions: 2 });
      const copy = join(shop.path, `${name}-copy`);
      const bundle = join(copy, TARGET);
      const changes: readonly (() => void)[] = [
        () => {
          writeFileSync(bundle, Buffer.concat([BUNDLE, BUNDLE]));
        },
        () => {
          writeFileSync(bundle, flipped(BUNDLE));
        },
        () => {
          cpSync(join(copy, 'metadata/1.snapshot.json'), join(copy, 'metadata/2.snapshot.json'));
        },
        () => {
          cpSync(join(copy, 'metadata/1.targets.json'), join(copy, 'metadata/2.targets.json'));
        },
      ];
      for (const change of changes) {
        rmSync(copy, { recursive: true, force: true });
        cpSync(good, copy, { recursive: true });
        assert.equal(await update(copy, await fresh()), true);
        change();
        assert.equal(await update(copy, await fresh()), false, change.toString());
      }
    });
  });
}

async function updateWithTufJs(repo: string, state: string): Promise<boolean> {
  const root = join(state, 'root.json');
  try {
    readFileSync(root);
  } catch {
    cpSync(join(repo, 'root.json'), root);
  }
  const updater = new Updater({
    metadataDir: state,
    metadataBaseUrl: 'http://repository.example/metadata',
    targetBaseUrl: 'http://repository.example',
    targetDir: state,
    fetcher: new FolderFetcher(repo),
    config: { prefixTargetsWithHash: false, maxRootRotations: 0 },
  });
  try {
    await updater.refresh();
    const info = await updater.getTargetInfo(TARGET);
    if (info === undefined) return false;
    const path = await updater.downloadTarget(info, join(state, 'target'));
    return readFileSync(path).equals(BUNDLE);
  } catch {
    return false;
  }
}

/** Asks a folder for what it is told to ask a server for. */
class FolderFetcher extends BaseFetcher {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const bytes = new Uint8Array(readFileSync(join(this.#folder, new URL(url).pathname)));
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    return Promise.resolve(stream);
  }
}
