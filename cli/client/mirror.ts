import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readFileBounded } from '../../platform/read-file.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { ProblemError, TemporaryError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { hasErrorCode, writeAtomically } from '../home/files.ts';
import { readBody, sendRequest, type NetworkContext } from './http.ts';

/**
 * A place besides the server where officers' publications are put: a folder, or an address that
 * takes PUT and answers GET.
 *
 * Nothing that is read from one is believed; what is in it is signed, and whoever reads verifies.
 */
export interface Mirror {
  /** As the person named it. */
  readonly name: string;
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** `undefined` when it has no such file. */
  find(path: string): Promise<Uint8Array | undefined>;
}

/** Longer than any publication. */
const MAX_BYTES = 262_144;
const TIMEOUT_MS = 10_000;

/**
 * @param target - A folder, or a URL without query: https, or http to this machine.
 * @throws {@link UsageError} for any other URL.
 */
export function openMirror(context: NetworkContext, target: string): Mirror {
  return /^[a-z]+:\/\//i.test(target) ? httpMirror(context, target) : folderMirror(target);
}

/**
 * Where a publication lies in a mirror. Opaque to whoever does not hold the plan.
 *
 * @param planDigest - SHA-256 of plan.txt, 64 hex digits.
 */
export function publicationPath(
  planDigest: string,
  officer: string,
  of: 'release' | 'closing' | 'release-key',
): string {
  return `${planDigest}/${officer}.${of}.json`;
}

function folderMirror(target: string): Mirror {
  const folder = resolve(target);
  return {
    name: target,
    async put(path, bytes) {
      try {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeAtomically(join(folder, path), bytes);
      } catch (error) {
        throw unusable(target, error);
      }
    },
    async find(path) {
      try {
        return await readFileBounded(join(folder, path), MAX_BYTES);
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return undefined;
        throw unusable(target, error);
      }
    },
  };
}

/** A full disk or a folder of somebody else's is trouble with one mirror, not the end of an agent. */
function unusable(target: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error) || error instanceof ProtocolError) return error;
  const why = `the folder ${target} cannot be used (${String(error.code)})`;
  return new TemporaryError(why, 'check its disk and its permissions', { cause: error });
}

function httpMirror(context: NetworkContext, target: string): Mirror {
  const base = formatServerUrl(parseServerUrl(target));
  const urlOf = (path: string): URL => new URL(`${base}/${path}`);
  return {
    name: target,
    async put(path, bytes) {
      await sendRequest(context, {
        method: 'PUT',
        url: urlOf(path),
        contentType: 'application/json',
        body: () => new Uint8Array(bytes),
        timeoutMs: TIMEOUT_MS,
      }).then((answer) => readBody(answer, MAX_BYTES));
    },
    async find(path) {
      try {
        const request = { method: 'GET' as const, url: urlOf(path), timeoutMs: TIMEOUT_MS };
        return await readBody(await sendRequest(context, request), MAX_BYTES);
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}
