import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';

/** What the text of a patch gives away. */
export interface PatchText {
  /** Paths that it touches, sorted, as its `---`, `+++`, `rename` and `copy` lines name them. */
  readonly files: readonly string[];
  /** Functions and types that hunks lie in, or whose declarations change. Sorted. */
  readonly functions: readonly string[];
  /** Subjects of the commits in it, without `[PATCH …]`; none of a bare diff. */
  readonly titles: readonly string[];
  /** Lines that it adds and does not take from elsewhere in itself, trimmed. */
  readonly added: readonly string[];
  /** Ten or more hex digits of the git blobs that result. */
  readonly blobs: readonly string[];
}

const NOTHING: PatchText = { files: [], functions: [], titles: [], added: [], blobs: [] };

/** `fn check(`, `pub struct Meter`, `func (r *Reader) Next(`, `class Foo`. */
const DECLARATION =
  /\b(?:fn|func|def|function|class|struct|enum|trait|impl|union|interface|macro_rules!|mod)(?:<[^<>]{0,100}>)?\s+(?:\([^)]{0,100}\)\s*)?([A-Za-z_]\w{0,100})/;
/** The last name before a bracket, which in C is the function's. */
const CALLED = /([A-Za-z_]\w{0,100})\s{0,4}(?:<[^<>]{0,100}>)?\(/;

/** Read a patch: `git format-patch` (several in a row too) or a bare unified diff. */
export function readPatchText(patch: Uint8Array): PatchText {
  const text = textOf(patch);
  if (text === undefined) return NOTHING;
  const files = new Set<string>();
  const functions = new Set<string>();
  const added = new Set<string>();
  const removed = new Set<string>();
  const blobs = new Set<string>();
  for (const line of text.split('\n')) {
    const [, path] =
      /^(?:--- a\/|\+\+\+ b\/|(?:rename|copy) (?:from|to) )(.+?)\t?$/.exec(line) ?? [];
    const [, blob] = /^index [0-9a-f]{7,64}\.\.([0-9a-f]{10,64})(?: \d{6})?$/.exec(line) ?? [];
    const [, context] = /^@@ -\d[\d,]* \+\d[\d,]* @@ (.+)$/.exec(line) ?? [];
    if (path !== undefined) files.add(path);
    else if (blob !== undefined && !/^0+$/.test(blob)) blobs.add(blob);
    else if (context !== undefined) {
      for (const pattern of [DECLARATION, CALLED]) {
        const name = nameIn(context, pattern);
        if (name !== undefined) functions.add(name);
      }
    } else if (/^[+-](?![+-]{2} )/.test(line)) {
      const name = nameIn(line, DECLARATION);
      if (name !== undefined) functions.add(name);
      (line.startsWith('+') ? added : removed).add(line.slice(1).trim());
    }
  }
  return {
    files: [...files].sort(),
    functions: [...functions].sort(),
    titles: titlesOf(text),
    added: [...added].filter((line) => line !== '' && !removed.has(line)),
    blobs: [...blobs],
  };
}

function nameIn(line: string, pattern: RegExp): string | undefined {
  return pattern.exec(line.slice(0, 500))?.[1];
}

/** `Subject:` lines with what is folded into them, up to the first blank line of each mail. */
function titlesOf(text: string): readonly string[] {
  const mails = text.split(/^(?=From [0-9a-f]{40,64} )/m);
  return mails.flatMap((mail) => {
    const [head = ''] = mail.split('\n\n', 1);
    const [, subject] = /^Subject: ([^\n]*(?:\n[ \t][^\n]*)*)/m.exec(head) ?? [];
    const title = subject
      ?.replace(/\n[ \t]/g, ' ')
      .replace(/^(?:\s*\[[^\]\n]{1,100}\])+/, '')
      .trim();
    return title === undefined || title === '' ? [] : [decodeWords(title)];
  });
}

/** RFC 2047, as git writes it for titles that are not ASCII: UTF-8 in quoted-printable. */
function decodeWords(title: string): string {
  return title
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?q\?([^?\s]*)\?=/gi, (_, word: string) => {
      const bytes = word
        .replaceAll('_', ' ')
        .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
      return Buffer.from(bytes, 'latin1').toString('utf8');
    });
}

/** A patch in another encoding has nothing to read for us. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
