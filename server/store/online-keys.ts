import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { writeSecretFile } from '../../platform/files.ts';
import { readSecretFileSync } from '../../platform/read-file.ts';
import { fromHex, toHex, utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { Ed25519PublicKey, Signer } from '../../protocol/signature/ed25519.ts';

/** The roles whose keys a root may renew while the server runs. */
export const ONLINE_ROLES = ['snapshot', 'timestamp'] as const;
export type OnlineRole = (typeof ONLINE_ROLES)[number];

/** `snapshot.seed`, then `snapshot.2.seed`, and so on: which one counts is for the root to say. */
const NAME = /^(snapshot|timestamp)(?:\.([2-9]|[1-9]\d{1,3}))?\.seed$/;

/** Every key of one role in this directory, the oldest first. */
export async function listOnlineKeys(directory: string, role: OnlineRole): Promise<Signer[]> {
  const numbers = await numbersOf(directory, role);
  return numbers.map((number) => {
    const text = utf8Decode(readSecretFileSync(join(directory, nameOf(role, number))));
    return signerFromSeed(fromHex(text.trimEnd(), 32));
  });
}

/** The key of a role that a root names. @throws Error when it is not here. */
export async function getOnlineKey(
  directory: string,
  role: OnlineRole,
  publicKey: Ed25519PublicKey,
): Promise<Signer> {
  const found = (await listOnlineKeys(directory, role)).find((it) => it.publicKey === publicKey);
  if (found === undefined) throw new Error(`the ${role} key that the root names is not here`);
  return found;
}

/** Make one more key for each role, for the next root to name. The one in force stays in force. */
export async function renewOnlineKeys(directory: string): Promise<void> {
  for (const role of ONLINE_ROLES) {
    const last = (await numbersOf(directory, role)).at(-1) ?? 0;
    const seed = utf8Encode(`${toHex(generateSeed())}\n`);
    await writeSecretFile(join(directory, nameOf(role, last + 1)), seed);
  }
}

async function numbersOf(directory: string, role: OnlineRole): Promise<number[]> {
  return (await readdir(directory))
    .map((name) => NAME.exec(name))
    .filter((match) => match?.[1] === role)
    .map((match) => Number(match?.[2] ?? 1))
    .sort((a, b) => a - b);
}

function nameOf(role: OnlineRole, number: number): string {
  return number === 1 ? `${role}.seed` : `${role}.${number}.seed`;
}
