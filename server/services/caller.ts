import type { Ed25519PublicKey } from '../../protocol/signature/ed25519.ts';

/** Somebody whose key is in the root of trust, or who has enrolled. */
export interface Identity {
  readonly role: 'officer' | 'operator' | 'reviewer';
  /** Id of the officer or reviewer in the root, or the operator's public key. */
  readonly id: string;
  readonly publicKey: Ed25519PublicKey;
}

/** Who asks: verified on every request, `undefined` for the public. */
export type Caller = Identity | undefined;

/** Finds out who a key belongs to at this moment. */
export interface Identities {
  find(publicKey: Ed25519PublicKey): Identity | undefined;
}
