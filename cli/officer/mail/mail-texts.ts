import type { VerifiedDirective } from '../../../protocol/campaign/directive.ts';
import { commitmentName } from '../../../protocol/commitment/commitment.ts';
import { parseDocument } from '../../../protocol/commitment/document.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import type { Tally } from '../../../protocol/stake/tally.ts';
import { breakGlassText } from '../break-glass.ts';
import type { Standing } from '../standing.ts';
import type { MailContent } from './mailing.ts';
import { describeTurn } from './turn-text.ts';

type Attachment = MailContent['attachments'][number];

/** The notice of a revision: its document, and the list that it is committed to with. */
export function noticeMail(draft: Draft, plan: Plan, directive: number): MailContent {
  const { campaign, commitment, exercise } = plan;
  const attach = attacher(draft);
  const notice = attach('notice.txt');
  const list = attach(commitmentName(plan.revision));
  return {
    kind: 'notice',
    campaign,
    directive,
    exercise,
    subject: `${campaign}: notice to validator operators`,
    text: noticeText(notice.bytes, commitment, list.name),
    attachments: [notice, list],
  };
}

/** The disclosure with all that it takes to check it. */
export function closingMail(
  draft: Draft,
  { plan, state, view }: Pick<Standing, 'plan' | 'state' | 'view'>,
  directive: number,
): MailContent {
  const isBroken = breakGlassText({ plan, state, view }) !== undefined;
  const { campaign, commitment, exercise } = plan;
  const attach = attacher(draft);
  const list = attach(commitmentName(plan.revision));
  return {
    kind: 'closing',
    campaign,
    directive,
    exercise,
    subject: `${campaign}: disclosure`,
    text: `${isBroken ? BREAK_GLASS : ''}${closingText(campaign, commitment, list.name)}`,
    attachments: [attach('disclosure.md'), attach('notice.txt'), list],
  };
}

/** Comes first in a closing mail where the time-lock was broken. */
const BREAK_GLASS = `BREAK-GLASS: officers used the second split of the release key, which is not locked until T0. Who
published a share of it, and when, is in the log and in the record.

`;

/** What officers decided besides, in words; whoever reads it can verify the directive. */
export function turnMail(
  plan: Plan,
  before: string,
  decided: VerifiedDirective,
  count?: Tally,
): MailContent {
  const { campaign, exercise } = plan;
  return {
    kind: 'turn',
    campaign,
    directive: decided.sequence,
    exercise,
    subject: `${campaign}: ${decided.action}`,
    text: describeTurn(plan, before, decided, count),
    attachments: [],
  };
}

function attacher({ documents }: Draft): (name: string) => Attachment {
  return (name) => {
    const bytes = documents.get(name);
    if (bytes === undefined) throw new ProtocolError('bundle_invalid', `the draft has no ${name}`);
    return { name, bytes };
  };
}

/** The notice as written by the officers; its last line, the access key, stays in the attachment. */
function noticeText(notice: Uint8Array, commitment: string, list: string): string {
  const text = utf8Decode(parseDocument(notice).body).replace(/access-key: [^\n]*\n$/, '');
  return `${text}
--
The attached notice.txt is the exact document that was committed to in public. Check it before
you believe it, and keep it: it holds the key that you will need at the release time.

    sealdrop verify-notice notice.txt --list ${list}

Public commitment: ${commitment}
Tell nobody. Do not forward this mail.
`;
}

function closingText(campaign: string, commitment: string, list: string): string {
  return `The embargo of ${campaign} has ended. disclosure.md is the full announcement, bit for bit as it was
committed to before you were first told. Check it:

    sha256sum ${list}             # is ${commitment}
    sha256sum -c ${list} --ignore-missing

Thank you for your part in it.
`;
}
