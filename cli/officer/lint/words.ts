import { error, warning, type Finding } from '../campaign/finding.ts';
import type { PatchText } from './patch-text.ts';
import { findPhrase, normalPhrase, tellingWords, tokensOf, type Token } from './phrases.ts';

/** What the notice must not name. */
export interface Secrets {
  /** Text of disclosure.md. */
  readonly disclosure: string;
  /** By the name of the artifact that each is. */
  readonly patches: ReadonlyMap<string, PatchText>;
  /** Names of all artifacts. */
  readonly artifacts: readonly string[];
  /** Git repositories of the clients, such as `anza-xyz/agave`. */
  readonly repositories: readonly string[];
  /** `secretTerms` of campaign.json. */
  readonly terms: readonly string[];
}

const SAY_OTHERWISE = 'say it in other words, or not at all';

/** Ids that lead to what is hidden, whoever looks them up. */
const IDS: readonly (readonly [RegExp, string])[] = [
  [/\bCVE-\d{4}-\d{4,19}\b/i, 'names a CVE'],
  [
    /\b(?:GHSA(?:-[2-9cfghjmpqrvwx]{4}){3}|RUSTSEC-\d{4}-\d{4}|OSV-\d{4}-\d+)\b/i,
    'names an advisory',
  ],
  [/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b/i, 'names a commit, or what looks like one'],
  [/(?:^|\s)(?:[\w.-]+\/[\w.-]+)?#\d{1,7}\b/, 'names an issue or pull request'],
  [/\/(?:pull|issues|commit|merge_requests|compare)\/\w/, 'has the address of a change'],
];

/**
 * Say where the notice, which hundreds read before the release, points at the bug: by an id, by a
 * term that campaign.json forbids, by the name of an artifact, a file, a function or a repository, by
 * a commit's title, or by a word of such a title or of the disclosure's.
 *
 * Each finding names the first line only.
 */
export function lintWords(notice: string, secrets: Secrets): readonly Finding[] {
  const tokens = tokensOf(notice);
  const lines = notice.split('\n');
  const findings: Finding[] = [];
  for (const [pattern, what] of IDS) {
    const line = lines.findIndex((text) => pattern.test(text)) + 1;
    if (line > 0) findings.push(warning(at(line), what, SAY_OTHERWISE));
  }
  for (const [index, term] of secrets.terms.entries()) {
    const line = lineOfTerm(tokens, lines, term);
    if (line === undefined) continue;
    const message = `names secretTerms[${index}] of campaign.json`;
    findings.push(error(at(line), message, SAY_OTHERWISE));
  }
  return [...findings, ...lintNames(tokens, secrets), ...lintTellingWords(tokens, secrets)];
}

const at = (line: number): string => `notice.md:${line}`;

/** A term without letters or digits is looked for as it stands. */
function lineOfTerm(
  tokens: readonly Token[],
  lines: readonly string[],
  term: string,
): number | undefined {
  if (/^[\p{L}\p{N}\s_-]+$/u.test(term)) return findPhrase(tokens, normalPhrase(term));
  const index = lines.findIndex((line) => line.toLowerCase().includes(term.toLowerCase()));
  return index < 0 ? undefined : index + 1;
}

/** Names of more than one part, or of four letters: whole, in any spelling. */
function lintNames(tokens: readonly Token[], secrets: Secrets): readonly Finding[] {
  const findings: Finding[] = [];
  const look = (name: string, what: string): void => {
    const phrase = normalPhrase(name);
    const isTelling = phrase.includes(' ') ? phrase.length > 5 : tellingWords(name).size > 0;
    const line = isTelling ? findPhrase(tokens, phrase) : undefined;
    if (line !== undefined) findings.push(warning(at(line), `"${name}" ${what}`, SAY_OTHERWISE));
  };
  for (const name of secrets.artifacts) look(name, 'is an artifact');
  for (const name of secrets.repositories) look(name, 'is a repository');
  for (const [patch, { files, functions, titles }] of secrets.patches) {
    for (const title of titles) look(title, `is the title of a commit in ${patch}`);
    for (const name of functions) look(name, `is a function that ${patch} touches`);
    for (const path of files) {
      look(path, `is a file that ${patch} changes`);
      const name = path.split('/').at(-1) ?? '';
      if (name !== path) look(name, `is the name of a file that ${patch} changes`);
    }
  }
  return findings;
}

function lintTellingWords(tokens: readonly Token[], secrets: Secrets): readonly Finding[] {
  const patches = [...secrets.patches.values()];
  const sources: readonly (readonly [string, string])[] = [
    [titleOf(secrets.disclosure), 'is in the title of disclosure.md'],
    [patches.flatMap(({ titles }) => titles).join('\n'), 'is in the title of a commit'],
    [
      patches.flatMap(({ files }) => files).join('\n'),
      'is in the name of a file that a patch changes',
    ],
    [
      patches.flatMap(({ functions }) => functions).join('\n'),
      'is in the name of a function that a patch touches',
    ],
  ];
  return sources.flatMap(([text, what]) =>
    [...tellingWords(text)].flatMap((word) => {
      const line = findPhrase(tokens, word);
      return line === undefined ? [] : [warning(at(line), `"${word}" ${what}`, SAY_OTHERWISE)];
    }),
  );
}

/** The first heading of the advisory. */
export function titleOf(disclosure: string): string {
  return /^# +(.+)$/m.exec(disclosure)?.[1] ?? '';
}
