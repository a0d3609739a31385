import { equalBytes, sha256, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyConsistency } from '../../protocol/log/merkle.ts';
import { treeReader } from '../../protocol/log/tree-reader.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { announcedFact } from './announced.ts';
import { demand, NotAskedError, within, type Audit, type Check } from './check.ts';
import { requirePaths, timestampSizes } from './folder.ts';
import { checkpointFact } from './log.ts';
import { trustFact } from './trust.ts';

export const timestampChecks: readonly Check[] = [
  {
    id: 'timestamps.tokens',
    title:
      'every timestamp is over a checkpoint that has the commitment and that the log goes on from',
    run: checkTimestamps,
  },
];

/**
 * What a token says is compared with what it is about. Whether its authority said it, and whether to
 * trust that authority, is for `openssl ts` and its reader; see docs/spec/log.md, "Timestamps".
 */
async function checkTimestamps(audit: Audit): Promise<string> {
  const sizes = timestampSizes(audit);
  requirePaths(
    audit,
    'timestamps/',
    sizes.flatMap((size) => [RECORD.timestampedCheckpoint(size), RECORD.timestamp(size)]),
  );
  if (sizes.length === 0) {
    throw new NotAskedError('none is here: no timestamping authority vouches for any time');
  }
  const [{ commitment } = { commitment: Infinity }] = await audit.get(announcedFact);
  const found: string[] = [];
  for (const size of sizes) {
    const checkpoint = await audit.files.read(RECORD.timestampedCheckpoint(size), LIMIT.small);
    await requireInLog(audit, size, utf8Decode(checkpoint));
    demand(size > commitment, `timestamps/${size} is older than the commitment`);
    const token = await audit.files.read(RECORD.timestamp(size), LIMIT.small);
    found.push(`${size} leaves at ${formatTime(await timeOf(token, checkpoint, size))}`);
  }
  const [first = 0] = sizes;
  return (
    `${found.join(', ')}, as the tokens say. Their signature is not judged here: openssl ts -verify ` +
    `-in ${RECORD.timestamp(first)} -data ${RECORD.timestampedCheckpoint(first)} -CAfile CA.pem`
  );
}

/** Such a library takes longer to load than a short command to run. */
async function timeOf(token: Uint8Array, data: Uint8Array, size: number): Promise<number> {
  const { readTimestamp } = await import('../../platform/timestamp.ts');
  const { digest, time } = within(RECORD.timestamp(size), () => readTimestamp(token));
  const isSame = equalBytes(digest, sha256(data));
  demand(isSame, `${RECORD.timestamp(size)} is a token over something else`);
  return time;
}

/** The checkpoint must be one of the log in this record: signed, and the record's extends it. */
async function requireInLog(audit: Audit, size: number, note: string): Promise<void> {
  const { newest } = await audit.get(trustFact);
  const newer = await audit.get(checkpointFact);
  const path = RECORD.timestampedCheckpoint(size);
  const older = within(path, () =>
    openCheckpoint(note, newest.origin, [newest.logKey], audit.verify),
  );
  demand(older.size === size, `${path} has ${older.size} leaves`);
  demand(size <= newer.size, `${path} is newer than the record’s checkpoint`);
  const tree = treeReader((level, index, width) =>
    audit.files.read(RECORD.tile({ level, index, width }), LIMIT.tile),
  );
  const proof = await tree.consistencyProof(size, newer.size);
  within(path, () => {
    verifyConsistency(size, newer.size, proof, older.root, newer.root);
  });
}
