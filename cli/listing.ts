import type { CommandGroup } from './command.ts';

/** What `sealdrop --help` says of one command. */
export interface Listed {
  /** `status`, or two words for a subcommand: `trust add`. */
  readonly name: string;
  /** Its arguments as commander writes them: `<id>`, `<source> [other...]`, or empty. */
  readonly args: string;
  readonly group: CommandGroup;
  readonly summary: string;
}

/**
 * Every command, in the order in which `--help` lists them within their group.
 *
 * It repeats what the commands say of themselves (a test holds the two together), so that help and
 * a mistyped name cost no import of any command.
 */
export const listing: readonly Listed[] = [
  ...group('all', {
    'trust add <url>': 'Trust a server whose root of trust has the published digest',
    'trust show': 'Show whom this home trusts since when, and how far it has seen the log',
    'config show': 'Show where this home is, what it is set to and which keys it holds',
    'disclosure <id>':
      'Open everything that was committed to, once disclosed; the server need not help',
    'open <bundle>': 'Open an age bundle with its key, offline; says nothing about who made it',
    'verify <dir>': 'Check an unpacked patch: every file, and that enough officers signed it',
    drill: 'Rehearse a whole campaign on this machine, and leave a record to audit',
  }),
  ...group('officer', {
    'trust init': 'Write the first root of trust from public cards, and sign it',
    'trust rotate': 'Write the next root of trust from the one in force, and sign it',
    'trust sign <dir>':
      'Add your signatures to a root of trust that trust init or trust rotate wrote',
    'trust publish <dir>': 'Give a complete next root of trust to the running server',
    'officer init': "Make an officer's keys and print the public card",
    'network add': "Take over a network's stake as the snapshot that decisions count by",
    'roster show': 'List the operators whose enrolment verifies, with their stake',
    'roster export': 'Write the verified enrolments, with their proofs, to a file',
    'campaign new <dir>': 'Start the directory of a new campaign, ready to be edited',
    'lint <dir>': 'Say everything that is wrong with a campaign directory before it is sealed',
    'seal <dir>': 'Make keys, shares, ciphertext and plan of a campaign, in DIR/sealed',
    'handover <dir>': 'Write the draft of a sealed campaign for one officer or reviewer',
    'propose <dir>': 'Upload a sealed campaign, ciphertext only, and propose to commit to it',
    'inspect <id>': 'Show a campaign’s plan, its directives and what is pending, all verified here',
    'approve <id>': 'Verify what is pending on this machine, then add your signature',
    'commit <id>': 'Propose to commit in public to an uploaded campaign, or to its next revision',
    'notify <id>': 'Propose to tell operators; once decided, write the mails that are missing',
    'arm <id>': 'Propose to arm: from then on the agents publish their shares at T0',
    'reschedule <id>': 'Propose another T0 for an armed campaign',
    'supersede <id>': 'Propose another patch in the place of a released one: the next revision',
    'withdraw <id>': 'Propose to withdraw a released patch that does harm',
    'abort <id>': 'Propose to stop before T0; your own agent stops at once',
    'leaked <id>': 'Release and disclose at once, because the embargo is broken',
    'disclose <id>': 'Propose to publish the disclosure; once decided, write the closing mails',
    agent: 'Keep your shares ready and publish them when their time has come',
    'share publish <id>':
      'Publish your share by hand, when no agent of yours runs; refused before its time',
    'mirror put <id>':
      'Bring to mirrors what operators need when the server is gone: ciphertext only',
    'status <id>': 'Show how far a campaign has come: T0, shares, mails, adoption',
    'chase <id>': 'List whom to call next: operators still missing, most stake first',
  }),
  ...group('operator', {
    enroll: 'Bind your validators to an operator key, once, and register where to be reached',
    inbox: 'List campaigns for you, and save their messages when mail did not arrive',
    'verify-message <file>': 'Decrypt a mail and check that an officer wrote every word of it',
    'verify-notice <file>': 'Check that a notice is the one committed to in public, and keep it',
    'ack <id>': 'Acknowledge a verified notice',
    'ready <id>': 'Say that somebody will be there at T0',
    'decline <id>': 'Say that you will not take part, and why',
    'prefetch <id>':
      'Fetch and verify the encrypted patch and disclosure ahead of T0; run it at any time',
    'fetch <id>': 'Open the prefetched patch once officers have released it, and verify every byte',
    'attest <id>': 'Say that your validators run the patch',
    'revert <id>': 'Take back an attestation, because the patch no longer runs',
    'receipt collect':
      'Turn the promises in receipts/ into proofs that the log holds what you said',
    'receipt verify <file>': 'Check a receipt and its proof from the files alone, offline',
    'receipt check':
      'Check that the log holds what it promised you, and keep evidence where it does not',
  }),
  ...group('reviewer', {
    'reviewer init': 'Make the keys of a firm that reviews patches, and print the public card',
    'review <id>': 'Check a draft against the ciphertext on this machine, then sign what you found',
    'endorser init':
      'Make the key of somebody who repeats commitments in public, and print the card',
    'endorse <hash>': 'Sign that you repeated a public commitment, and where you posted it',
  }),
  ...group('auditor', {
    'record <id>': 'Export the whole record of a disclosed campaign, and audit it',
    'audit <source> [other...]':
      'Check a record offline, follow a live log, or hold two views of a log together',
    'log verify <source>': 'Check a whole log: signature, root, every tile and every leaf',
    witness: 'Run a witness: cosign the checkpoints of logs that only ever grow',
    'witness init': 'Make the key of a new witness, and say what to hand to the foundation',
  }),
];

/** @param commands - Name and arguments of a command, and its summary. */
function group(name: CommandGroup, commands: Readonly<Record<string, string>>): readonly Listed[] {
  return Object.entries(commands).map(([usage, summary]) => {
    const [words = ''] = usage.split(/ [<[]/, 1);
    return { name: words, args: usage.slice(words.length + 1), group: name, summary };
  });
}
