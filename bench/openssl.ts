import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Seconds for signing, and again for verifying. */
const SECONDS = 2;

/** The last line of `openssl speed ed25519`: two times an operation, then two rates. */
const RATES = /^\s*253 bits EdDSA \(Ed25519\)(?:\s+[\d.]+s){2}\s+[\d.]+\s+(?<verify>[\d.]+)\s*$/m;

/** Ed25519 verifications per second of CPU time on one core, which is what `openssl speed` counts. */
export async function measureOpenssl(): Promise<number> {
  const { stdout } = await run('openssl', ['speed', '-seconds', String(SECONDS), 'ed25519']);
  const rate = Number(RATES.exec(stdout)?.groups?.['verify']);
  if (!(rate > 0)) throw new Error('openssl speed printed no rate for ed25519');
  return rate;
}

/** Which OpenSSL that is; the one inside Node is another. */
export async function opensslVersion(): Promise<string> {
  const { stdout } = await run('openssl', ['version']);
  return stdout.split(' ').slice(0, 2).join(' ');
}
