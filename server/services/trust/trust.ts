import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import type { Ed25519PublicKey, VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { verifyInitialRoot, verifyNextRoot } from '../../../protocol/trust/root-verify.ts';
import { signingKeys } from '../../../protocol/trust/root.ts';

/** The public halves of the server's keys, which a root must name. */
export interface ServerKeyNames {
  readonly origin: string;
  readonly log: Ed25519PublicKey;
  readonly token: Ed25519PublicKey;
  /** Every key that this server holds for the role; a root names one of them. */
  readonly snapshot: readonly Ed25519PublicKey[];
  readonly timestamp: readonly Ed25519PublicKey[];
}

/** A verified root and its exact file. */
export interface StoredRoot {
  readonly root: TrustRoot;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * The chain of roots up to the one in force.
 *
 * A view: every read is of the newest, so nothing of it is to be kept from one request to the next.
 */
export interface Trust {
  readonly current: TrustRoot;
  readonly roots: ReadonlyMap<number, StoredRoot>;
  /** Signing keys of the people in the current root. */
  readonly officers: ReadonlyMap<Ed25519PublicKey, string>;
}

/** The same, for the one place that publishes roots. */
export interface LiveTrust extends Trust {
  /** Put the next root in force. The caller has verified it and made it durable. */
  adopt(next: StoredRoot): void;
}

/** The root of trust and this server do not fit together; says what to do. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

/**
 * Verify the roots of earlier starts, and one that was handed to this start.
 *
 * @param stored - Files by version from 1, as earlier starts accepted them; empty at the first one.
 * @param given - The file named in the environment: the first root, a known one, or the next.
 * @throws {@link TrustError}; {@link ProtocolError} for a root that does not verify.
 */
export function openTrust(
  stored: readonly Uint8Array[],
  given: Uint8Array | undefined,
  own: ServerKeyNames,
  verify: VerifyEd25519,
): LiveTrust {
  const roots = new Map<number, StoredRoot>();
  let current: TrustRoot | undefined;
  const adopt = (bytes: Uint8Array): void => {
    const sha256 = sha256Hex(bytes);
    // The server is nobody's judge: clients pin the first root, and it merely has to hold together.
    current =
      current === undefined
        ? verifyInitialRoot(bytes, sha256, verify)
        : verifyNextRoot(bytes, current, verify);
    roots.set(current.version, { root: current, bytes, sha256 });
  };
  for (const bytes of stored) adopt(bytes);
  if (given !== undefined) {
    const known = roots.get(parseRoot(given).version);
    if (known === undefined) adopt(given);
    else if (known.sha256 !== sha256Hex(given)) {
      throw new TrustError('the given root differs from the one in use with the same version');
    }
  }
  if (current === undefined) {
    throw new TrustError('no root of trust yet: set SEALDROP_ROOT to the signed root.json');
  }
  const differences = differencesOf(current, own);
  if (differences.length > 0) {
    throw new TrustError(`the root of trust names another server: ${differences.join(', ')}`);
  }
  return viewOf(current, roots);
}

/** What of a root does not fit the keys that this server holds. */
export function differencesOf(root: TrustRoot, own: ServerKeyNames): readonly string[] {
  return [
    root.origin === own.origin ? [] : [`origin (${root.origin} there, ${own.origin} here)`],
    root.logKey.publicKey === own.log ? [] : ['log key'],
    own.snapshot.includes(root.snapshotKey) ? [] : ['snapshot key'],
    own.timestamp.includes(root.timestampKey) ? [] : ['timestamp key'],
    root.tokenKey === own.token ? [] : ['token key'],
  ].flat();
}

function viewOf(first: TrustRoot, roots: Map<number, StoredRoot>): LiveTrust {
  let current = first;
  let officers = signingKeys(current);
  return {
    get current() {
      return current;
    },
    get officers() {
      return officers;
    },
    roots,
    adopt(next) {
      if (next.root.version !== current.version + 1) throw new Error('roots follow one another');
      roots.set(next.root.version, next);
      current = next.root;
      officers = signingKeys(current);
    },
  };
}
