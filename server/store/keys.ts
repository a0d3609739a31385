import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { writeSecretFile } from '../../platform/files.ts';
import { readSecretFileSync } from '../../platform/read-file.ts';
import {
  fromHex,
  toBase64Url,
  toHex,
  utf8Decode,
  utf8Encode,
} from '../../protocol/encoding/bytes.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import type { TokenKeys } from '../services/session/tokens.ts';
import { listOnlineKeys, renewOnlineKeys, type OnlineRole } from './online-keys.ts';

/** The server's own keys, one a purpose. None of them can open or approve anything. */
export interface ServerKeys {
  readonly log: Signer;
  /** The newest of each; which one is in force, the root says. */
  readonly snapshot: Signer;
  readonly timestamp: Signer;
  readonly token: Signer & TokenKeys;
  /** From which every dummy of the log is derived; lost, they could never be opened. */
  readonly dummies: Uint8Array;
}

/** Read the keys in `directory`, making those that are not there yet. Files are for the owner only. */
export async function openKeys(directory: string): Promise<ServerKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const seed = (name: string): Promise<Uint8Array> => readOrMake(join(directory, `${name}.seed`));
  return {
    log: signerFromSeed(await seed('log')),
    snapshot: await newest(directory, 'snapshot', seed),
    timestamp: await newest(directory, 'timestamp', seed),
    token: tokenKeys(await seed('token')),
    dummies: await seed('dummies'),
  };
}

async function newest(
  directory: string,
  role: OnlineRole,
  make: (name: string) => Promise<Uint8Array>,
): Promise<Signer> {
  const first = await make(role);
  return (await listOnlineKeys(directory, role)).at(-1) ?? signerFromSeed(first);
}

/** The same, after making new keys for the online roles. */
export async function renewKeys(directory: string): Promise<ServerKeys> {
  await openKeys(directory);
  await renewOnlineKeys(directory);
  return openKeys(directory);
}

async function readOrMake(path: string): Promise<Uint8Array> {
  try {
    return fromHex(utf8Decode(readSecretFileSync(path)).trimEnd(), 32);
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!absent) throw error;
  }
  const seed = generateSeed();
  await writeSecretFile(path, utf8Encode(`${toHex(seed)}\n`));
  return seed;
}

function tokenKeys(seed: Uint8Array): Signer & TokenKeys {
  const signer = signerFromSeed(seed);
  const privateKey = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: toBase64Url(seed),
      x: toBase64Url(fromHex(signer.publicKey, 32)),
    },
  });
  return { ...signer, privateKey, publicKeyObject: createPublicKey(privateKey) };
}
