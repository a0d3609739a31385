import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { endOf, runGit, startGit, type GitContext } from './git.ts';
import type { PatchText } from './patch-text.ts';
import type { Patch } from './patched-tree.ts';
import { findPhrase, normalPhrase, tellingWords, tokensOf } from './phrases.ts';
import type { PublicRepository } from './public-repository.ts';

/** What would give a fix away if anybody could see it. */
export interface Fix {
  /** Git trees with the fix in them. */
  readonly trees: ReadonlySet<string>;
  readonly patches: readonly Patch[];
  readonly texts: readonly PatchText[];
  /** Titles of the commits and of the advisory. */
  readonly titles: readonly string[];
}

/** Something of a fix in a public repository. */
export interface Trace {
  /** What of the fix it is, to be read after "has". */
  readonly what: string;
  /** Abbreviated commit, or a ref over there. */
  readonly where: string;
}

/** Shorter lines than this are in many programs. */
const MIN_LINE = 12;
/** A longer line is cut before it is compared. */
const MAX_LINE = 4096;
const MAX_MESSAGE = 65_536;

/** Find what of a fix can be seen in a repository. Everything is compared here; nothing is asked. */
export async function findTraces(
  repository: PublicRepository,
  fix: Fix,
  context: GitContext,
): Promise<readonly Trace[]> {
  if (repository.refs.size === 0) return [];
  return [
    ...findNamedRefs(repository, fix),
    ...(await findCommits(repository, fix, context)),
    ...(await findBlobs(repository, fix, context)),
    ...(await findChanges(repository, fix, context)),
  ];
}

/** Titles that say something, as phrases. A title such as "Update" is everybody's. */
function telling(titles: readonly string[]): readonly string[] {
  const useful = titles.filter((title) => tellingWords(title).size > 0);
  return [...new Set(useful.map(normalPhrase))];
}

/** One word is a title only where nothing stands beside it. */
function says(text: string, titles: readonly string[]): boolean {
  const tokens = tokensOf(text);
  return titles.some((title) => {
    if (!title.includes(' ')) return normalPhrase(text) === title;
    return findPhrase(tokens, title) !== undefined;
  });
}

/** Branches are called like the change on them. */
function findNamedRefs({ refs }: PublicRepository, fix: Fix): readonly Trace[] {
  const titles = telling(fix.titles);
  return [...refs.values()]
    .filter((name) => says(name.split('/').slice(2).join(' '), titles))
    .map((where) => ({ what: 'the title of the fix for a name', where }));
}

/** By tree, and by title: in the subject, or in the message of a squash or merge. */
async function findCommits(
  { path }: PublicRepository,
  fix: Fix,
  context: GitContext,
): Promise<readonly Trace[]> {
  const titles = telling(fix.titles);
  const traces: Trace[] = [];
  const args = ['log', '--all', '-z', '--format=%H%n%T%n%B', '--no-show-signature'];
  const call = { repository: path, args, onFailure: 'has commits that cannot be read' };
  const git = startGit(call, context);
  git.stdin.end();
  const ended = endOf(git, call, context);
  ended.catch(() => undefined); // thrown below, when what it said has been read
  for await (const record of partsOf(git.stdout, '\0', MAX_MESSAGE)) {
    const [commit = '', tree = '', ...message] = record.split('\n');
    const where = `commit ${commit.slice(0, 12)}`;
    if (fix.trees.has(tree)) traces.push({ what: 'exactly the patched sources', where });
    else if (message.some((line) => says(line, titles))) {
      traces.push({ what: 'the title of the fix', where });
    }
  }
  await ended;
  return traces;
}

/** What a stream says between separators. A part that is longer than any honest one is cut. */
async function* partsOf(
  stream: Readable,
  separator: string,
  maxLength: number,
): AsyncGenerator<string> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    const [first = '', ...more] = chunk.split(separator);
    rest = `${rest}${first}`.slice(0, maxLength);
    for (const next of more) {
      yield rest;
      rest = next.slice(0, maxLength);
    }
  }
  if (rest !== '') yield rest;
}

/** The fixed content of a file, wherever it lies and whatever came before it. */
async function findBlobs(
  { path }: PublicRepository,
  { texts }: Fix,
  context: GitContext,
): Promise<readonly Trace[]> {
  const blobs = [...new Set(texts.flatMap((text) => text.blobs))];
  if (blobs.length === 0) return [];
  const answer = await runGit(
    {
      repository: path,
      args: ['cat-file', '--batch-check=%(objecttype) %(objectname)'],
      input: `${blobs.join('\n')}\n`,
      onFailure: 'has files that cannot be read',
    },
    context,
  );
  return answer.split('\n').flatMap((line) => {
    const [, blob] = /^blob ([0-9a-f]{40,64})$/.exec(line) ?? [];
    if (blob === undefined) return [];
    return [{ what: 'a file as the patch leaves it', where: `blob ${blob.slice(0, 12)}` }];
  });
}

/** By patch-id, and by the lines that the fix adds: of changes to files of the same names. */
async function findChanges(
  { path }: PublicRepository,
  { patches, texts }: Fix,
  context: GitContext,
): Promise<readonly Trace[]> {
  const files = texts.flatMap((text) => text.files.map((file) => file.split('/').at(-1) ?? file));
  if (files.length === 0) return [];
  const own = new Set<string>();
  for (const { bytes } of patches) {
    for (const [id] of await patchIds(path, bytes, context)) own.add(id);
  }
  const lines = texts.map(({ added }) => new Set(added.filter(isDistinctive)));
  const call = {
    repository: path,
    args: [...AS_PATCHES, '--', ...[...new Set(files)].map(anywhere)],
    onFailure: 'has changes that cannot be read',
  };
  const log = startGit(call, context);
  log.stdin.end();
  const [found, ids] = await Promise.all([
    findLines(log.stdout.pipe(new PassThrough()), lines),
    patchIds(path, log.stdout.pipe(new PassThrough()), context),
    endOf(log, call, context),
  ]);
  const same = ids.filter(([id]) => own.has(id)).map(([, commit]) => commit);
  return [
    ...same.map((commit) => ({ what: 'the same change', where: `commit ${commit.slice(0, 12)}` })),
    ...found
      .filter((commit) => !same.includes(commit))
      .map((commit) => ({
        what: 'half or more of the lines that a patch adds',
        where: `commit ${commit.slice(0, 12)}`,
      })),
  ];
}

/** As `git format-patch` writes them. The oldest commits that were fetched have nothing before them. */
const AS_PATCHES = [
  ...['-c', 'log.showRoot=false', 'log', '--all', '--patch', '--full-diff', '--format=commit %H'],
  ...['--no-ext-diff', '--no-textconv', '--no-renames', '--no-color', '--diff-merges=off'],
  ...['--no-show-signature', '--diff-algorithm=myers', '--unified=3', '--submodule=short'],
  ...['--src-prefix=a/', '--dst-prefix=b/'],
];

/** A file of this name in any folder, its name taken as it is. */
function anywhere(name: string): string {
  return `:(glob)**/${name.replace(/[*?[\]\\]/g, (letter) => `\\${letter}`)}`;
}

function isDistinctive(line: string): boolean {
  return line.length >= MIN_LINE && /\p{L}{3}/u.test(line);
}

/** Commits that add at least half of the distinctive lines of some patch. */
async function findLines(
  log: Readable,
  patches: readonly ReadonlySet<string>[],
): Promise<readonly string[]> {
  const wanted = patches.filter((lines) => lines.size > 0);
  const commits: string[] = [];
  let commit = '';
  let seen = new Set<string>();
  const finish = (): void => {
    const isHalf = wanted.some((lines) => 2 * lines.intersection(seen).size >= lines.size);
    if (commit !== '' && isHalf) commits.push(commit);
    seen = new Set();
  };
  for await (const line of partsOf(log, '\n', MAX_LINE)) {
    const [, next] = /^commit ([0-9a-f]{40,64})$/.exec(line) ?? [];
    if (next !== undefined) {
      finish();
      commit = next;
    } else if (line.startsWith('+')) {
      const added = line.slice(1).trim();
      if (wanted.some((lines) => lines.has(added))) seen.add(added);
    }
  }
  finish();
  return commits;
}

/** Patch-id and commit of every patch in a text, as git reckons them; zeros where no commit is named. */
async function patchIds(
  repository: string,
  patch: Uint8Array | Readable,
  context: GitContext,
): Promise<readonly (readonly [string, string])[]> {
  const args = ['patch-id', '--stable'];
  const call = { repository, args, onFailure: 'cannot be compared with a patch' };
  if (patch instanceof Uint8Array) return pairsOf(await runGit({ ...call, input: patch }, context));
  const git = startGit(call, context);
  const ended = endOf(git, call, context);
  git.stdin.on('error', () => undefined);
  patch.pipe(git.stdin);
  const parts: Buffer[] = [];
  git.stdout.on('data', (part: Buffer) => parts.push(part));
  await once(git.stdout, 'end');
  await ended;
  return pairsOf(Buffer.concat(parts).toString());
}

function pairsOf(text: string): readonly (readonly [string, string])[] {
  return text.split('\n').flatMap((line) => {
    const [, id, commit] = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64})$/.exec(line.trim()) ?? [];
    return id === undefined || commit === undefined ? [] : [[id, commit] as const];
  });
}
