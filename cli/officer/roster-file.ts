import { z } from 'zod';
import { enrolmentsResponse } from '../../protocol/api/operator.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { networkId, parseShape } from '../../protocol/encoding/shape.ts';

const rosterFile = z.strictObject({
  format: z.literal('sealdrop-roster/v1'),
  network: networkId,
  origin: z.string().max(256),
  operators: enrolmentsResponse.shape.enrolments,
});

/** What `roster export` writes: enrolments with their proofs, for whoever verifies them again. */
export type RosterFile = Omit<z.infer<typeof rosterFile>, 'format'>;

/** Ten thousand operators of 16 KiB each. */
export const MAX_ROSTER_BYTES = 160 * 2 ** 20;

export function encodeRosterFile(file: RosterFile): string {
  return `${JSON.stringify({ format: 'sealdrop-roster/v1', ...file }, null, 2)}\n`;
}

/**
 * Read the shape of a roster. What it says is for `verifyRoster` to judge.
 *
 * @throws {@link ProtocolError} `encoding_invalid`, `too_large`.
 */
export function parseRosterFile(bytes: Uint8Array): RosterFile {
  const json = parseJson(bytes, MAX_ROSTER_BYTES);
  return parseShape(rosterFile, json, 'encoding_invalid', 'roster');
}
