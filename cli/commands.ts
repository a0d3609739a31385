import type { Command } from './command.ts';
import { agentCommand } from './commands/agent.ts';
import { approveCommand } from './commands/approve.ts';
import { campaignNewCommand } from './commands/campaign-new.ts';
import { chaseCommand } from './commands/chase.ts';
import { handoverCommand } from './commands/handover.ts';
import { inspectCommand } from './commands/inspect.ts';
import { leakedCommand } from './commands/leaked.ts';
import { lintCommand } from './commands/lint.ts';
import { proposeCommand } from './commands/propose.ts';
import { sealCommand } from './commands/seal.ts';
import { sharePublishCommand } from './commands/share-publish.ts';
import { statusCommand } from './commands/status.ts';
import { rosterExportCommand, rosterShowCommand } from './commands/roster.ts';
import {
  abortCommand,
  armCommand,
  commitCommand,
  discloseCommand,
  notifyCommand,
  rescheduleCommand,
  supersedeCommand,
  withdrawCommand,
} from './commands/moves.ts';
import { disclosureCommand } from './commands/disclosure.ts';
import { drillCommand } from './commands/drill.ts';
import type { CommandTable } from './drill/actor.ts';
import { exitCodeOf } from './exit-code.ts';
import { auditCommand } from './commands/audit.ts';
import { logVerifyCommand } from './commands/log-verify.ts';
import { receiptCheckCommand } from './commands/receipt-check.ts';
import { receiptCollectCommand } from './commands/receipt-collect.ts';
import { receiptVerifyCommand } from './commands/receipt-verify.ts';
import { recordCommand } from './commands/record.ts';
import { configShowCommand } from './commands/config-show.ts';
import { endorseCommand } from './commands/endorse.ts';
import { reviewCommand } from './commands/review.ts';
import { enrollCommand } from './commands/enroll.ts';
import { fetchCommand } from './commands/fetch.ts';
import { inboxCommand } from './commands/inbox.ts';
import { openCommand } from './commands/open.ts';
import { prefetchCommand } from './commands/prefetch.ts';
import {
  ackCommand,
  attestCommand,
  declineCommand,
  readyCommand,
  revertCommand,
} from './commands/statements.ts';
import { verifyCommand } from './commands/verify.ts';
import { verifyMessageCommand } from './commands/verify-message.ts';
import { verifyNoticeCommand } from './commands/verify-notice.ts';
import { witnessCommand, witnessInitCommand } from './commands/witness.ts';
import { networkAddCommand } from './commands/network-add.ts';
import { officerInitCommand } from './commands/officer-init.ts';
import { endorserInitCommand, reviewerInitCommand } from './commands/voucher-init.ts';
import { trustAddCommand } from './commands/trust-add.ts';
import { trustInitCommand } from './commands/trust-init.ts';
import { trustPublishCommand } from './commands/trust-publish.ts';
import { trustRotateCommand } from './commands/trust-rotate.ts';
import { trustShowCommand } from './commands/trust-show.ts';
import { trustSignCommand } from './commands/trust-sign.ts';

/**
 * Every command, in the order in which `--help` lists them within their group. One import and one
 * entry each.
 */
const ordinary: readonly Command[] = [
  trustAddCommand,
  trustShowCommand,
  configShowCommand,
  officerInitCommand,
  trustInitCommand,
  trustRotateCommand,
  trustSignCommand,
  trustPublishCommand,
  networkAddCommand,
  rosterShowCommand,
  rosterExportCommand,
  campaignNewCommand,
  lintCommand,
  sealCommand,
  handoverCommand,
  proposeCommand,
  inspectCommand,
  approveCommand,
  commitCommand,
  notifyCommand,
  armCommand,
  rescheduleCommand,
  supersedeCommand,
  withdrawCommand,
  abortCommand,
  leakedCommand,
  discloseCommand,
  agentCommand,
  sharePublishCommand,
  statusCommand,
  chaseCommand,
  enrollCommand,
  inboxCommand,
  verifyMessageCommand,
  verifyNoticeCommand,
  ackCommand,
  readyCommand,
  declineCommand,
  prefetchCommand,
  fetchCommand,
  attestCommand,
  revertCommand,
  reviewerInitCommand,
  reviewCommand,
  endorserInitCommand,
  endorseCommand,
  receiptCollectCommand,
  receiptVerifyCommand,
  receiptCheckCommand,
  disclosureCommand,
  openCommand,
  verifyCommand,
  recordCommand,
  auditCommand,
  logVerifyCommand,
  witnessCommand,
  witnessInitCommand,
];

/** The commands by name and the exit codes of their failures, for a rehearsal. */
export const commandTable: CommandTable = { get: getCommand, exitCodeOf };

export const commands: readonly Command[] = [...ordinary, drillCommand(commandTable)];

/** @throws Error for a name that is not there: a bug of the caller. */
function getCommand(name: string): Command {
  const command = ordinary.find((each) => each.name === name);
  if (command === undefined) throw new Error(`no command named ${name}`);
  return command;
}
