import { copyFile, mkdir, open, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readFileBounded } from '../../platform/read-file.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { ProblemError, TemporaryError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { hasErrorCode, writeAtomically } from '../home/files.ts';
import { fileBody, transferTimeoutMs } from './download.ts';
import { readBody, sendRequest, type HttpAnswer, type NetworkContext } from './http.ts';

/**
 * A place besides the server where officers' publications are put: a folder, or an address that
 * takes PUT and answers GET.
 *
 * ```
 * <plan digest>/<officer>.<release | closing | release-key>.json    what agents publish
 * bundles/<sha256>.age                                              ciphertext
 * sealed/<sha256>.age                                               see {@link sealedPath}
 * ```
 *
 * Nothing that is read from one is believed; what is in it is signed, and whoever reads verifies.
 */
export interface Mirror {
  /** As the person named it. */
  readonly name: string;
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Bring ciphertext, read from a file while it is sent. */
  putBundle(bundle: PlannedBundle, path: string): Promise<void>;
  /**
   * @param maxBytes - Of a publication by default.
   * @returns `undefined` when it has no such file.
   */
  find(path: string, maxBytes?: number): Promise<Uint8Array | undefined>;
  /**
   * Ask for ciphertext: `bundles/<sha256>.age`, as a record and DIR/sealed have it.
   *
   * @throws {@link ProblemError} with status 404 when it is not there, or as {@link sendRequest} does.
   */
  askForBundle(bundle: PlannedBundle): Promise<Pick<HttpAnswer, 'chunks'>>;
}

/** Ciphertext as a plan commits to it; `size` in bytes says how long getting it may take. */
export interface PlannedBundle {
  readonly sha256: string;
  readonly size: number;
}

/** Longer than any publication. */
const MAX_BYTES = 262_144;
const TIMEOUT_MS = 10_000;
const BINARY = 'application/octet-stream';

/**
 * @param target - A folder, or a URL without query: https, or http to this machine.
 * @throws {@link UsageError} for any other URL.
 */
export function openMirror(context: NetworkContext, target: string): Mirror {
  return /^[a-z]+:\/\//i.test(target) ? httpMirror(context, target) : folderMirror(target);
}

/**
 * Mirrors by what a person gave and by what plans name, each once.
 *
 * @param plans - Verified, or kept by whoever verified them.
 */
export function openMirrors(
  context: NetworkContext,
  given: readonly string[],
  ...plans: readonly Pick<Plan, 'mirrors'>[]
): readonly Mirror[] {
  const targets = new Set([...given, ...plans.flatMap(({ mirrors = [] }) => mirrors)]);
  return [...targets].map((target) => openMirror(context, target));
}

/**
 * Where a publication lies in a mirror. Opaque to whoever does not hold the plan.
 *
 * @param planDigest - SHA-256 of plan.txt, 64 hex digits.
 */
export function publicationPath(
  planDigest: string,
  officer: string,
  of: KeyName | 'release-key',
): string {
  return `${planDigest}/${officer}.${of}.json`;
}

/** What lies on mirrors besides, age files all of them. */
export type SealedName = 'decisions' | 'signatures';

/**
 * Where an officer's copy of a sealed file lies in a mirror. The name tells neither campaign nor officer
 * nor what it is, as it is there before T0; whoever holds the plan can compute it.
 *
 * @param planDigest - Of the first revision for `decisions`, else of the revision it belongs to.
 */
export function sealedPath(of: SealedName, planDigest: string, officer: string): string {
  const text = `sealdrop-mirror/v1\n${of} ${planDigest} ${officer}\n`;
  return `sealed/${sha256Hex(utf8Encode(text))}.age`;
}

const bundlePath = (sha256: string): string => `bundles/${sha256}.age`;

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
    async putBundle({ sha256 }, path) {
      const file = join(folder, bundlePath(sha256));
      try {
        await mkdir(dirname(file), { recursive: true });
        // Its final name is for what is whole.
        await copyFile(path, `${file}.part`);
        await rename(`${file}.part`, file);
      } catch (error) {
        throw unusable(target, error);
      }
    },
    async find(path, maxBytes = MAX_BYTES) {
      try {
        return await readFileBounded(join(folder, path), maxBytes);
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return undefined;
        throw unusable(target, error);
      }
    },
    async askForBundle({ sha256 }) {
      try {
        const file = await open(join(folder, bundlePath(sha256)));
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          try {
            for await (const chunk of file.createReadStream()) yield chunk as Buffer;
          } catch (error) {
            throw unusable(target, error);
          }
        };
        return { chunks };
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) {
          throw new ProblemError(404, 'not_found', `${target} does not have it`);
        }
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
        contentType: path.endsWith('.json') ? 'application/json' : BINARY,
        body: () => new Uint8Array(bytes),
        timeoutMs: TIMEOUT_MS,
      }).then((answer) => readBody(answer, MAX_BYTES));
    },
    async putBundle({ sha256 }, path) {
      const { size, body } = await fileBody(path);
      const timeoutMs = transferTimeoutMs(size);
      const url = urlOf(bundlePath(sha256));
      const request = { method: 'PUT' as const, url, contentType: BINARY, body, timeoutMs };
      await readBody(await sendRequest(context, request), MAX_BYTES);
    },
    async find(path, maxBytes = MAX_BYTES) {
      try {
        const request = { method: 'GET' as const, url: urlOf(path), timeoutMs: TIMEOUT_MS };
        return await readBody(await sendRequest(context, request), maxBytes);
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return undefined;
        throw error;
      }
    },
    askForBundle({ sha256, size }) {
      const url = urlOf(bundlePath(sha256));
      return sendRequest(context, { method: 'GET', url, timeoutMs: transferTimeoutMs(size) });
    },
  };
}
