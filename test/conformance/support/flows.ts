import { join } from 'node:path';
import type { HomeName, Repository } from './repository.ts';

/** One thing that people do, and everything an honest server says to it. */
export interface Flow {
  readonly name: string;
  /** What is typed; `out` is where the command may write outside of the home. */
  words(repository: Repository, url: string, out: string): readonly string[];
  readonly home: HomeName;
  readonly answers: 'then' | 'now' | 'released';
  /** What it signs depends on the second it is signed in, and so do the recorded answers. */
  readonly needsClock?: true;
}

const id = ({ campaigns }: Repository): string => campaigns.A.sealed.id;

/** Pin the first root and follow it to the newest. */
export const trustAdd: Flow = {
  name: 'trust add',
  words: ({ rootSha256 }, url) => ['trust', 'add', url, '--root-sha256', rootSha256],
  home: 'empty',
  answers: 'now',
};

/** Ask for newer roots; the home has all there are. */
export const trustRefresh: Flow = {
  name: 'trust show --refresh',
  words: () => ['trust', 'show', '--refresh'],
  home: 'now',
  answers: 'now',
};

/** Hold a notice against the public log. */
export const verifyNotice: Flow = {
  name: 'verify-notice',
  words: ({ notices: { A } }) => [
    'verify-notice',
    join(A, 'notice.txt'),
    '--list',
    join(A, 'COMMITMENT'),
  ],
  home: 'now',
  answers: 'now',
};

/** Plan, directives, log, TUF and ciphertext, all of which the home has seen before. */
export const prefetch: Flow = {
  name: 'prefetch',
  words: (repository) => ['prefetch', id(repository)],
  home: 'now',
  answers: 'now',
};

/** Log in, sign a statement, take the receipt. */
export const ack: Flow = {
  name: 'ack',
  words: (repository) => ['ack', id(repository)],
  home: 'now',
  answers: 'now',
  needsClock: true,
};

/** Save the messages that wait on the server. */
export const inbox: Flow = {
  name: 'inbox --save',
  words: (_, __, out) => ['inbox', '--save', out],
  home: 'now',
  answers: 'now',
};

/** Open the patch at T0. */
export const fetchPatch: Flow = {
  name: 'fetch',
  words: (repository, _, out) => ['fetch', id(repository), '--out', out],
  home: 'now',
  answers: 'released',
};

/** The same, with two mirrors to ask besides the server. */
export const fetchMirrored: Flow = {
  name: 'fetch --mirror',
  words: (repository, url, out) => [
    ...fetchPatch.words(repository, url, out),
    ...['first', 'second'].flatMap((mirror) => ['--mirror', `${url}/${mirror}`]),
  ],
  home: 'now',
  answers: 'released',
};

/** Read the whole log. */
export const logVerify: Flow = {
  name: 'log verify',
  words: (_, url) => ['log', 'verify', url],
  home: 'now',
  answers: 'now',
};
