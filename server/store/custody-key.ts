import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { writeSecretFile } from '../../platform/files.ts';
import { readSecretFileSync } from '../../platform/read-file.ts';
import { generateKey, recipientOf } from '../../protocol/embargo/age.ts';
import { fromHex, toHex, utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CustodyKey } from '../services/custody/custodian.ts';

const FORMAT = 'sealdrop-custody-key/v1';

/**
 * Make the key with which the server holds shares, in a file of its own apart from the data.
 *
 * @throws When there is a file already: what it can open would be lost.
 */
export async function makeCustodyKey(path: string): Promise<void> {
  const { identity } = await generateKey();
  const text = `${FORMAT}\n${identity}\n${toHex(generateSeed())}\n`;
  await writeSecretFile(path, utf8Encode(text));
}

/** @throws {@link ProtocolError} when it holds something else; what opening the file throws. */
export async function readCustodyKey(path: string): Promise<CustodyKey> {
  const [format, identity = '', seed = '', end, more] = utf8Decode(readSecretFileSync(path)).split(
    '\n',
  );
  if (format !== FORMAT || end !== '' || more !== undefined) {
    throw new ProtocolError('key_invalid', 'the custody file holds no custody key');
  }
  const recipient = await recipientOf(identity);
  return { identity, recipient, signer: signerFromSeed(fromHex(seed, 32)) };
}
