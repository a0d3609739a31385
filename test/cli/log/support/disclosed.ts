import { toBase64, utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { publish, type LogFiles } from './served-log.ts';
import type { TestLog } from './test-log.ts';

/** The one campaign that these logs disclose. */
export const CAMPAIGN = 'SDX-2026-7KQ4';

/** Serve a log as it is now, these of its openings, and keys of its dummies. */
export async function serveOpened(
  files: LogFiles,
  log: TestLog,
  opened: readonly number[] = [],
  dummyKeys = '',
): Promise<void> {
  await publish(files, log.leaves);
  const openings = opened.map((index) => {
    return { index, opening: toBase64(log.openings.get(index) ?? new Uint8Array()) };
  });
  const path = `/v1/campaigns/${CAMPAIGN}/openings`;
  files.set(path, utf8Encode(JSON.stringify({ openings })));
  files.set(`${path}?after=${opened.at(-1) ?? 0}`, utf8Encode('{"openings":[]}'));
  files.set('/v1/dummies', utf8Encode(dummyKeys));
}
