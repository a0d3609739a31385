import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { rootChanges, rootsSince, type RootChange } from '../../protocol/trust/chain.ts';
import type { Client } from '../client/client.ts';
import type { Trust } from '../client/trust.ts';
import type { Home } from '../home/home.ts';
import { refreshCheckpoint, verifyLogged } from '../log/checkpoint.ts';

/** One root of the chain and what it changed. */
export interface HistoryEntry {
  readonly version: number;
  readonly sha256: string;
  readonly expires: string;
  /** Against the root before; none for the first. */
  readonly changes: readonly RootChange[];
}

/** Every root that was ever trusted here, the first one first. */
export function historyOf({ roots, files }: Trust): readonly HistoryEntry[] {
  return rootsSince(roots, 1).map((root) => {
    const before = roots.get(root.version - 1);
    return {
      version: root.version,
      sha256: sha256Hex(files.get(root.version) ?? new Uint8Array()),
      expires: root.expires,
      changes: before === undefined ? [] : rootChanges(before, root),
    };
  });
}

/**
 * Check that the public log holds every root that we trust: so nobody was shown one of their own.
 *
 * @returns Versions that the log does not hold yet: the newest may be on their way there.
 * @throws {@link ProtocolError} `trust_invalid` when the server lists another root of one version,
 *   or hides one, or has a later one in the log but not this; `proof_invalid` and what
 *   `refreshCheckpoint` throws.
 */
export async function verifyHistory(
  home: Home,
  client: Client,
  trust: Trust,
): Promise<readonly number[]> {
  const listed = new Map((await client.roots()).map((it) => [it.version, it]));
  // A log that has just begun may have no checkpoint to ask for.
  const isBegun = [...listed.values()].some(({ leafIndex }) => leafIndex !== null);
  const seen = isBegun ? await refreshCheckpoint(home, client, trust.root) : undefined;
  const waiting: number[] = [];
  for (const { version, sha256 } of historyOf(trust)) {
    const entry = listed.get(version);
    if (entry?.sha256 !== sha256) {
      throw new ProtocolError(
        'trust_invalid',
        `the server does not list root ${version} as it is trusted here; tell the other officers`,
      );
    }
    const { leafIndex } = entry;
    if (leafIndex === null || seen === undefined || leafIndex >= seen.checkpoint.size) {
      waiting.push(version);
      continue;
    }
    // Leaves enter the log in the order in which they were accepted.
    if (waiting.length > 0) {
      throw new ProtocolError(
        'trust_invalid',
        `root ${waiting.join(', ')} is not in the log, but root ${version} is; tell the other officers`,
      );
    }
    const leaf = utf8Encode(formatLeaf({ type: 'root', version, sha256 }));
    await verifyLogged(client, seen.checkpoint, leafIndex, leaf);
  }
  return waiting;
}
