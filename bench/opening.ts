import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { openAge } from '../platform/age.ts';
import { open } from '../protocol/embargo/age.ts';
import { openBundle } from '../protocol/embargo/bundle.ts';
import { sealCampaign } from '../test/protocol/embargo/sealed-campaign.ts';
import { formatTable, median } from './table.ts';

/** What was done with the ciphertext, and how many of its bytes a second in each round. */
interface OpeningRate {
  readonly what: string;
  readonly bytesPerSecond: readonly number[];
}

export interface OpeningTimes {
  /** Of the ciphertext. */
  readonly bytes: number;
  /** SHA-256 first: what all others are compared with. */
  readonly rates: readonly OpeningRate[];
}

/**
 * Open a patch as an operator does at T0, beside hashing its ciphertext once, in turn.
 *
 * @param bytes - Of each artifact; a bundle is padded to a power of two.
 */
export async function measureOpening(bytes: number, count: number): Promise<OpeningTimes> {
  const { plan, ciphertexts, keys } = await sealCampaign({ artifactBytes: bytes });
  const [variant = '', ciphertext = new Uint8Array()] = [...ciphertexts.bundles][0] ?? [];
  const { identity } = keys.release;
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-bench-opening-'));
  try {
    const [file, key] = [join(directory, 'bundle.age'), join(directory, 'release.key')];
    await writeFile(file, ciphertext);
    await writeFile(key, `${identity}\n`);
    const stock = ['-d', '-i', key, '-o', '/dev/null', file];
    const all: [what: string, run: () => unknown][] = [
      ['crypto.hash of the ciphertext, SHA-256', () => hash('sha256', ciphertext)],
      ['decrypted by the library', () => open(ciphertext, identity)],
      ['decrypted by OpenSSL', () => openAge(ciphertext, identity)],
      [
        'opened: hashed, decrypted, unpacked, every file hashed',
        () => openBundle(ciphertext, identity, plan, variant, openAge),
      ],
    ];
    if (await hasAge()) all.push(['age -d, a process', () => promisify(execFile)('age', stock)]);
    const times = all.map(([what, run]) => ({ what, run, bytesPerSecond: [] as number[] }));
    for (const { run } of times) await run();
    for (let i = 0; i < count; i++) {
      for (const { run, bytesPerSecond } of times) {
        const start = performance.now();
        await run();
        bytesPerSecond.push((ciphertext.length * 1000) / (performance.now() - start));
      }
    }
    return { bytes: ciphertext.length, rates: times };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function hasAge(): Promise<boolean> {
  return promisify(execFile)('age', ['--version']).then(
    () => true,
    () => false,
  );
}

export function openingReport({ bytes, rates }: OpeningTimes): string {
  const [hashing] = rates;
  const rounds = hashing?.bytesPerSecond.length ?? 0;
  const table = formatTable([
    ['', 'MB a second', 'x SHA-256'],
    ...rates.map(({ what, bytesPerSecond }) => [
      what,
      (median(bytesPerSecond) / 1e6).toFixed(0),
      median(
        bytesPerSecond.map((rate, i) => rate / (hashing?.bytesPerSecond[i] ?? Number.NaN)),
      ).toFixed(2),
    ]),
  ]);
  return `A patch of ${(bytes / 1e6).toFixed(0)} MB is opened: median of ${rounds} rounds, in turn\n\n${table}`;
}
