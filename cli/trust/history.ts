import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { rootChanges, rootsSince, type RootChange } from '../../protocol/trust/chain.ts';
import { refreshCheckpoint, verifyLogged } from '../client/checkpoint.ts';
import type { Client } from '../client/client.ts';
import type { Trust } from '../client/trust.ts';
import { TemporaryError } from '../errors.ts';
import type { Home } from '../home/home.ts';

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
 * @returns How many are in the log; the newest may be on its way there.
 * @throws {@link ProtocolError} `trust_invalid` when the server lists another root of one version,
 *   or hides one; `proof_invalid` and what `refreshCheckpoint` throws.
 */
export async function verifyHistory(home: Home, client: Client, trust: Trust): Promise<number> {
  const listed = new Map((await client.roots()).map((it) => [it.version, it]));
  // A log that has just begun may have no checkpoint to ask for.
  const isBegun = [...listed.values()].some(({ leafIndex }) => leafIndex !== null);
  const seen = isBegun ? await refreshCheckpoint(home, client, trust.root) : undefined;
  let logged = 0;
  for (const { version, sha256 } of historyOf(trust)) {
    const entry = listed.get(version);
    if (entry?.sha256 !== sha256) {
      throw new ProtocolError(
        'trust_invalid',
        `the server does not list root ${version} as it is trusted here; tell the other officers`,
      );
    }
    if (entry.leafIndex === null || seen === undefined) continue;
    const leaf = utf8Encode(formatLeaf({ type: 'root', version, sha256 }));
    try {
      await verifyLogged(client, seen.checkpoint, entry.leafIndex, leaf);
      logged += 1;
    } catch (error) {
      if (!(error instanceof TemporaryError)) throw error;
    }
  }
  return logged;
}
