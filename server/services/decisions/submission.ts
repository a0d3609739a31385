import type { Directive } from '../../../protocol/campaign/directive.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { requireAgeText } from '../age-file.ts';
import { refuseUnless } from '../error.ts';
import { commitsTo, listsCiphertext } from './preconditions.ts';

const MAX_ATTACHMENT_BYTES = 2 * 1024 * 1024;

/** One officer's signature under a directive, and what has to come with it. */
export interface Submission {
  readonly envelope: Envelope;
  /** TUF targets metadata with this officer's signature: see `listsCiphertext`. */
  readonly targets?: Uint8Array;
  /** Base64 of an age file: with `commit` and `supersede`. */
  readonly attachment?: string;
}

/** What each action needs to come with every signature. */
export function checkCompanions(directive: Directive, { targets, attachment }: Submission): void {
  refuseUnless(
    listsCiphertext(directive) === (targets !== undefined),
    'targets go with arm, supersede and a commit once armed, only there',
  );
  refuseUnless(
    commitsTo(directive.action) === (attachment !== undefined),
    'an attachment goes with commit and supersede, only there',
  );
  if (attachment !== undefined) {
    requireAgeText(attachment, MAX_ATTACHMENT_BYTES, 'the attachment');
  }
}
