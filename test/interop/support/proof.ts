import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { addCosignatures, verifyCosignatures } from '../../../protocol/log/cosignature.ts';
import { inclusionProof } from '../../../protocol/log/merkle.ts';
import { formatTlogProof } from '../../../protocol/log/tlog-proof.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { formatVerifierKey, NOTE_COSIGNATURE } from '../../../protocol/signature/verifier-key.ts';
import type { LogOnDisk } from './log.ts';

export const WITNESS = cosigner('witness.example.net', signerFromSeed(new Uint8Array(32).fill(22)));
export const WITNESS_VKEY = formatVerifierKey(WITNESS.name, NOTE_COSIGNATURE, WITNESS.publicKey);

/** A checkpoint with a cosignature of ours attached to it. */
export function cosigned(note: string, time = 1_763_640_000): string {
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const line = WITNESS.cosign(text, time);
  return addCosignatures(note, verifyCosignatures(`${note}${line}`, [WITNESS], verifyEd25519));
}

/** The `.tlog-proof` of a leaf under a checkpoint of the log's whole size. */
export function proofOf(log: LogOnDisk, index: number, checkpoint: string): string {
  return formatTlogProof({ index, hashes: inclusionProof(index, log.hashes), checkpoint });
}
