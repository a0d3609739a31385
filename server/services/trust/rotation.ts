import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { isSameTuf } from '../../../protocol/trust/metadata.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { checkNotExpired, verifyNextRoot } from '../../../protocol/trust/root-verify.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { parseTargets, verifyTargets } from '../../../protocol/trust/tuf.ts';
import type { NewTargets } from '../campaign/change.ts';
import type { Registry } from '../campaign/registry.ts';
import { ServiceError } from '../error.ts';
import { describeFailure } from '../failure.ts';
import type { Logger } from '../logger.ts';
import type { Serial } from '../serial.ts';
import { differencesOf, type LiveTrust, type ServerKeyNames, type StoredRoot } from './trust.ts';
import type { TufFiles } from './tuf.ts';

/** Where a root is in the log. */
export interface LoggedRoot {
  readonly version: number;
  readonly sha256: string;
  /** Instant. */
  readonly publishedAt: string;
  /** `null` until a checkpoint covers it. */
  readonly leafIndex: number | null;
}

export interface RootStore {
  /** Root, targets and the root's leaf in the log, in one transaction. */
  publishRoot(root: StoredRoot, targets: NewTargets): Promise<void>;
  /** @param size - Of the published log; leaves beyond it are not told. */
  listRoots(size: number): Promise<readonly LoggedRoot[]>;
}

/** What was published, or had been before. */
export interface PublishedRoot {
  readonly version: number;
  readonly sha256: string;
  /** False for the root that was in force already. */
  readonly isNew: boolean;
}

export interface Rotation {
  /**
   * Put the next root in force, with the targets that its people signed.
   *
   * @throws {@link ServiceError} `conflict` for a gap, a replay or a fork; `refused` for what does
   *   not fit this server; {@link ProtocolError} as `verifyNextRoot` and `verifyTargets`.
   */
  publish(root: Uint8Array, targets: Uint8Array): Promise<PublishedRoot>;
}

/**
 * Take in new roots while the server runs.
 *
 * A root is judged exactly as every client judges it. No directive is decided while it takes over,
 * so each one is under the root in force when it completes.
 */
export function rotation(deps: {
  readonly trust: LiveTrust;
  readonly ownKeys: () => Promise<ServerKeyNames>;
  readonly store: RootStore;
  readonly latestTargets: () => Promise<NewTargets | undefined>;
  /** Plain copies, and what proves a fork. */
  readonly rootFiles: TufFiles;
  /** Renews the TUF metadata; trouble with that is its own to log. */
  readonly freshen: () => Promise<void>;
  readonly registry: Pick<Registry, 'all' | 'exclusively'>;
  readonly serial: Serial;
  readonly verify: VerifyEd25519;
  readonly logger: Logger;
  readonly now: () => number;
}): Rotation {
  const { trust, verify, logger, registry, rootFiles } = deps;

  const publish = async (bytes: Uint8Array, targets: Uint8Array): Promise<PublishedRoot> => {
    const { version } = parseRoot(bytes);
    const sha256 = sha256Hex(bytes);
    const known = trust.roots.get(version);
    if (known !== undefined) {
      if (known.sha256 === sha256 && version === trust.current.version) {
        return { version, sha256, isNew: false };
      }
      if (known.sha256 !== sha256) await reportFork(bytes, known);
      throw new ServiceError('conflict', `root ${trust.current.version} is in force`);
    }
    const next = trust.current.version + 1;
    if (version !== next) throw new ServiceError('conflict', `root ${next} is next`);
    const root = verifyNextRoot(bytes, trust.current, verify);
    checkNotExpired(root, deps.now());
    await requireOwnKeys(root);
    const stored = { root, bytes, sha256 };
    await deps.store.publishRoot(stored, await checkTargets(root, targets));
    trust.adopt(stored);
    logger.info({ version, sha256 }, 'root of trust published');
    return { version, sha256, isNew: true };
  };

  const requireOwnKeys = async (root: TrustRoot): Promise<void> => {
    const differences = differencesOf(root, await deps.ownKeys());
    if (differences.length === 0) return;
    const names = differences.join(', ');
    throw new ServiceError('refused', `the root names keys this server does not hold: ${names}`);
  };

  /** The new people vouch for what the old ones had approved, for no more and no less. */
  const checkTargets = async (root: TrustRoot, bytes: Uint8Array): Promise<NewTargets> => {
    const { targets } = verifyTargets(bytes, root, verify);
    const latest = await deps.latestTargets();
    if (latest === undefined) throw new Error('a server has targets from its start on');
    const version = latest.version + 1;
    if (targets.version !== version) {
      throw new ServiceError('conflict', `targets version ${version} is next: rotate anew`);
    }
    const listed = (of: ReturnType<typeof parseTargets>): string =>
      of.bundles
        .map(({ sha256, size }) => `${sha256} ${size}`)
        .sort()
        .join('\n');
    if (listed(targets) !== listed(parseTargets(latest.bytes))) {
      throw new ServiceError('refused', 'the targets list other ciphertexts than those in force');
    }
    if (parseTime(targets.expires) <= deps.now()) {
      throw new ServiceError('refused', 'the targets have expired');
    }
    return { version, bytes, sha256: sha256Hex(bytes) };
  };

  /** Two roots of one version, both with the signatures it takes, are an alarm: the proof is kept. */
  const reportFork = async (bytes: Uint8Array, known: StoredRoot): Promise<void> => {
    const { version } = known.root;
    const before = trust.roots.get(version - 1)?.root;
    if (before === undefined || isSameTuf(bytes, known.bytes)) return;
    try {
      verifyNextRoot(bytes, before, verify);
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
    const sha256 = sha256Hex(bytes);
    await rootFiles.write(`fork.${version}.${sha256}.json`, bytes);
    logger.error({ code: 'root_fork', version, sha256 }, 'two valid roots of trust of one version');
  };

  /** Run while no campaign changes. */
  const withoutDirectives = (
    ids: readonly string[],
    task: () => Promise<PublishedRoot>,
  ): Promise<PublishedRoot> => {
    const [id, ...rest] = ids;
    if (id === undefined) return task();
    return registry.exclusively(id, () => withoutDirectives(rest, task));
  };

  return {
    publish: (root, targets) =>
      deps.serial.run('root', async () => {
        const ids = registry.all().map(({ state }) => state.campaign);
        const published = await withoutDirectives(ids, () => publish(root, targets));
        // Decided by now, whatever happens: a start, or the next round of jobs, does the rest.
        await finish(published).catch((error: unknown) => {
          logger.error(describeFailure(error), 'copy of the root not written');
        });
        return published;
      }),
  };

  async function finish({ version, isNew }: PublishedRoot): Promise<void> {
    const stored = trust.roots.get(version);
    if (isNew && stored !== undefined) await rootFiles.write(`${version}.root.json`, stored.bytes);
    await deps.freshen();
  }
}
