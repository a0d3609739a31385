import { verifiedChunks } from './download.ts';
import type { Mirror, PlannedBundle } from './mirror.ts';

/**
 * Read a ciphertext from a mirror to its end and keep nothing.
 *
 * @param tell - Called with the number of bytes so far.
 * @throws {@link ProtocolError} when it is another one; {@link ProblemError} with status 404 when it is
 *   not there, or as {@link Mirror.askForBundle} does.
 */
export async function checkBundle(
  mirror: Mirror,
  bundle: PlannedBundle,
  tell: (length: number) => void,
): Promise<void> {
  let length = 0;
  for await (const chunk of verifiedChunks(await mirror.askForBundle(bundle), bundle)) {
    length += chunk.length;
    tell(length);
  }
}
