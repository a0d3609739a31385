import { constants, gunzipSync } from 'node:zlib';

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const MAX_INFLATED = 16 * 1024 * 1024;

/** What every gzip stream in there unpacks to, as far as it is whole. */
export function* inflatedIn(bytes: Buffer): Generator<Buffer> {
  for (let at = bytes.indexOf(GZIP); at >= 0; at = bytes.indexOf(GZIP, at + 1)) {
    try {
      yield gunzipSync(bytes.subarray(at), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_INFLATED,
      });
    } catch {
      // three bytes that only look like one
    }
  }
}
