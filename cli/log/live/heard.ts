import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { parseOpening } from '../../../protocol/log/opening.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import { parseEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import { verifyEnrolment } from '../../../protocol/statement/enrolment.ts';
import {
  verifySignedByOperator,
  type VerifiedOperatorStatement,
} from '../../../protocol/statement/operator.ts';
import type { LogSource } from '../source.ts';
import type { SignedState } from '../succession.ts';
import { findContradicted, type Contradicted, type Testimony } from '../testimony.ts';

/**
 * Find out of what a log has opened which operators were shown another log.
 *
 * @param opened - The leaves to look at: each statement is heard once.
 * @param openings - By leaf, what the log has sealed there.
 * @param log - The state in which those leaves were opened.
 * @throws {@link ProtocolError} for an opening that is not what it says, such as a statement or an
 *   enrolment that nobody signed; `proof_invalid` when the tiles are not those of the log.
 */
export async function hearOperators(
  opened: readonly number[],
  openings: ReadonlyMap<number, Uint8Array>,
  log: SignedState,
  source: Pick<LogSource, 'tile'>,
): Promise<readonly Contradicted[]> {
  const testimonies: (Testimony & { readonly statement: VerifiedOperatorStatement })[] = [];
  const enrolments = new Map<string, Envelope>();
  for (const index of opened) {
    const { kind, content } = parseOpening(openings.get(index) ?? new Uint8Array());
    if (kind !== 'statement' && kind !== 'enrolment') continue;
    const envelope = parseEnvelope(content);
    if (kind === 'enrolment') {
      const { operator, network, origin } = verifyEnrolment(envelope, verifyEd25519);
      if (origin === log.checkpoint.origin) enrolments.set(`${network} ${operator}`, envelope);
    } else {
      const statement = verifySignedByOperator(envelope, verifyEd25519);
      testimonies.push({ what: `leaf ${index}`, statement, envelope });
    }
  }
  const tree = treeReader((level, index, width) =>
    source.tile(formatTilePath({ level, index, width })),
  );
  return findContradicted(
    testimonies.map((it) => {
      const { network, operator } = it.statement;
      return { ...it, enrolment: enrolments.get(`${network} ${operator}`) };
    }),
    log,
    tree,
  );
}
