import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { lstat, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

// Small files are written at once: through Node's thread pool the same calls cost three times the CPU.

/** Windows cannot flush a folder, and flushes only what it may write. */
const IS_WINDOWS = process.platform === 'win32';

/** The output folder is there already and holds something, or is something else. */
export class OutputExistsError extends Error {
  override readonly name = 'OutputExistsError';
}

/**
 * Write a file that a power cut leaves either as it was or whole, never in between.
 *
 * Once this resolves the file survives a crash. When it throws, the old file is still there, unless
 * flushing the folder was what failed: then either one may be.
 *
 * @param options.mode - Permission bits, 0o644 by default, less the process's umask.
 * @param options.overwrite - `true` by default; with `false` an existing file fails with `EEXIST`,
 *   also when it appears meanwhile.
 */
export function writeFileDurably(
  path: string,
  bytes: Uint8Array,
  options: { mode?: number; overwrite?: boolean } = {},
): Promise<void> {
  return Promise.try(writeDurably, path, bytes, options);
}

function writeDurably(
  path: string,
  bytes: Uint8Array,
  { mode = 0o644, overwrite = true }: { mode?: number; overwrite?: boolean },
): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    writeNewFile(temporary, bytes, mode);
    if (overwrite) renameSync(temporary, path);
    else linkNew(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushFolderNow(folder);
}

/** Write a file that only its owner can read, durably; an existing one is not replaced unasked. */
export async function writeSecretFile(
  path: string,
  bytes: Uint8Array,
  { overwrite = false }: { overwrite?: boolean } = {},
): Promise<void> {
  await writeFileDurably(path, bytes, { mode: 0o600, overwrite });
}

/**
 * Make a folder that appears whole or not at all.
 *
 * `fill` works in a folder beside `out` that only the owner can enter. Once it resolves, everything
 * in there is flushed and the folder takes its place; when it throws, the folder is removed.
 *
 * @param out - Absent, or an empty folder other than the current one; its parent exists.
 * @throws {OutputExistsError} otherwise, also when something appears there meanwhile.
 */
export async function withOutputDirectory(
  out: string,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  const target = resolve(out);
  const isThere = await checkOutput(target);
  const staging = await mkdtemp(join(dirname(target), `.${basename(target)}.`));
  try {
    await fill(staging);
    flushTree(staging);
    await takePlace(staging, target, isThere);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  flushFolderNow(dirname(target));
}

/** Tell whether `target` is there, and refuse it unless it is a folder that can be replaced. */
async function checkOutput(target: string): Promise<boolean> {
  // A shell that stands in a folder would not see the one that replaces it.
  if (target === resolve('.')) {
    throw new OutputExistsError('the output cannot be the current folder; name a new one');
  }
  const found = await lstat(target).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (found === undefined) return false;
  if (!found.isDirectory()) throw new OutputExistsError(`${target} is not a folder`);
  if ((await readdir(target)).length > 0) throw new OutputExistsError(`${target} is not empty`);
  return true;
}

/** Both calls refuse to remove anything but an empty folder, so nothing is lost in a race. */
async function takePlace(staging: string, target: string, isThere: boolean): Promise<void> {
  try {
    if (isThere) await rmdir(target);
    await rename(staging, target);
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST') || hasCode(error, 'ENOTDIR')) {
      throw new OutputExistsError(`${target} has appeared meanwhile`, { cause: error });
    }
    throw error;
  }
}

/** Put a finished file where none may be. */
function linkNew(temporary: string, path: string): void {
  linkSync(temporary, path);
  rmSync(temporary, { force: true });
}

function writeNewFile(path: string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Flush every file and folder under `directory`, itself included. */
function flushTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) flushTree(path);
    else if (entry.isFile()) flush(path);
  }
  flushFolderNow(directory);
}

/** Make names in a folder survive a power cut. Does nothing on Windows, which has no way to. */
export function flushFolder(path: string): Promise<void> {
  return Promise.try(flushFolderNow, path);
}

function flushFolderNow(path: string): void {
  if (!IS_WINDOWS) flush(path);
}

function flush(path: string): void {
  const handle = openSync(path, IS_WINDOWS ? 'r+' : 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
