import { gzipSync } from 'node:zlib';
import { concatBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import {
  by,
  dropBundle,
  dropPlan,
  edit,
  flip,
  hostile,
  raw,
  reset,
  serve,
  status,
} from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { ack, fetchPatch, inbox, prefetch, trustRefresh, verifyNotice } from '../support/flows.ts';

const PLAN = '/v1/campaigns/{A}/plan';
const DIRECTIVES = '/v1/campaigns/{A}/directives';
const BUNDLE = '/blobs/sha256/{bundleA}';
const before = { before: dropBundle };

/** Longer than any answer may be, in a few hundred kilobytes. */
let bomb: Uint8Array | undefined;

const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length >> 1);
const OK = 'HTTP/1.1 200 OK\nconnection: close';
/** Where a length can be wrong: for JSON, for bytes that a digest fixes, for metadata, for notes. */
const BODIES = [DIRECTIVES, PLAN, '/tuf/timestamp.json', '/log/checkpoint'] as const;

/** Bodies that are shorter or longer than they say, or said in a way that two readers read apart. */
export const length: readonly HostileCase[] = [
  hostile(
    prefetch,
    'a ciphertext that is one byte short',
    edit(BUNDLE, (it) => it.subarray(1)),
    6,
    /download/,
    before,
  ),
  hostile(
    prefetch,
    'a ciphertext that is one byte long',
    edit(BUNDLE, (it) => concatBytes(it, utf8Encode('x'))),
    6,
    /longer than/,
    before,
  ),
  hostile(
    prefetch,
    'a ciphertext with one bit flipped',
    edit(BUNDLE, (it) => flip(it, 7)),
    6,
    /download/,
    before,
  ),
  hostile(prefetch, 'an empty ciphertext', serve(BUNDLE, ''), 6, /download/, before),
  hostile(
    prefetch,
    'no ciphertext',
    status(BUNDLE, 404),
    1,
    /does not have the ciphertext/,
    before,
  ),
  hostile(
    prefetch,
    'a part of the ciphertext, as 206',
    (site) => {
      site.answer(BUNDLE, { status: 206, body: cut(site.read(BUNDLE)) });
    },
    6,
    /download/,
    before,
  ),
  hostile(
    prefetch,
    'a reset in the middle of the ciphertext',
    by(BUNDLE, reset),
    5,
    /cannot reach/,
    before,
  ),
  ...BODIES.flatMap((path) => {
    const asked = path === PLAN ? { before: dropPlan } : {};
    return [
      hostile(
        prefetch,
        `half of ${path}, complete by its own account`,
        edit(path, cut),
        6,
        /./,
        asked,
      ),
      hostile(prefetch, `nothing in ${path}`, serve(path, ''), 6, /./, asked),
      hostile(
        prefetch,
        `a reset in the middle of ${path}`,
        by(path, reset),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `less of ${path} than its length says`,
        by(path, raw(`${OK}\ncontent-length: 99999`)),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `more of ${path} than its length says`,
        by(path, raw(`${OK}\ncontent-length: 40`)),
        6,
        /./,
        asked,
      ),
      hostile(
        prefetch,
        `${path} said to be gzip`,
        by(path, raw(`${OK}\ncontent-encoding: gzip`)),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `${path} said to be chunked`,
        by(path, raw(`${OK}\ntransfer-encoding: chunked`)),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `${path} with two lengths`,
        by(path, raw(`${OK}\ncontent-length: 40\ncontent-length: 41`)),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `${path} with a length and in chunks`,
        by(path, raw(`${OK}\ncontent-length: 40\ntransfer-encoding: chunked`)),
        5,
        /cannot reach/,
        asked,
      ),
      hostile(
        prefetch,
        `${path} unpacking to far more`,
        by(
          path,
          raw(
            `${OK}\ncontent-encoding: gzip`,
            () => (bomb ??= gzipSync(new Uint8Array(80_000_000), { level: 1 })),
          ),
        ),
        6,
        /longer than/,
        asked,
      ),
    ];
  }),
  hostile(
    trustRefresh,
    'no status line',
    by('/tuf/3.root.json', raw('nonsense')),
    5,
    /cannot reach/,
  ),
  hostile(
    verifyNotice,
    'a reset in the middle of a tile',
    by('/log/{tile}', reset),
    5,
    /cannot reach/,
  ),
  hostile(inbox, 'a reset in the middle of the inbox', by('/v1/inbox', reset), 5, /cannot reach/),
  hostile(
    ack,
    'a reset in the middle of the receipt',
    by('POST /v1/campaigns/{A}/statements', reset),
    5,
    /cannot reach/,
    { spendsCounter: true },
  ),
  hostile(
    fetchPatch,
    'a reset in the middle of the shares',
    by('/v1/campaigns/{A}/shares', reset),
    5,
    /cannot reach/,
  ),
];
