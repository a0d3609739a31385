import { randomBytes } from 'node:crypto';

import { generateSeed, signerFromSeed, verifyEd25519 } from '../platform/ed25519.ts';

const KEYS = 64;
const MESSAGE_BYTES = 512;
const SECONDS = 1;

/** How fast one core verifies with nothing around it. */
export interface VerifyRate {
  /** Per second of CPU time, as `openssl speed` counts. */
  readonly perSecond: number;
  /** CPU time over time: less than 1 when other processes are at work on this machine. */
  readonly coreShare: number;
}

/** `verifyEd25519` in a loop, in this process, keys already imported. */
export function measureVerify(): VerifyRate {
  const signed = Array.from({ length: KEYS }, () => {
    const signer = signerFromSeed(generateSeed());
    const message = new Uint8Array(randomBytes(MESSAGE_BYTES));
    return { publicKey: signer.publicKey, message, signature: signer.sign(message) };
  });
  const verifyAll = (): void => {
    for (const { publicKey, message, signature } of signed) {
      if (!verifyEd25519(publicKey, message, signature)) throw new Error('does not verify');
    }
  };
  verifyAll();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < SECONDS * 1000; count += KEYS) verifyAll();
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMs = (user + system) / 1000;
  return { perSecond: (count * 1000) / cpuMs, coreShare: Math.min(1, cpuMs / elapsedMs) };
}
