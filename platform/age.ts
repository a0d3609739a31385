import { createDecipheriv, hkdfSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Decrypter } from 'age-encryption';
import { recipientOf, unopened, type OpenAge } from '../protocol/embargo/age.ts';

/** Plaintext of a chunk, its tag behind it; the last one may be shorter. */
const CHUNK = 64 * 1024;
const TAG = 16;
/** What the key of the payload is derived with, between header and chunks. */
const NONCE = 16;
/** Chunks between two pauses: 4 MiB, a few milliseconds. */
const CHUNKS_AT_ONCE = 64;

/**
 * `open` of `protocol/embargo/age.ts` on OpenSSL, for server and CLI: the same files, opened to the same
 * bytes, several times as fast.
 *
 * The header is the library's matter; a payload is ChaCha20-Poly1305 in chunks.
 *
 * @throws {@link ProtocolError} as `open`.
 * @see https://age-encryption.org/v1 "Payload"
 */
export const openAge: OpenAge = async (ciphertext, identity) => {
  await recipientOf(identity);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const end = endOfHeader(ciphertext);
  if (end === undefined) throw unopened();
  try {
    const fileKey = await decrypter.decryptHeader(ciphertext.subarray(0, end));
    const nonce = ciphertext.subarray(end, end + NONCE);
    const key = new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
    return await openChunks(key, ciphertext.subarray(end + NONCE));
  } catch {
    throw unopened();
  }
};

/** The header ends with the only line that begins with three dashes. */
function endOfHeader(file: Uint8Array): number | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const last = bytes.indexOf('\n---');
  const end = last < 0 ? -1 : bytes.indexOf('\n', last + 1);
  return end < 0 ? undefined : end + 1;
}

/** STREAM: nothing may be missing, moved or behind the chunk that is marked as the last. */
async function openChunks(key: Uint8Array, payload: Uint8Array): Promise<Uint8Array> {
  const count = Math.max(1, Math.ceil(payload.length / (CHUNK + TAG)));
  const size = payload.length - count * TAG;
  // Only a file without content has a chunk without.
  if (size < 0 || (count > 1 && size === (count - 1) * CHUNK)) throw unopened();
  const plaintext = new Uint8Array(size);
  const nonce = Buffer.alloc(12);
  for (let i = 0; i < count; i++) {
    const chunk = payload.subarray(i * (CHUNK + TAG), (i + 1) * (CHUNK + TAG));
    nonce.writeUIntBE(i, 5, 6);
    nonce[11] = i === count - 1 ? 1 : 0;
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG });
    decipher.setAuthTag(chunk.subarray(chunk.length - TAG));
    plaintext.set(decipher.update(chunk.subarray(0, chunk.length - TAG)), i * CHUNK);
    decipher.final();
    if (i % CHUNKS_AT_ONCE === CHUNKS_AT_ONCE - 1) await setImmediate();
  }
  return plaintext;
}
