import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { MAX_POLICY_LENGTH, parsePolicy } from '../../protocol/log/policy.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { UsageError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';

/**
 * Read the witnesses of a new root, and how many of them make a quorum, from a tlog-policy file.
 *
 * @throws {@link UsageError} naming the line that is wrong. That it is about this log is for the
 *   root's own rules.
 */
export async function readWitnessPolicy(
  path: string,
): Promise<Pick<TrustRoot, 'witnesses' | 'witnessPolicy'>> {
  const bytes = await readInputFile(path, 4 * MAX_POLICY_LENGTH);
  try {
    const witnessPolicy = parsePolicy(utf8Decode(bytes));
    return { witnessPolicy, witnesses: witnessPolicy.witnesses.map(({ verifier }) => verifier) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`${path}: ${error.message}`, 'docs/spec/witness.md shows one');
  }
}
