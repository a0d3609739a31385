import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CampaignDirectory } from './campaign-dir.ts';
import type { CampaignFile } from './campaign-file.ts';
import { error, warning, type Finding } from './finding.ts';
import { titleOf } from './lint-words.ts';
import { PLACEHOLDER } from './skeleton.ts';

const TEXTS = ['notice.md', 'disclosure.md', 'INSTRUCTIONS.md'] as const;

/** A sealed document has at most 4 MiB; this leaves room for its header and the access key. */
const MAX_TEXT_BYTES = 4 * 2 ** 20 - 4096;

/** Both are mailed to every operator, and relays refuse large mails. */
const MAX_MAILED_BYTES = { 'notice.md': 64 * 1024, 'disclosure.md': 256 * 1024 } as const;

/** A person reads them in a terminal: nothing may steer it, or show a text in another order. */
const UNSAFE = /[^\P{Cc}\n\t\r]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** What is wrong with the three texts, whatever campaign.json says. */
export function lintTexts(directory: CampaignDirectory): readonly Finding[] {
  const findings: Finding[] = [];
  for (const path of directory.files.keys()) {
    if (path.includes(PLACEHOLDER)) findings.push(error(path, `is still called ${PLACEHOLDER}`));
  }
  for (const name of ['campaign.json', ...TEXTS]) {
    const bytes = directory.files.get(name);
    if (bytes === undefined) {
      findings.push(error(name, 'is not there'));
      continue;
    }
    if (bytes.length > MAX_TEXT_BYTES) {
      findings.push(error(name, 'is larger than 4 MiB'));
      continue;
    }
    const text = textOf(bytes);
    if (text === undefined) findings.push(error(name, 'is not UTF-8 text'));
    else if (text.includes('\r'))
      findings.push(error(name, 'has carriage returns; save it with LF'));
    else if (text.trim() === '') findings.push(error(name, 'is empty'));
    if (text !== undefined && UNSAFE.test(text)) {
      findings.push(error(name, 'has control characters'));
    }
    if (text?.includes(PLACEHOLDER)) findings.push(error(name, `still says ${PLACEHOLDER}`));
  }
  for (const name of ['notice.md', 'disclosure.md'] as const) {
    if ((directory.files.get(name)?.length ?? 0) > MAX_MAILED_BYTES[name]) {
      findings.push(error(name, `is larger than ${MAX_MAILED_BYTES[name] / 1024} KiB, so no mail`));
    }
  }
  if (
    /^\s*access-key\s*:/im.test(textOf(directory.files.get('notice.md') ?? new Uint8Array()) ?? '')
  ) {
    findings.push(error('notice.md', 'has a line "access-key:", which is for seal to add'));
  }
  const disclosure = directory.files.get('disclosure.md');
  if (disclosure !== undefined && titleOf(textOf(disclosure) ?? '') === '') {
    findings.push(warning('disclosure.md', 'has no title (a line starting with "# ")'));
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
    findings.push(error('notice.md', `does not state the release time, ${campaign.releaseTime}`));
  }
  if (!text('notice.md').includes(campaign.id)) {
    findings.push(warning('notice.md', `does not mention ${campaign.id}`));
  }
  for (const name of TEXTS) {
    const says = text(name).includes('EXERCISE');
    if (campaign.exercise && !says) findings.push(error(name, 'does not say EXERCISE'));
    if (!campaign.exercise && says) {
      findings.push(warning(name, 'says EXERCISE, but campaign.json says that this is none'));
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
