import { concatBytes, toBase64, utf8Encode } from '../encoding/bytes.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from './ed25519.ts';
import { keyIdBytes, NOTE_COSIGNATURE, noteVerifier, type NoteVerifier } from './verifier-key.ts';

const TIME_BYTES = 8;
const MAX_TIME = 2n ** 63n - 1n;

/** A {@link NoteVerifier} of type {@link NOTE_COSIGNATURE} together with the means to cosign. */
export interface Cosigner extends NoteVerifier {
  /**
   * Cosign a checkpoint's text.
   *
   * @param time - Unix seconds.
   * @returns A signature line, with its newline.
   */
  cosign(text: string, time: number): string;
}

/**
 * Let `signer` cosign checkpoints under `name`. One key serves one witness: what is signed does not
 * name it. C2SP tlog-cosignature.
 *
 * @throws {@link ProtocolError} `key_invalid` for a name with a space or `+`.
 */
export function cosigner(name: string, signer: Signer): Cosigner {
  const verifier = noteVerifier(name, NOTE_COSIGNATURE, signer.publicKey);
  const id = keyIdBytes(name, NOTE_COSIGNATURE, signer.publicKey);
  return {
    ...verifier,
    cosign(text, time) {
      const seconds = BigInt(time);
      const bytes = new Uint8Array(TIME_BYTES);
      new DataView(bytes.buffer).setBigUint64(0, seconds);
      const signature = signer.sign(cosignatureMessage(text, seconds));
      return `— ${name} ${toBase64(concatBytes(id, bytes, signature))}\n`;
    },
  };
}

/** What a witness signs: that it saw this checkpoint at this Unix time, in seconds. C2SP tlog-cosignature. */
export function cosignatureMessage(text: string, time: bigint): Uint8Array {
  return utf8Encode(`cosignature/v1\ntime ${String(time)}\n${text}`);
}

/**
 * Check when a witness signed a text.
 *
 * @param signature - What follows the key id: a time and an Ed25519 signature.
 * @returns Unix seconds, below 2^63; `undefined` when the signature does not verify.
 */
export function verifyCosignatureTime(
  publicKey: Ed25519PublicKey,
  text: string,
  signature: Uint8Array,
  verify: VerifyEd25519,
): bigint | undefined {
  if (signature.length <= TIME_BYTES) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const message = cosignatureMessage(text, time);
  const isGood = time <= MAX_TIME && verify(publicKey, message, signature.subarray(TIME_BYTES));
  return isGood ? time : undefined;
}
