import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import * as openpgp from 'openpgp';
import { combine } from 'shamir-secret-sharing';

import { open } from '../../../protocol/embargo/age.ts';

/** What somebody gets out of files that were taken. */
export interface Loot {
  /** Everything that could be opened. */
  readonly opened: readonly Buffer[];
  /** What is encrypted and stayed closed. */
  readonly closed: number;
  /** age identities, found as they are, in what was opened, or made of shares. */
  readonly identities: ReadonlySet<string>;
  /** Share documents that came to light. */
  readonly shares: number;
}

const AGE = Buffer.from('age-encryption.org/v1\n');
const SHARE = /^sealdrop-document\/v1\ntype: share\n[\s\S]*"share": ?"([A-Za-z0-9+/]+=*)"/;
const IDENTITY = /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/g;
const BASE64 = /[A-Za-z0-9+/]{100,}={0,2}/g;
const PGP = /-----BEGIN PGP (MESSAGE|PRIVATE KEY BLOCK)-----[\s\S]+?-----END PGP \1-----/g;

/** Every file below folders that are copies, and every text in their SQLite databases. */
export async function takeFiles(...folders: readonly string[]): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  const databases: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) taken.push(await readFile(path));
      if (entry.name.endsWith('.sqlite')) databases.push(path);
    }
  }
  // Opening one recovers it and changes files beside it, so that comes last.
  return [...taken, ...databases.flatMap(textsIn)];
}

function textsIn(path: string): Buffer[] {
  const database = new Database(path);
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return (tables as { name: string }[])
      .flatMap(({ name }) => {
        const rows = database.prepare(`SELECT * FROM ${name}`).raw().all() as unknown[][];
        return rows.flat().filter((it) => typeof it === 'string');
      })
      .map((it) => Buffer.from(it));
  } finally {
    database.close();
  }
}

/**
 * Try everything that the files allow: every key found on every ciphertext found, also inside what
 * that opens and inside base64, and every combination of shares, until nothing new comes of it.
 */
export async function plunder(files: readonly Buffer[]): Promise<Loot> {
  const seen = new Set<string>();
  const opened: Buffer[] = [];
  const ages = new Set<Buffer>();
  const messages = new Set<string>();
  const privateKeys = new Set<string>();
  const identities = new Set<string>();
  const shares = new Map<string, Uint8Array>();

  const look = (bytes: Buffer): void => {
    const text = bytes.toString('latin1');
    if (seen.has(text)) return;
    seen.add(text);
    if (bytes.subarray(0, AGE.length).equals(AGE)) {
      ages.add(bytes);
      return;
    }
    for (const [identity] of text.matchAll(IDENTITY)) identities.add(identity);
    for (const [block, kind] of text.replaceAll('\\n', '\n').matchAll(PGP)) {
      (kind === 'MESSAGE' ? messages : privateKeys).add(block);
    }
    const share = SHARE.exec(text)?.[1];
    if (share !== undefined) shares.set(share, new Uint8Array(Buffer.from(share, 'base64')));
    for (const [encoded] of text.matchAll(BASE64)) look(Buffer.from(encoded, 'base64'));
  };
  const tell = (plaintext: Uint8Array): void => {
    opened.push(Buffer.from(plaintext));
    look(Buffer.from(plaintext));
  };

  for (const file of files) look(file);
  for (const message of messages) {
    for (const key of privateKeys) await decrypt(message, key).then(tell, () => undefined);
  }
  const tried = new Set<string>();
  for (let before = -1; before !== identities.size + ages.size + shares.size;) {
    before = identities.size + ages.size + shares.size;
    for (const identity of identities) {
      for (const age of ages) {
        const attempt = `${identity} ${[...ages].indexOf(age)}`;
        if (tried.has(attempt)) continue;
        tried.add(attempt);
        await open(new Uint8Array(age), identity).then(tell, () => undefined);
      }
    }
    for (const some of subsets([...shares.values()])) {
      const made = await combine([...some]).catch(() => new Uint8Array());
      look(Buffer.from(made));
    }
  }
  const closed = ages.size + messages.size - opened.length;
  return { opened, closed, identities, shares: shares.size };
}

/** Lengths of what is encrypted: age files, also in base64, and OpenPGP messages. */
export function encryptedIn(files: readonly Buffer[]): { ages: number[]; armored: number[] } {
  const ages = new Set<string>();
  const armored = new Set<string>();
  for (const file of files) {
    for (const bytes of [file, Buffer.from(file.toString('latin1'), 'base64')]) {
      if (bytes.subarray(0, AGE.length).equals(AGE)) ages.add(bytes.toString('latin1'));
    }
    const text = file.toString('latin1');
    if (text.startsWith('-----BEGIN PGP MESSAGE-----')) armored.add(text);
  }
  const lengths = (texts: Set<string>): number[] => [...texts].map(({ length }) => length);
  return { ages: lengths(ages), armored: lengths(armored) };
}

async function decrypt(message: string, key: string): Promise<Uint8Array> {
  const decrypted: openpgp.DecryptMessageResult = await openpgp.decrypt({
    message: await openpgp.readMessage({ armoredMessage: message }),
    decryptionKeys: await openpgp.readPrivateKey({ armoredKey: key }),
    format: 'binary',
  });
  const data: unknown = decrypted.data;
  if (data instanceof Uint8Array) return data;
  throw new TypeError('text where bytes were asked for');
}

/** Every choice of two or more. */
function subsets<T>(all: readonly T[]): (readonly T[])[] {
  const choices = Array.from({ length: 2 ** all.length }, (_, bits) =>
    all.filter((__, index) => (bits >> index) % 2 === 1),
  );
  return choices.filter(({ length }) => length >= 2);
}
