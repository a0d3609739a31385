import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { warning, type Finding } from './finding.ts';

/** Words that say nothing about a bug. Shorter ones than four letters never count. */
const HARMLESS = new Set(
  (
    'about advisory affected application artifacts branch build campaign client clients code core ' +
    'critical default exercise file files fixed fixes from high internal into lib main mainnet ' +
    'model module modules network node nodes operator operators package patch programs release ' +
    'security severity software solana source sources summary test tests that this update updates ' +
    'upgrade upstream utils validator validators version versions vulnerability when with without'
  ).split(' '),
);

/**
 * Warn where the notice, which hundreds read before the release, uses a word that points at the bug:
 * one from the title of the disclosure, or from the name of a file that a patch changes.
 */
export function lintWords(
  notice: string,
  disclosure: string,
  patches: readonly Uint8Array[],
): readonly Finding[] {
  const said = words(notice);
  const findings: Finding[] = [];
  for (const word of words(titleOf(disclosure))) {
    if (said.has(word)) {
      findings.push(warning('notice.md', `"${word}" is in the title of disclosure.md`));
    }
  }
  for (const word of words(patches.flatMap(changedFiles).join(' '))) {
    if (said.has(word)) {
      findings.push(
        warning('notice.md', `"${word}" is in the name of a file that a patch changes`),
      );
    }
  }
  return findings;
}

/** The first heading of the advisory. */
export function titleOf(disclosure: string): string {
  return /^# +(.+)$/m.exec(disclosure)?.[1] ?? '';
}

/** Paths that a patch touches, as its `---`, `+++` and `rename` lines name them. */
function changedFiles(patch: Uint8Array): readonly string[] {
  let text: string;
  try {
    text = utf8Decode(patch);
  } catch (error) {
    if (error instanceof ProtocolError) return []; // a patch in another encoding has no words for us
    throw error;
  }
  return [...text.matchAll(/^(?:--- a\/|\+\+\+ b\/|rename (?:from|to) )(.+)$/gm)].map(
    ([, path]) => path ?? '',
  );
}

/** Lower-case words of four letters or more; `camelCase` and `snake_case` are taken apart. */
function words(text: string): ReadonlySet<string> {
  const parts = text.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').match(/\p{L}{4,}/gu) ?? [];
  return new Set(parts.map((part) => part.toLowerCase()).filter((part) => !HARMLESS.has(part)));
}
