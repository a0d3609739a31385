import { parseSnapshot, type StakeSnapshot } from '../../protocol/stake/snapshot.ts';
import { getOption, type Command } from '../command.ts';
import { writeNew } from '../home/files.ts';
import { percent } from '../officer/amounts.ts';
import { findCurrentSnapshot, findKeptSnapshot } from '../officer/kept-snapshots.ts';
import { encodeRosterFile } from '../officer/roster-file.ts';
import { loadRoster, stakeOf, tellRejected, type RosterEntry } from '../officer/roster.ts';
import { openOfficerSession, type OfficerSession } from '../officer/session.ts';

export const rosterShowCommand: Command = {
  name: 'roster show',
  group: 'officer',
  summary: 'List the operators whose enrolment verifies, with their stake',
  example: 'sealdrop roster show',

  async run(_input, context) {
    const session = await openOfficerSession(context);
    const roster = await loadRoster(session);
    tellRejected(session, roster);
    const snapshot = await currentSnapshot(session);
    const rows = roster.operators
      .map((entry) => ({ entry, stake: snapshot && stakeOf(entry, snapshot) }))
      .sort((a, b) => compare(b.stake ?? 0n, a.stake ?? 0n));
    for (const { entry, stake } of rows) {
      const share = snapshot && stake !== undefined ? percent(stake, snapshot.total) : 'unknown';
      const problem = 'problem' in entry.contact ? `  no mail: ${entry.contact.problem}` : '';
      const { email } = entry.entry;
      const count = entry.validators.length;
      context.out.line(
        `${share.padStart(9)}  ${String(count).padStart(4)} ${count === 1 ? 'validator ' : 'validators'}  ${email}${problem}`,
      );
      context.out.event('operator', { ...publicEntry(entry), stake: stake ?? null });
    }
    const covered = rows.reduce((sum, { stake }) => sum + (stake ?? 0n), 0n);
    if (snapshot === undefined) {
      context.out.note('no stake known here; sealdrop network add keeps a snapshot');
    } else {
      const share = percent(covered, snapshot.total);
      context.out.line(`${share.padStart(9)}  reached by ${rows.length} operators`);
    }
    context.out.summary({
      operators: rows.length,
      rejected: roster.rejected,
      stake: snapshot ? covered : null,
      totalStake: snapshot?.total ?? null,
    });
  },
};

export const rosterExportCommand: Command = {
  name: 'roster export',
  group: 'officer',
  summary: 'Write the verified enrolments, with their proofs, to a file',
  options: [{ flag: '--out <file>', description: 'where to write it', required: true }],
  example: 'sealdrop roster export --out roster.json',

  async run(input, context) {
    const out = getOption(input, 'out');
    const session = await openOfficerSession(context);
    const roster = await loadRoster(session);
    tellRejected(session, roster);
    const { network, origin } = session.trust.root;
    const operators = roster.operators.map(({ entry }) => entry);
    await writeNew(out, encodeRosterFile({ network, origin, operators }), 0o600);
    context.out.line(`${out} holds ${roster.operators.length} enrolments; it names people`);
    context.out.summary({ out, operators: roster.operators.length, rejected: roster.rejected });
  },
};

async function currentSnapshot({ home }: OfficerSession): Promise<StakeSnapshot | undefined> {
  const digest = await findCurrentSnapshot(home);
  const bytes = digest && (await findKeptSnapshot(home, digest));
  return bytes ? parseSnapshot(bytes) : undefined;
}

function publicEntry({ operator, validators, entry, contact, enrolment }: RosterEntry): object {
  const problem = 'problem' in contact ? contact.problem : null;
  const { email } = entry;
  return { operator, validators, email, openpgp: enrolment.openpgp, problem };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
