import { z } from 'zod';
import { parseJson } from '../../protocol/encoding/json.ts';
import { hex64, parseShape } from '../../protocol/encoding/shape.ts';
import { UsageError } from '../errors.ts';
import { findFile, writeAtomically } from './files.ts';

/** What `trust add` fixed: whom this home speaks to, and the root of trust it believes. */
export interface Config {
  /** Base URL without a trailing slash, exactly as the server knows itself. */
  readonly server: string;
  /** SHA-256 of `1.root.json`, the pin. */
  readonly rootSha256: string;
}

const configJson = z.strictObject({
  format: z.literal('sealdrop-config/v1'),
  server: z.string().max(256),
  rootSha256: hex64,
});

export async function findConfig(path: string): Promise<Config | undefined> {
  const bytes = await findFile(path);
  if (bytes === undefined) return undefined;
  const { server, rootSha256 } = parseShape(
    configJson,
    parseJson(bytes, 16_384),
    'encoding_invalid',
    'config.json',
  );
  return { server, rootSha256 };
}

export async function writeConfig(path: string, config: Config): Promise<void> {
  const json = { format: 'sealdrop-config/v1', ...config };
  await writeAtomically(path, `${JSON.stringify(json, null, 2)}\n`);
}

/**
 * A server's base URL in its one form: no trailing slash, no user, no query.
 *
 * Plain http only to this machine: who runs a campaign is nobody's business on the wire.
 *
 * @throws {@link UsageError} for anything else.
 */
export function parseServerUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`"${text}" is not a URL`, 'for example https://host');
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) {
    throw new UsageError(`${url.protocol}// is not accepted for ${url.host}`, 'use https://');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError('a server URL has no user, query or fragment', 'give scheme, host, path');
  }
  return url;
}

/** The URL as stored and as proofs name it. */
export function formatServerUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
