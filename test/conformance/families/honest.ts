import { HOUR_MS, MINUTE_MS } from '../../support/clock.ts';
import { dropBundle, endless, exchanged, raw, reset, silent, swap } from '../support/attacks.ts';
import type { HonestCase } from '../support/cases.ts';
import {
  fetchPatch,
  inbox,
  logVerify,
  prefetch,
  trustAdd,
  trustRefresh,
  verifyNotice,
  type Flow,
} from '../support/flows.ts';
import { forgeRoot, rootSigners } from '../support/forge.ts';
import type { Handler, Site } from '../support/site.ts';

const as_is = (): void => undefined;

/** Every answer in pieces of one byte to a few, without a length. */
const inChunks: Handler = (_, response, answer) => {
  const body = answer?.body ?? new Uint8Array();
  response.writeHead(answer?.status ?? 404, answer?.headers);
  for (let at = 0; at < body.length; at += 1000) response.write(body.subarray(at, at + 1000));
  response.end();
};

/** Four pieces, six seconds apart: slow, and within every limit. */
const slowly: Handler = (_, response, answer) => {
  const body = answer?.body ?? new Uint8Array();
  const step = Math.ceil(body.length / 4);
  response.writeHead(answer?.status ?? 404, answer?.headers);
  let at = 0;
  const next = (): void => {
    response.write(body.subarray(at, at + step));
    at += step;
    if (at < body.length) setTimeout(next, 6000);
    else response.end();
  };
  next();
};

const busy = (site: Site): void => {
  site.answer('/v1/campaigns/{A}/directives', { status: 503, headers: { 'retry-after': '1' } });
};

const at =
  (path: string, handler: Handler) =>
  (site: Site): void => {
    site.handle(path, handler);
  };

const every =
  (paths: readonly string[], handler: Handler) =>
  (site: Site): void => {
    for (const path of paths) site.handle(path, handler);
  };

const withHeaders = (site: Site): void => {
  for (const path of ['/v1/campaigns/{A}/plan', '/tuf/timestamp.json', '/log/checkpoint']) {
    site.answer(path, {
      headers: {
        'x-unknown': 'of no concern',
        'set-cookie': 'track=me',
        'strict-transport-security': 'max-age=1',
        link: '<https://elsewhere.example>; rel=canonical',
      },
      body: site.read(path),
    });
  }
};

const thirdRoot = (site: Site): void => {
  const { repository } = site;
  const bytes = forgeRoot(repository, undefined, rootSigners(repository, 3));
  site.put('/tuf/3.root.json', bytes);
};

const honestRun = (
  flow: Flow,
  name: string,
  arrange: HonestCase['arrange'],
  options: Partial<HonestCase> = {},
): HonestCase => ({ flow, name, arrange, ...options });

const OK = 'HTTP/1.1 200 OK\nconnection: close';
const BUNDLE = '/blobs/sha256/{bundleA}';
const PARTS = ['/v1/campaigns/{A}/plan', '/log/checkpoint', '/tuf/timestamp.json'];

/** What servers, networks and people do without meaning any harm. */
export const honest: readonly HonestCase[] = [
  honestRun(prefetch, 'answers in chunks', every([...PARTS, BUNDLE], inChunks), {
    before: dropBundle,
  }),
  honestRun(prefetch, 'slow answers, within limits', every([...PARTS, BUNDLE], slowly), {
    before: dropBundle,
    slow: true,
  }),
  honestRun(prefetch, 'headers that nobody knows', withHeaders, { isIdempotent: true }),
  honestRun(prefetch, 'a busy server, tried again', as_is, {
    earlier: [{ arrange: busy, exit: 5 }],
    isIdempotent: true,
  }),
  honestRun(prefetch, 'an interrupted download, begun again', as_is, {
    before: dropBundle,
    earlier: [{ arrange: at(BUNDLE, reset), exit: 5 }],
  }),
  honestRun(prefetch, 'a second time', as_is, {
    earlier: [{ arrange: as_is, exit: 0 }],
    isIdempotent: true,
  }),
  honestRun(prefetch, 'a clock five minutes fast', as_is, { later: 5 * MINUTE_MS }),
  honestRun(prefetch, 'a clock five minutes slow', as_is, { later: -5 * MINUTE_MS }),
  honestRun({ ...prefetch, home: 'then' }, 'everything has moved on since', as_is),
  honestRun({ ...verifyNotice, home: 'enrolled' }, 'the first contact with the log', as_is),
  honestRun({ ...trustRefresh, home: 'then' }, 'a rotated root', as_is),
  honestRun(prefetch, 'a third root, signed by no more than it takes', thirdRoot),
  honestRun(trustAdd, 'roots in chunks', at('/tuf/1.root.json', inChunks)),
  honestRun(trustAdd, 'a second time', as_is, {
    earlier: [{ arrange: as_is, exit: 0 }],
    isIdempotent: true,
  }),
  honestRun(logVerify, 'tiles in chunks', at('/log/{tile}', inChunks)),
  honestRun(inbox, 'answers in chunks', at('/v1/inbox', inChunks)),
  honestRun(fetchPatch, 'no shares but the release key', (site) => {
    site.put('/v1/campaigns/{A}/shares', '{"shares":[]}');
  }),
  honestRun(fetchPatch, 'no word about roots', at('/tuf/3.root.json', silent), { slow: true }),
  honestRun(fetchPatch, 'roots without end', at('/tuf/3.root.json', endless)),
  honestRun(fetchPatch, 'a server that has no directives for anybody now', (site) => {
    site.answer('/v1/campaigns/{A}/directives', { status: 503 });
  }),
  honestRun(fetchPatch, 'a clock an hour slow', as_is, { later: -HOUR_MS }),
  honestRun(
    fetchPatch,
    'signatures of another campaign in the home and from the server',
    swap('/v1/campaigns/{A}/signatures', '/v1/campaigns/{B}/signatures'),
    { before: exchanged('signatures.age') },
  ),
  honestRun(
    fetchPatch,
    'signatures of another campaign in the home, and the right ones served',
    as_is,
    {
      before: exchanged('signatures.age'),
    },
  ),
  honestRun(prefetch, 'a ciphertext that ends with its connection', at(BUNDLE, raw(OK)), {
    before: dropBundle,
  }),
];
