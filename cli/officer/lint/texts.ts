import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { speaksOfCustody } from '../../../protocol/plan/server-custody.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';
import { PLACEHOLDER } from '../campaign/skeleton.ts';
import { titleOf } from './words.ts';

const TEXTS = ['notice.md', 'disclosure.md', 'INSTRUCTIONS.md'] as const;

/** A sealed document has at most 4 MiB; this leaves room for its header and the access key. */
const MAX_TEXT_BYTES = 4 * 2 ** 20 - 4096;

/** Both are mailed to every operator, and relays refuse large mails. */
const MAX_MAILED_BYTES = { 'notice.md': 64 * 1024, 'disclosure.md': 256 * 1024 } as const;

/** A person reads them in a terminal: nothing may steer it, or show a text in another order. */
const UNSAFE = /[^\P{Cc}\n\t\r]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** What no reader sees tells copies apart, and makes `git apply` of a pasted line fail. */
const INVISIBLE = /\p{Cf}|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]/u;

const REWRITE = 'type those characters anew, in plain text';

/** What is wrong with the three texts, whatever campaign.json says. */
export function lintTexts(directory: CampaignDirectory): readonly Finding[] {
  const findings: Finding[] = [];
  for (const path of directory.files.keys()) {
    if (path.includes(PLACEHOLDER)) {
      findings.push(error(path, `is still called ${PLACEHOLDER}`, 'delete it'));
    }
  }
  for (const name of ['campaign.json', ...TEXTS]) {
    const bytes = directory.files.get(name);
    if (bytes === undefined) {
      findings.push(error(name, 'is not there', 'sealdrop campaign new shows what it looks like'));
    } else if (bytes.length > MAX_TEXT_BYTES) {
      findings.push(error(name, 'is larger than 4 MiB', 'shorten it; large files are artifacts'));
    } else findings.push(...lintText(name, textOf(bytes)));
  }
  for (const name of ['notice.md', 'disclosure.md'] as const) {
    if ((directory.files.get(name)?.length ?? 0) > MAX_MAILED_BYTES[name]) {
      const message = `is larger than ${MAX_MAILED_BYTES[name] / 1024} KiB, so no mail`;
      findings.push(error(name, message, 'shorten it; large files are artifacts'));
    }
  }
  const notice = textOf(directory.files.get('notice.md') ?? new Uint8Array()) ?? '';
  if (/^\s*access-key\s*:/im.test(notice)) {
    const message = 'has a line "access-key:", which is for seal to add';
    findings.push(error('notice.md', message, 'take the line out'));
  }
  if (speaksOfCustody(notice)) {
    const message = 'has a line "SERVER CUSTODY:", which is for seal to add';
    findings.push(error('notice.md', message, 'take the line out'));
  }
  const disclosure = directory.files.get('disclosure.md');
  if (disclosure !== undefined && titleOf(textOf(disclosure) ?? '') === '') {
    const message = 'has no title (a line starting with "# ")';
    findings.push(warning('disclosure.md', message, 'give it one'));
  }
  return findings;
}

/** @param text - Absent when the bytes are no UTF-8. */
function lintText(name: string, text: string | undefined): readonly Finding[] {
  if (text === undefined) return [error(name, 'is not UTF-8 text', 'save it as UTF-8')];
  const findings: Finding[] = [];
  if (text.includes('\r')) {
    findings.push(error(name, 'has carriage returns', 'save it with LF line ends'));
  } else if (text.trim() === '') {
    findings.push(error(name, 'is empty', 'write it'));
  }
  const lines = text.split('\n');
  const find = (pattern: RegExp): string | undefined => {
    const index = lines.findIndex((line) => pattern.test(line));
    return index < 0 ? undefined : `${name}:${index + 1}`;
  };
  const unsafe = find(UNSAFE);
  const invisible = find(INVISIBLE);
  if (unsafe !== undefined) {
    const message = 'has control characters, or some that turn the direction of text';
    findings.push(error(unsafe, message, REWRITE));
  } else if (invisible !== undefined) {
    findings.push(warning(invisible, 'has characters that nobody sees', REWRITE));
  }
  const trailing = find(/[^\S\n\r]\r?$/u);
  if (trailing !== undefined) {
    const message = 'ends with white space, which mail programs change';
    findings.push(warning(trailing, message, `sed -i 's/[[:space:]]*$//' ${name}`));
  }
  const placeholder = find(new RegExp(PLACEHOLDER));
  if (placeholder !== undefined) {
    findings.push(error(placeholder, `still says ${PLACEHOLDER}`, 'fill it in'));
  }
  return findings;
}

/** Where the texts say something else than campaign.json. */
export function lintAgreement(
  campaign: CampaignFile,
  directory: CampaignDirectory,
): readonly Finding[] {
  const findings: Finding[] = [];
  const text = (name: string): string =>
    textOf(directory.files.get(name) ?? new Uint8Array()) ?? '';
  if (!text('notice.md').includes(campaign.releaseTime)) {
    const message = `does not state the release time, ${campaign.releaseTime}`;
    findings.push(error('notice.md', message, 'state it exactly so'));
  }
  if (!text('notice.md').includes(campaign.id)) {
    findings.push(warning('notice.md', `does not mention ${campaign.id}`, 'mention it'));
  }
  for (const name of TEXTS) {
    const says = text(name).includes('EXERCISE');
    if (campaign.exercise && !says) {
      findings.push(error(name, 'does not say EXERCISE', 'say so in its first lines'));
    }
    if (!campaign.exercise && says) {
      const message = 'says EXERCISE, but campaign.json says that this is none';
      findings.push(warning(name, message, 'make the two agree'));
    }
  }
  return findings;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch (cause) {
    if (cause instanceof ProtocolError) return undefined;
    throw cause;
  }
}
