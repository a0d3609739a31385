import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import {
  attending,
  countWitnessesOfKept,
  describeShortfall,
} from '../../protocol/log/witness-quorum.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { demand, NotAskedError, type Audit, type Check } from './check.ts';
import { checkpointFact } from './log.ts';
import { trustFact } from './trust.ts';

export const witnessChecks: readonly Check[] = [
  {
    id: 'log.witnesses',
    title: 'enough witnesses have cosigned the checkpoint, as the newest root asks for',
    run: checkWitnesses,
  },
];

/**
 * A record is for those who were not there: only witnesses can tell them that everybody was shown
 * this log. When they cosigned does not matter any more, only that they did.
 */
async function checkWitnesses(audit: Audit): Promise<string> {
  const { newest } = await audit.get(trustFact);
  await audit.get(checkpointFact);
  const { witnessPolicy } = newest;
  if (witnessPolicy?.quorum === undefined) {
    throw new NotAskedError('the officers ask for no witnesses: nobody else vouches for this log');
  }
  const note = utf8Decode(await audit.files.read(RECORD.checkpoint, LIMIT.small));
  const witnessing = countWitnessesOfKept(witnessPolicy, note, audit.verify);
  const shortfall = `below the quorum: ${describeShortfall(witnessing, 'cosignatures')}`;
  demand(witnessing.isMet, shortfall);
  const names = attending(witnessing).map(({ witness }) => witness.verifier.name);
  return `${names.length} of ${witnessing.attendance.length}: ${names.join(', ')}`;
}
