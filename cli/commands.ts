import type { Command } from './command.ts';
import type { CommandTable } from './drill/actor.ts';
import { exitCodeOf } from './exit-code.ts';
import { listing } from './listing.ts';
import type { Commands } from './program.ts';

/** Where each command is. A process runs one of them, and imports no other. */
const places: Readonly<Record<string, () => Promise<Command>>> = {
  'trust add': async () => (await import('./commands/trust-add.ts')).trustAddCommand,
  'trust show': async () => (await import('./commands/trust-show.ts')).trustShowCommand,
  'config show': async () => (await import('./commands/config-show.ts')).configShowCommand,
  'officer init': async () => (await import('./commands/officer-init.ts')).officerInitCommand,
  'trust init': async () => (await import('./commands/trust-init.ts')).trustInitCommand,
  'trust rotate': async () => (await import('./commands/trust-rotate.ts')).trustRotateCommand,
  'trust sign': async () => (await import('./commands/trust-sign.ts')).trustSignCommand,
  'trust publish': async () => (await import('./commands/trust-publish.ts')).trustPublishCommand,
  'network add': async () => (await import('./commands/network-add.ts')).networkAddCommand,
  'roster show': async () => (await import('./commands/roster.ts')).rosterShowCommand,
  'roster export': async () => (await import('./commands/roster.ts')).rosterExportCommand,
  'campaign new': async () => (await import('./commands/campaign-new.ts')).campaignNewCommand,
  lint: async () => (await import('./commands/lint.ts')).lintCommand,
  seal: async () => (await import('./commands/seal.ts')).sealCommand,
  handover: async () => (await import('./commands/handover.ts')).handoverCommand,
  propose: async () => (await import('./commands/propose.ts')).proposeCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  approve: async () => (await import('./commands/approve.ts')).approveCommand,
  commit: async () => (await import('./commands/moves.ts')).commitCommand,
  notify: async () => (await import('./commands/moves.ts')).notifyCommand,
  arm: async () => (await import('./commands/moves.ts')).armCommand,
  reschedule: async () => (await import('./commands/moves.ts')).rescheduleCommand,
  supersede: async () => (await import('./commands/moves.ts')).supersedeCommand,
  withdraw: async () => (await import('./commands/moves.ts')).withdrawCommand,
  abort: async () => (await import('./commands/moves.ts')).abortCommand,
  leaked: async () => (await import('./commands/leaked.ts')).leakedCommand,
  disclose: async () => (await import('./commands/moves.ts')).discloseCommand,
  agent: async () => (await import('./commands/agent.ts')).agentCommand,
  'share publish': async () => (await import('./commands/share-publish.ts')).sharePublishCommand,
  'mirror put': async () => (await import('./commands/mirror-put.ts')).mirrorPutCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  chase: async () => (await import('./commands/chase.ts')).chaseCommand,
  enroll: async () => (await import('./commands/enroll.ts')).enrollCommand,
  inbox: async () => (await import('./commands/inbox.ts')).inboxCommand,
  'verify-message': async () => (await import('./commands/verify-message.ts')).verifyMessageCommand,
  'verify-notice': async () => (await import('./commands/verify-notice.ts')).verifyNoticeCommand,
  ack: async () => (await import('./commands/statements.ts')).ackCommand,
  ready: async () => (await import('./commands/statements.ts')).readyCommand,
  decline: async () => (await import('./commands/statements.ts')).declineCommand,
  prefetch: async () => (await import('./commands/prefetch.ts')).prefetchCommand,
  fetch: async () => (await import('./commands/fetch.ts')).fetchCommand,
  attest: async () => (await import('./commands/statements.ts')).attestCommand,
  revert: async () => (await import('./commands/statements.ts')).revertCommand,
  'reviewer init': async () => (await import('./commands/voucher-init.ts')).reviewerInitCommand,
  review: async () => (await import('./commands/review.ts')).reviewCommand,
  'endorser init': async () => (await import('./commands/voucher-init.ts')).endorserInitCommand,
  endorse: async () => (await import('./commands/endorse.ts')).endorseCommand,
  'receipt collect': async () =>
    (await import('./commands/receipt-collect.ts')).receiptCollectCommand,
  'receipt verify': async () => (await import('./commands/receipt-verify.ts')).receiptVerifyCommand,
  'receipt check': async () => (await import('./commands/receipt-check.ts')).receiptCheckCommand,
  disclosure: async () => (await import('./commands/disclosure.ts')).disclosureCommand,
  open: async () => (await import('./commands/open.ts')).openCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  record: async () => (await import('./commands/record.ts')).recordCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  'log verify': async () => (await import('./commands/log-verify.ts')).logVerifyCommand,
  witness: async () => (await import('./commands/witness.ts')).witnessCommand,
  'witness init': async () => (await import('./commands/witness.ts')).witnessInitCommand,
  drill: async () => (await import('./commands/drill.ts')).drillCommand(commandTable),
};

export const commands: Commands = { listing, load };

/** The commands by name and the exit codes of their failures, for a rehearsal. */
export const commandTable: CommandTable = { load, exitCodeOf };

/** @throws Error for a name that is not there: a bug of the caller. */
async function load(name: string): Promise<Command> {
  const place = places[name];
  if (place === undefined) throw new Error(`no command named ${name}`);
  return place();
}
