import { z } from 'zod';
import { sha256Hex, utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { networkId, parseShape, stakeText } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { checkAddress } from './identity.ts';

/** The largest snapshot file, about 300,000 vote accounts. */
export const MAX_SNAPSHOT_BYTES = 32 * 1024 * 1024;

/** A value of a snapshot's header: one line of printable ASCII without spaces around it. */
export const headerText = z.string().regex(/^(?! )[\x20-\x7e]{1,200}(?<! )$/);

/** One vote account and the identity that votes with it. */
export interface SnapshotRow {
  /** Base58 of 32 bytes; the validator identity. Several rows may name the same one. */
  readonly identity: string;
  /** Base58 of 32 bytes; unique in a snapshot. */
  readonly voteAccount: string;
  /** Activated stake in lamports, at least 0 and below 2^64. */
  readonly stake: bigint;
}

/** What a snapshot file says, before anything is summed. */
export interface StakeTable {
  readonly network: string;
  /** The moment it holds for, such as `epoch 650`. */
  readonly point: string;
  /** Where the figures are from. */
  readonly source: string;
  readonly rows: readonly SnapshotRow[];
}

/** Activated stake of a whole network at one point: the denominator of every tally. */
export interface StakeSnapshot extends StakeTable {
  /** All stake, in base units. */
  readonly total: bigint;
  /** Stake summed per validator identity; includes identities with no stake. */
  readonly stakes: ReadonlyMap<string, bigint>;
}

const FORMAT = 'sealdrop-snapshot/v1';
const HEADER_NAMES = ['network', 'point', 'source'] as const;
const HEADER_LINES = 5;
const MAX_U64 = 2n ** 64n - 1n;

/**
 * Write a snapshot file, its rows sorted bytewise by vote account.
 *
 * @throws {@link ProtocolError} as {@link parseSnapshot} does.
 */
export function encodeSnapshot({ network, point, source, rows }: StakeTable): Uint8Array {
  const lines = rows
    .toSorted((a, b) => (a.voteAccount < b.voteAccount ? -1 : 1))
    .map(({ identity, voteAccount, stake }) => `${identity} ${voteAccount} ${String(stake)}\n`);
  const header = [FORMAT, `network: ${network}`, `point: ${point}`, `source: ${source}`, '', ''];
  const bytes = utf8Encode(header.join('\n') + lines.join(''));
  if (parseSnapshot(bytes).rows.length !== rows.length) {
    throw new ProtocolError('snapshot_invalid', 'a row is more than one line');
  }
  return bytes;
}

/**
 * Read a snapshot file. Each snapshot has exactly one encoding.
 *
 * @throws {@link ProtocolError} `too_large` above 32 MiB; `snapshot_invalid` for its grammar, order
 *   or a vote account that is there twice; `stake_invalid` for an amount that is not an exact
 *   decimal below 2^64.
 * @see docs/spec/stake.md, "Snapshot"
 */
export function parseSnapshot(bytes: Uint8Array): StakeSnapshot {
  if (bytes.length > MAX_SNAPSHOT_BYTES) {
    throw new ProtocolError('too_large', `snapshot above ${MAX_SNAPSHOT_BYTES} bytes`);
  }
  const lines = utf8Decode(bytes).split('\n');
  const [format, ...header] = lines.slice(0, HEADER_LINES);
  if (format !== FORMAT || header[HEADER_NAMES.length] !== '' || lines.pop() !== '') {
    throw new ProtocolError('snapshot_invalid', 'not a stake snapshot: header or last line');
  }
  const [network, point, source] = HEADER_NAMES.map((name, i) => headerValue(name, header[i]));
  const rows = lines.slice(HEADER_LINES).map(parseRow);
  if (network === undefined || point === undefined || source === undefined || rows.length === 0) {
    throw new ProtocolError('snapshot_invalid', 'a snapshot has rows');
  }
  parseShape(networkId, network, 'snapshot_invalid', 'network');

  const stakes = new Map<string, bigint>();
  let total = 0n;
  let before = '';
  for (const { identity, voteAccount, stake } of rows) {
    if (voteAccount <= before) {
      throw new ProtocolError('snapshot_invalid', 'vote accounts are sorted and named once');
    }
    before = voteAccount;
    total += stake;
    stakes.set(identity, (stakes.get(identity) ?? 0n) + stake);
  }
  return { network, point, source, rows, total, stakes };
}

/** SHA-256 of the file in lower-case hex: what the plan pins. */
export function snapshotDigest(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

/**
 * Read an amount of stake: `0` or a decimal without leading zero, sign or exponent.
 *
 * @throws {@link ProtocolError} `stake_invalid`, also above 39 digits.
 */
export function parseStake(text: string): bigint {
  return BigInt(parseShape(stakeText, text, 'stake_invalid', 'stake'));
}

/**
 * Read an amount of lamports, which a Solana account holds as an unsigned 64-bit integer.
 *
 * @throws {@link ProtocolError} `stake_invalid`
 */
export function parseLamports(text: string): bigint {
  const lamports = parseStake(text);
  if (lamports > MAX_U64) throw new ProtocolError('stake_invalid', 'lamports of 2^64 or more');
  return lamports;
}

function headerValue(name: string, line = ''): string {
  const prefix = `${name}: `;
  if (!line.startsWith(prefix)) {
    throw new ProtocolError('snapshot_invalid', `a snapshot's header lacks ${name}`);
  }
  return parseShape(headerText, line.slice(prefix.length), 'snapshot_invalid', name);
}

function parseRow(line: string): SnapshotRow {
  const [identity, voteAccount, stake, ...rest] = line.split(' ');
  if (!identity || !voteAccount || stake === undefined || rest.length > 0) {
    throw new ProtocolError('snapshot_invalid', 'a row is identity, vote account and lamports');
  }
  for (const address of [identity, voteAccount]) checkAddress(address);
  return { identity, voteAccount, stake: parseLamports(stake) };
}
