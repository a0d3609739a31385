import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseShape, campaignId, fileName } from '../../protocol/encoding/shape.ts';
import { UsageError } from '../errors.ts';
import { findFile, findSecret, hasErrorCode, writeAtomically } from './files.ts';

/** `campaigns/<id>/` of a home: what was verified of one campaign, kept for when there is no server. */
export interface CampaignDirectory {
  readonly campaign: string;
  /** Absolute path of a file in it, which need not exist. The directory does. */
  path(name: string): Promise<string>;
  /** @param maxBytes - 64 MiB by default. */
  find(name: string, maxBytes?: number): Promise<Uint8Array | undefined>;
  /** Replaces durably. Store only what has been verified. */
  write(name: string, content: Uint8Array | string): Promise<void>;
  /** As `find`, for keys: refused when others may read the file. */
  findSecret(name: string): Promise<Uint8Array | undefined>;
  /** As `write`, readable by the owner only. */
  writeSecret(name: string, content: Uint8Array | string): Promise<void>;
  /** Names of the files there, sorted. */
  list(): Promise<readonly string[]>;
}

/** @throws {@link UsageError} when `id` is not a campaign id; it becomes part of paths. */
export function requireCampaignId(id: string): string {
  if (campaignId.safeParse(id).success) return id;
  throw new UsageError(`"${id}" is not a campaign id`, 'one looks like SDX-2026-7KQ4');
}

/** @throws {@link UsageError} as {@link requireCampaignId}. */
export function openCampaignDirectory(parent: string, id: string): CampaignDirectory {
  const directory = join(parent, requireCampaignId(id));
  const resolve = (name: string): string =>
    join(directory, parseShape(fileName, name, 'encoding_invalid', 'file name'));

  return {
    campaign: id,
    async path(name) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return resolve(name);
    },
    find: (name, maxBytes) => findFile(resolve(name), maxBytes),
    write: (name, content) => writeAtomically(resolve(name), content),
    findSecret: (name) => findSecret(resolve(name)),
    writeSecret: (name, content) => writeAtomically(resolve(name), content, 0o600),
    async list() {
      try {
        return (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return [];
        throw error;
      }
    },
  };
}
