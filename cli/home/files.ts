import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readFileBounded, readSecretFile, writeFileDurably } from '../../platform/files.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { CliError, TemporaryError } from '../errors.ts';

/** Nothing in a home is longer: stake snapshots are the longest. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Whether a file system call failed in this way, such as `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The file's bytes, or `undefined` when it does not exist. */
export function findFile(path: string): Promise<Uint8Array | undefined> {
  return orAbsent(readFileBounded(path, MAX_FILE_BYTES));
}

/** A secret's bytes, or `undefined` when there is none; refused when others may read it. */
export function findSecret(path: string): Promise<Uint8Array | undefined> {
  return orAbsent(readSecretFile(path));
}

/** The bytes of a file that a person named, at most `maxBytes` of them. */
export async function readInputFile(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    return await readFileBounded(path, maxBytes);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      throw new CliError(`${path} does not exist`, 'check the path', { cause: error });
    }
    if (hasErrorCode(error, 'EISDIR')) {
      throw new CliError(`${path} is a folder`, 'name a file', { cause: error });
    }
    if (hasErrorCode(error, 'EACCES')) {
      throw new CliError(`${path} may not be read`, 'check its permissions', { cause: error });
    }
    throw error;
  }
}

/** Replace a file durably, making the folders on the way. `0o600` for what is secret. */
export async function writeAtomically(
  path: string,
  content: Uint8Array | string,
  mode = 0o644,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileDurably(path, bytesOf(content), { mode });
}

/**
 * Write a file that must not be there yet, durably.
 *
 * @throws {@link CliError} when it is; it is left as it was then.
 */
export async function writeNew(
  path: string,
  content: Uint8Array | string,
  mode = 0o644,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFileDurably(path, bytesOf(content), { mode, overwrite: false });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    throw new CliError(`${path} exists already`, 'nothing was overwritten; choose another place', {
      cause: error,
    });
  }
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? utf8Encode(content) : content;
}

const LOCK_ATTEMPTS = 100;
const LOCK_PAUSE_MS = 20;

/**
 * Run `action` while no other process does so for the same `path`.
 *
 * A lock file, held for milliseconds. One left behind by a crash is named in the error rather than
 * guessed away: stealing a lock that is in use would let remembered state go backwards.
 */
export async function withLock<T>(
  path: string,
  sleep: (ms: number) => Promise<void>,
  action: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (let attempt = 0; !(await takeLock(path)); attempt += 1) {
    if (attempt === LOCK_ATTEMPTS) {
      throw new TemporaryError(
        `another sealdrop holds ${path}`,
        'repeat the command; if no other sealdrop runs here, delete that file',
      );
    }
    await sleep(LOCK_PAUSE_MS);
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  }
}
