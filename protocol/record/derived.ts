import { officerKeyFiles } from '../embargo/sums-signatures.ts';
import type { Files } from '../embargo/tar.ts';
import { utf8Encode } from '../encoding/bytes.ts';
import type { Plan } from '../plan/plan.ts';
import { formatVerifierKey } from '../signature/verifier-key.ts';
import type { TrustRoot } from '../trust/root.ts';
import { RECORD } from './layout.ts';

// What a record holds for its readers' convenience. It follows from the rest, byte for byte, and an
// audit makes it anew: nobody can tell people one thing here and programs another there.

/** `plan.json`: the plan's body for programs that read JSON only. */
export function planJson({ campaign, nonce, ...body }: Plan): Uint8Array {
  return indented({ campaign, nonce, ...body });
}

/** `keys/officers.json`: everybody's public keys, as the newest root has them. */
function officersJson(root: TrustRoot): Uint8Array {
  const officers = [...root.people.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return indented({
    network: root.network,
    origin: root.origin,
    directiveThreshold: root.directiveThreshold,
    shareThreshold: root.shareThreshold,
    officers: officers.map(({ id, root: rootKey, signing, age }) => ({
      id,
      root: rootKey,
      signing,
      age,
      openpgp: `keys/${id}.asc`,
    })),
  });
}

/** Every file below `keys/`, by path. */
export function keyFiles(root: TrustRoot): Files {
  const { allowedSigners, minisign } = officerKeyFiles(root);
  const officers = [...root.people.values()];
  return new Map([
    ...officers.map(({ id, openpgp }) => [RECORD.officerKey(id), utf8Encode(openpgp)] as const),
    ...[...minisign].map(([id, key]) => [RECORD.officerMinisignKey(id), key] as const),
    [RECORD.allowedSigners, allowedSigners],
    [RECORD.officers, officersJson(root)],
    [RECORD.logKey, logKeyFile(root)],
  ]);
}

/** `keys/log.vkey`: the key that signed the checkpoint, as C2SP tools read it. */
function logKeyFile({ logKey }: TrustRoot): Uint8Array {
  return utf8Encode(`${formatVerifierKey(logKey.name, logKey.type, logKey.publicKey)}\n`);
}

/** JSON for people, in one encoding. */
export function indented(value: object): Uint8Array {
  return utf8Encode(`${JSON.stringify(value, null, 2)}\n`);
}
