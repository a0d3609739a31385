import { fromHex, toBase58 } from '../../protocol/encoding/bytes.ts';
import type { StakeRow } from '../../protocol/stake/stake-table.ts';
import { signerFromSeed } from '../../platform/ed25519.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** One validator of the rehearsal: a real stake, and keys made from the seed. */
export interface ModelValidator {
  readonly identity: string; // base58
  readonly identitySeed: Uint8Array;
  readonly voteAccount: string; // base58
  readonly stake: bigint; // lamports
}

/** Somebody who runs one or more validators, and how he behaves on the day. */
export interface ModelOperator {
  readonly index: number;
  readonly name: string;
  readonly region: string;
  readonly validators: readonly ModelValidator[];
  readonly stake: bigint; // lamports
  readonly variant: 'agave' | 'jito';
  /** Model seconds from T0 until he runs the patch; undefined when he is not reached that day. */
  readonly patchedAfter: number | undefined;
}

export interface Model {
  readonly seed: string;
  readonly genesis: string; // base58, of a network that does not exist
  readonly operators: readonly ModelOperator[];
  readonly totalStake: bigint; // lamports
}

/** Where the stake lives: hours from UTC, and the share of operators there. */
const REGIONS = [
  { name: 'Americas', share: 0.35, offsets: [-8, -7, -6, -5, -4, -3] },
  { name: 'Europe and Africa', share: 0.45, offsets: [0, 1, 2, 3] },
  { name: 'Asia and Pacific', share: 0.2, offsets: [5, 7, 8, 9, 10] },
] as const;

/** T0 of the August 2024 patch. */
const RELEASE_HOUR_UTC = 14;
const DAY_ENDS_AFTER = 12 * 3600; // model seconds; who needs longer is not counted on that day
const VALIDATORS_PER_OPERATOR = 3.95; // 1,584 validators make about 400 operators

/**
 * Build the network of a rehearsal from real stakes.
 *
 * The same seed gives the same keys, operators and delays on every machine.
 *
 * @param rows - Stakes, largest first. With fewer validators than rows, an even sample is taken.
 */
export function buildModel(rows: readonly StakeRow[], count: number, seed: string): Model {
  const random = seededRandom(seed);
  const validators = sample(rows, count).map((row, index) => modelValidator(row, index, random));
  const groups = group(validators, random);
  const totalStake = validators.reduce((sum, validator) => sum + validator.stake, 0n);
  const operators = groups.map((members, index) =>
    modelOperator(members, index, totalStake, random),
  );
  return { seed, genesis: toBase58(random.bytes('genesis')), operators, totalStake };
}

/** Every k-th row, so that a small network has the shape of the large one. */
function sample(rows: readonly StakeRow[], count: number): readonly StakeRow[] {
  const step = rows.length / count;
  return Array.from({ length: count }, (_, i) => rows[Math.floor(i * step)]).filter(
    (row) => row !== undefined,
  );
}

function modelValidator(row: StakeRow, index: number, random: SeededRandom): ModelValidator {
  const identitySeed = random.bytes(`identity ${index}`);
  return {
    identitySeed,
    identity: toBase58(fromHex(signerFromSeed(identitySeed).publicKey, 32)),
    voteAccount: toBase58(random.bytes(`vote ${index}`)),
    stake: row.stake,
  };
}

/** Everybody runs one validator; the rest go to a few who run many. */
function group(validators: readonly ModelValidator[], random: SeededRandom): ModelValidator[][] {
  const order = validators
    .map((validator) => ({ validator, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ validator }) => validator);
  const operators = Math.max(1, Math.round(validators.length / VALIDATORS_PER_OPERATOR));
  const groups = order.slice(0, operators).map((validator) => [validator]);
  for (const validator of order.slice(operators)) {
    groups[Math.floor(operators * random.uniform() ** 1.7)]?.push(validator);
  }
  return groups;
}

function modelOperator(
  validators: readonly ModelValidator[],
  index: number,
  totalStake: bigint,
  random: SeededRandom,
): ModelOperator {
  const stake = validators.reduce((sum, validator) => sum + validator.stake, 0n);
  const draw = random.uniform();
  const region = draw < 0.35 ? REGIONS[0] : draw < 0.8 ? REGIONS[1] : REGIONS[2];
  const offset = region.offsets[random.below(region.offsets.length)] ?? 0;
  const large = stake * 300n > totalStake;
  return {
    index,
    name: `operator-${String(index + 1).padStart(3, '0')}`,
    region: region.name,
    validators,
    stake,
    variant: random.uniform() < 0.8 ? 'jito' : 'agave',
    patchedAfter: patchDelay(offset, large || validators.length > 3, large, random),
  };
}

/**
 * Model seconds from T0 to the patched restart.
 *
 * Who is on call or awake needs a few hours to build and restart; who sleeps begins in the morning. A few are
 * not reached, but never one who holds more than 1/300 of the stake: those get a telephone call.
 */
function patchDelay(
  offset: number,
  onCall: boolean,
  large: boolean,
  random: SeededRandom,
): number | undefined {
  const hour = (RELEASE_HOUR_UTC + offset + 24) % 24;
  const asleep = (hour >= 23 || hour < 8) && !onCall;
  const wait = asleep ? ((8 - hour + 24) % 24) * 3600 : 0;
  const work = (onCall ? 9000 : 12_600) * Math.exp(0.7 * random.normal());
  const reached = large || random.uniform() > 0.06;
  const delay = Math.round(wait + Math.min(Math.max(work, 600), 9 * 3600));
  return reached && delay <= DAY_ENDS_AFTER ? delay : undefined;
}
