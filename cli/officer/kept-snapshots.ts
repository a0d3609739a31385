import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { hex64 } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { snapshotDigest } from '../../protocol/stake/snapshot.ts';
import { findFile } from '../home/files.ts';
import type { Home } from '../home/home.ts';

/**
 * A snapshot that `network add` kept in this home.
 *
 * @throws {@link ProtocolError} `commitment_mismatch` when the file has changed since.
 */
export async function findKeptSnapshot(
  home: Home,
  digest: string,
): Promise<Uint8Array | undefined> {
  const bytes = await findFile(home.path('networks', `${digest}.txt`));
  if (bytes !== undefined && snapshotDigest(bytes) !== digest) {
    throw new ProtocolError('commitment_mismatch', `networks/${digest}.txt has been changed`);
  }
  return bytes;
}

/** Digest of the newest snapshot that `network add` kept. */
export async function findCurrentSnapshot(home: Home): Promise<string | undefined> {
  const bytes = await findFile(home.path('networks', 'current'));
  if (bytes === undefined) return undefined;
  const digest = utf8Decode(bytes).trim();
  return hex64.safeParse(digest).success ? digest : undefined;
}
