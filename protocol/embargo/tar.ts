import { packTar as packWithLibrary, unpackTar as unpackWithLibrary } from 'modern-tar';
import { fileName } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';

/** File name → exact content. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** The smallest size of an archive, in bytes: a 10 kB patch and a 60 kB one look alike. */
const SMALLEST_ARCHIVE = 128 * 1024;

/** The largest size of an archive, in bytes. */
export const MAX_ARCHIVE_BYTES = 64 * 1024 * 2 ** 15;

const MAX_FILES = 1_000;

/**
 * The size class an archive of `byteLength` bytes is padded to: 64 KiB · 2^k, k from 1 to 15, so
 * that the public size of a bundle tells no more than its order of magnitude.
 *
 * @throws {@link ProtocolError} `too_large` above 2 GiB.
 */
export function sizeClass(byteLength: number): number {
  if (byteLength > MAX_ARCHIVE_BYTES) {
    throw new ProtocolError('too_large', 'archive exceeds the largest size class');
  }
  let size = SMALLEST_ARCHIVE;
  while (size < byteLength) size *= 2;
  return size;
}

/**
 * Pack files into the one archive that stands for them: ustar, regular files only, sorted bytewise
 * by name, mode 0644, owner 0, time 0, zero bytes after the end marker up to the size class.
 * Stock `tar` reads it.
 *
 * @param files - 1 to 1,000 files, names as `fileName` allows.
 * @throws {@link ProtocolError} `bundle_invalid` for a name or number out of bounds; `too_large`.
 */
export async function packFiles(files: Files): Promise<Uint8Array> {
  if (files.size === 0 || files.size > MAX_FILES) {
    throw new ProtocolError('bundle_invalid', `an archive holds 1 to ${MAX_FILES} files`);
  }
  let total = 1024;
  for (const bytes of files.values()) total += 512 + Math.ceil(bytes.length / 512) * 512;
  const padded = new Uint8Array(sizeClass(total));

  const names = [...files.keys()].sort();
  const entries = names.map((name) => {
    checkName(name);
    const data = files.get(name) ?? new Uint8Array();
    const header = { name, size: data.length, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };
    return { header, body: data };
  });
  padded.set(await packWithLibrary(entries));
  return padded;
}

/**
 * Read an archive back, accepting exactly what {@link packFiles} makes.
 *
 * Links, folders, devices, paths, long-name and pax headers, duplicates and wrong sizes are refused
 * before any content is copied; whatever else differs (owner, order, padding, a second name behind
 * a NUL) is found by packing the files again and comparing every byte.
 *
 * @param archive - Untrusted; at most {@link MAX_ARCHIVE_BYTES}.
 * @throws {@link ProtocolError} `bundle_invalid`, `too_large`.
 */
export async function unpackFiles(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  if (archive.length !== sizeClass(archive.length)) {
    throw new ProtocolError('bundle_invalid', 'archive has no allowed size');
  }
  const files = new Map<string, Uint8Array>();
  for (const { header, data } of await readEntries(archive)) {
    files.set(header.name, data ?? new Uint8Array());
  }
  if (!isSame(await packFiles(files), archive)) {
    throw new ProtocolError('bundle_invalid', 'archive is not in its canonical form');
  }
  return files;
}

async function readEntries(archive: Uint8Array): ReturnType<typeof unpackWithLibrary> {
  const seen = new Set<string>();
  const filter = (header: { name: string; type?: string | undefined; pax?: unknown }): boolean => {
    if (header.type !== 'file' || header.pax !== undefined) {
      throw new ProtocolError('bundle_invalid', 'archive holds something else than plain files');
    }
    checkName(header.name);
    if (seen.has(header.name)) throw new ProtocolError('bundle_invalid', 'file name twice');
    if (seen.size === MAX_FILES) throw new ProtocolError('bundle_invalid', 'too many files');
    seen.add(header.name);
    return true;
  };
  try {
    return await unpackWithLibrary(archive, { strict: true, filter });
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('bundle_invalid', 'not an archive');
  }
}

function checkName(name: string): void {
  if (!fileName.safeParse(name).success) {
    throw new ProtocolError('bundle_invalid', 'file name in an archive breaks the grammar');
  }
}

/** Both are already in the attacker's hands, so this may stop early, and it has to be fast. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const [ours, theirs] = [words(a), words(b)];
  for (let index = 0; index < ours.length; index++) {
    if (ours[index] !== theirs[index]) return false;
  }
  return true;
}

/** Four bytes at a time. @param archive - Of a size class: a multiple of four. */
function words(archive: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } =
    archive.byteOffset % 4 === 0 ? archive : new Uint8Array(archive);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** @throws {@link ProtocolError} `bundle_invalid` unless there is one of that name. */
export function getFile(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new ProtocolError('bundle_invalid', 'a file is missing');
  return bytes;
}
