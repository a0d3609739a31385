import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { signerFromSeed } from '../../platform/ed25519.ts';
import { fromHex, toHex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { hex64, parseShape } from '../../protocol/encoding/shape.ts';
import { cosigner } from '../../protocol/signature/cosigner.ts';
import type { Cosigner } from '../../protocol/signature/cosigner.ts';
import { formatVerifierKey, NOTE_COSIGNATURE } from '../../protocol/signature/verifier-key.ts';
import { CliError } from '../errors.ts';
import { findSecret, writeNew } from '../home/files.ts';
import { createMemory } from './memory.ts';

const witnessJson = z.strictObject({
  format: z.literal('sealdrop-witness/v1'),
  name: z.string().max(200),
  seed: hex64,
});

/** Where things are in the folder of a witness. */
export const memoryPath = (directory: string): string => join(directory, 'memory.sqlite');
const keyPath = (directory: string): string => join(directory, 'witness.json');

/**
 * Make the key of a witness and its empty memory.
 *
 * The key is written last: a folder with a key has a memory, and keeps it.
 *
 * @throws {@link CliError} when there is a key already; ProtocolError `key_invalid` for a bad name.
 */
export async function makeWitness(directory: string, name: string): Promise<Cosigner> {
  const seed = new Uint8Array(randomBytes(32));
  const made = cosigner(name, signerFromSeed(seed));
  if ((await findSecret(keyPath(directory))) !== undefined) {
    throw new CliError(`${directory} is a witness already`, 'nothing was changed');
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  createMemory(memoryPath(directory));
  const json = JSON.stringify({ format: 'sealdrop-witness/v1', name, seed: toHex(seed) });
  await writeNew(keyPath(directory), utf8Encode(`${json}\n`), 0o600);
  return made;
}

/** @throws {@link CliError} when the folder is not that of a witness. */
export async function readWitness(directory: string): Promise<Cosigner> {
  const bytes = await findSecret(keyPath(directory));
  if (bytes === undefined) {
    throw new CliError(
      `${directory} is not the folder of a witness`,
      `run: sealdrop witness init --dir ${directory} --name NAME`,
    );
  }
  const what = `key file ${keyPath(directory)}`;
  const { name, seed } = parseShape(witnessJson, parseJson(bytes, 4096), 'encoding_invalid', what);
  return cosigner(name, signerFromSeed(fromHex(seed, 32)));
}

/** Its public key, for a policy. */
export function vkeyOf({ name, publicKey }: Cosigner): string {
  return formatVerifierKey(name, NOTE_COSIGNATURE, publicKey);
}
