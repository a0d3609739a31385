import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileDurably } from '../../platform/files.ts';
import {
  readFileBounded,
  readFileBoundedSync,
  readSecretFileSync,
} from '../../platform/read-file.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { CliError, TemporaryError } from '../errors.ts';

/** Nothing in a home is longer but ciphertext: stake snapshots are the longest. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Whether a file system call failed in this way, such as `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The file's bytes, or `undefined` when it does not exist. */
export function findFile(path: string, maxBytes = MAX_FILE_BYTES): Promise<Uint8Array | undefined> {
  return Promise.try(orAbsent, () => readFileBoundedSync(path, maxBytes));
}

/** A secret's bytes, or `undefined` when there is none; refused when others may read it. */
export function findSecret(path: string): Promise<Uint8Array | undefined> {
  return Promise.try(orAbsent, () => readSecretFileSync(path));
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
  await inItsFolder(path, () => writeFileDurably(path, bytesOf(content), { mode }));
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
  try {
    await inItsFolder(path, () =>
      writeFileDurably(path, bytesOf(content), { mode, overwrite: false }),
    );
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    throw new CliError(`${path} exists already`, 'nothing was overwritten; choose another place', {
      cause: error,
    });
  }
}

/** Do something with a file; its folder is made only when it turns out to be missing. */
async function inItsFolder<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return action();
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
  for (
    let attempt = 0;
    !(await inItsFolder(path, () => Promise.try(takeLock, path)));
    attempt += 1
  ) {
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
    rmSync(path, { force: true });
  }
}

function takeLock(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  }
}
