/** One word of a text, lower case, and the line it is on, from 1. */
export interface Token {
  readonly word: string;
  readonly line: number;
}

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

/** Words and numbers in order; `camelCase` and `snake_case` are taken apart. */
export function tokensOf(text: string): readonly Token[] {
  return text.split('\n').flatMap((content, index) => {
    const words = content.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').match(/[\p{L}\p{N}]+/gu) ?? [];
    return words.map((word) => ({ word: word.toLowerCase(), line: index + 1 }));
  });
}

/** The same words in the same order, whatever stands between them: how two titles are compared. */
export function normalPhrase(text: string): string {
  return tokensOf(text)
    .map(({ word }) => word)
    .join(' ');
}

/**
 * The line on which a phrase begins, also one that goes on in the next line.
 *
 * @param phrase - As {@link normalPhrase} gives it; an empty one is nowhere.
 */
export function findPhrase(tokens: readonly Token[], phrase: string): number | undefined {
  const words = phrase.split(' ').filter((word) => word !== '');
  if (words.length === 0) return undefined;
  const at = tokens.findIndex((_, start) =>
    words.every((word, offset) => tokens[start + offset]?.word === word),
  );
  return tokens[at]?.line;
}

/** The words of a text that point at something: four letters or more, and none of the usual ones. */
export function tellingWords(text: string): ReadonlySet<string> {
  const words = tokensOf(text).map(({ word }) => word);
  return new Set(words.filter((word) => /^\p{L}{4,}$/u.test(word) && !HARMLESS.has(word)));
}
