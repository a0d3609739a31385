import type { EndorsementStanding } from '../../protocol/campaign/endorsements.ts';
import { hex64 } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { connect } from '../client/connect.ts';
import { refreshTrust } from '../client/trust.ts';
import { argument, findOption, getOption, type Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import {
  countEndorsements,
  endorsementSummary,
  tellEndorsements,
} from '../operator/endorsements.ts';
import { requirePublic, saveNotice, verifyNotice } from '../operator/notice.ts';

const MAX_NOTICE_BYTES = 4 * 1024 * 1024;

export const verifyNoticeCommand: Command = {
  name: 'verify-notice',
  group: 'operator',
  summary: 'Check that a notice is the one committed to in public, and keep it',
  args: [{ name: 'file', description: 'notice.txt, as attached to the mail' }],
  options: [
    { flag: '--list <file>', description: 'COMMITMENT, attached beside it', required: true },
    {
      flag: '--commitment <hex>',
      description:
        'the commitment as you read it elsewhere; by default log and endorsers are asked',
    },
  ],
  example: 'sealdrop verify-notice notice/notice.txt --list notice/COMMITMENT',

  async run(input, context) {
    const home = openHome(context);
    const { out } = context;
    const notice = await readInputFile(argument(input, 0), MAX_NOTICE_BYTES);
    const list = await readInputFile(getOption(input, 'list'), MAX_NOTICE_BYTES);
    const given = findOption(input, 'commitment');
    const { campaign, commitment, serverCustody } = verifyNotice(notice, list);
    if (serverCustody !== undefined) out.warnOnce(`${campaign}: ${serverCustody}`);

    let endorsements: EndorsementStanding | undefined;
    if (given === undefined) {
      const client = await connect(context, home);
      const trust = await refreshTrust(home, client);
      await requirePublic(context, home, client, trust, commitment);
      endorsements = await countEndorsements(client, trust.root, commitment);
      await saveNotice(home.campaign(campaign), notice, list);
      out.line(`notice of ${campaign} matches the public commitment`);
      out.line(`  ${commitment}`);
      tellEndorsements(out, trust.root, endorsements);
    } else {
      if (!hex64.safeParse(given).success) throw new UsageError('--commitment is 64 hex digits');
      if (given !== commitment) {
        throw new ProtocolError(
          'commitment_mismatch',
          'the notice belongs to another commitment than the one you gave: do not act on it',
        );
      }
      await saveNotice(home.campaign(campaign), notice, list);
      out.line(`notice of ${campaign} matches the commitment that you gave`);
      out.line(`  ${commitment}`);
    }
    out.note('compare it with what people you know have posted; then: sealdrop ack ' + campaign);
    out.summary({
      campaign,
      commitment,
      serverCustody: serverCustody ?? null,
      source: given === undefined ? 'log' : 'given',
      endorsements: endorsements ? endorsementSummary(endorsements) : null,
    });
  },
};
