import { z } from 'zod';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseJson } from '../../../protocol/encoding/json.ts';
import { campaignId, parseShape, safeCount } from '../../../protocol/encoding/shape.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { formatVerifierKey, type NoteVerifier } from '../../../protocol/signature/verifier-key.ts';
import { findFile, withLock, writeAtomically } from '../../home/files.ts';
import type { Home } from '../../home/home.ts';
import type { SignedState } from '../succession.ts';
import { openAccounts, type Accounts } from '../tree/accounts.ts';
import type { LeafCounts } from '../tree/check-tree.ts';

/** Up to where a log has been audited: every leaf before was read. */
export interface Progress extends SignedState {
  /** Leaves by type. */
  readonly counts: LeafCounts;
  /** What became of the sealed ones. */
  readonly accounts: Accounts;
  readonly disclosures: readonly SeenDisclosure[];
  /** Statements in it that name a checkpoint which it never had. */
  readonly contradicted: number;
}

/** A leaf that discloses a campaign. */
export interface SeenDisclosure {
  readonly campaign: string;
  readonly index: number;
  /** When this home first saw it, in Unix milliseconds. */
  readonly seenAt: number;
}

/** What this home has audited of one log, wherever it was read from. */
export interface ProgressFile {
  /** @throws {@link ProtocolError} when the file was changed: its note is verified again. */
  read(): Promise<Progress | undefined>;
  /** Replace it durably; not by one that is less far, which another process may have passed. */
  write(progress: Progress): Promise<void>;
}

/** Mostly runs of leaves with one end: a few kilobytes for each campaign. */
const MAX_BYTES = 64 * 1024 * 1024;

const progressJson = z.strictObject({
  format: z.literal('sealdrop-audit/v1'),
  note: z.string().max(131_072),
  counts: z.partialRecord(
    z.enum([
      'commitment',
      'snapshot',
      'sealed',
      'root',
      'disclosure',
      'opened',
      'dummy',
      'withheld',
    ]),
    safeCount,
  ),
  accounts: z.strictObject({ runs: z.string(), reasons: z.array(z.string().max(32)) }),
  disclosures: z.array(
    z.strictObject({ campaign: campaignId, index: safeCount, seenAt: safeCount }),
  ),
  contradicted: safeCount,
});

/** One file per log key in `audits/`. */
export function openProgress(
  home: Home,
  log: NoteVerifier,
  sleep: (ms: number) => Promise<void>,
): ProgressFile {
  const vkey = formatVerifierKey(log.name, log.type, log.publicKey);
  const path = home.path('audits', `${sha256Hex(utf8Encode(vkey)).slice(0, 16)}.json`);

  const read = async (): Promise<Progress | undefined> => {
    const bytes = await findFile(path);
    if (bytes === undefined) return undefined;
    const json = parseJson(bytes, MAX_BYTES);
    const parsed = parseShape(progressJson, json, 'encoding_invalid', 'audit progress');
    const checkpoint = openCheckpoint(parsed.note, log.name, [log], verifyEd25519);
    return { ...parsed, checkpoint, accounts: openAccounts(parsed.accounts) };
  };

  return {
    read,
    async write({ checkpoint, note, counts, accounts, disclosures, contradicted }) {
      await withLock(`${path}.lock`, sleep, async () => {
        const before = await read();
        if (before !== undefined && before.checkpoint.size > checkpoint.size) return;
        const json = {
          format: 'sealdrop-audit/v1',
          note,
          counts,
          accounts: accounts.encode(checkpoint.size),
          disclosures,
          contradicted,
        };
        await writeAtomically(path, `${JSON.stringify(json, null, 2)}\n`);
      });
    },
  };
}
