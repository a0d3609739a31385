import { fromHex, toBase58 } from '../../../protocol/encoding/bytes.ts';
import { signerNamed } from '../trust/network.ts';

/** The validator identity whose key is that of `signerNamed('validator ' + name)`. */
export function identityNamed(name: string): string {
  return toBase58(fromHex(signerNamed(`validator ${name}`).publicKey, 32));
}
