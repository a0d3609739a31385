import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { forgeRoot } from '../support/forge.ts';
import { edit, hostile, type Attack } from '../support/attacks.ts';
import type { CaseOptions, HostileCase } from '../support/cases.ts';
import { ack, fetchPatch, inbox, prefetch, trustRefresh, type Flow } from '../support/flows.ts';

type Options = CaseOptions & Pick<HostileCase, 'spendsCounter'>;

/** One way to write JSON that two readers could read differently, or that breaks one. */
const SPELLINGS: Readonly<Record<string, (text: string) => Uint8Array | string>> = {
  'a name twice': (text) => text.replace(/^\{("[^"]+":)/, '{$1null,$1'),
  'a byte order mark': (text) => `\uFEFF${text}`,
  'UTF-16': (text) => new Uint8Array(Buffer.from(text, 'utf16le')),
  'something behind it': (text) => `${text}{}`,
  'a comma too many': (text) => text.replace(/\}$/, ',}'),
  'a comment': (text) => `/* */${text}`,
  'a member more': (text) => text.replace(/^\{/, '{"extra":1,'),
  'a __proto__': (text) => text.replace(/^\{/, '{"__proto__":{},'),
  'a number beyond doubles': (text) => text.replace(/^\{/, '{"extra":1e400,'),
  'an integer beyond 2^53': (text) => text.replace(/^\{/, '{"extra":9007199254740993,'),
  'a lone surrogate': (text) => text.replace(/^\{/, '{"extra":"\\ud800",'),
  'needless escapes': (text) =>
    text.replace(/^\{"(\w)/, (_, it: string) => `{"\\u00${it.charCodeAt(0).toString(16)}`),
  'deep nesting': (text) =>
    text.replace(/^\{/, `{"extra":${'['.repeat(20_000)}${']'.repeat(20_000)},`),
  'an array around it': (text) => `[${text}]`,
  'bytes that are no UTF-8': (text) =>
    Uint8Array.from([...utf8Encode(text.slice(0, -1)), 0xff, 0x7d]),
};

const ROUTES: readonly (readonly [Flow, string, Options?])[] = [
  [prefetch, '/v1/campaigns/{A}/directives'],
  [inbox, '/v1/inbox'],
  [fetchPatch, '/v1/campaigns/{A}/shares'],
];

const written = (path: string, spell: (text: string) => Uint8Array | string): Attack =>
  edit(path, (body) => spell(utf8Decode(body)));

/** The root that would follow, spelt oddly: nothing else is wrong with it. */
const root =
  (spell: (text: string) => Uint8Array | string): Attack =>
  (site) => {
    site.put('/tuf/3.root.json', spell(utf8Decode(forgeRoot(site.repository))));
  };

/** Every spelling on every kind of JSON answer. */
export const json: readonly HostileCase[] = Object.entries(SPELLINGS).flatMap(([name, spell]) => [
  ...ROUTES.map(([flow, path, options]) =>
    hostile(flow, `${name} in ${path}`, written(path, spell), 6, /./, options),
  ),
  hostile(trustRefresh, `${name} in a root`, root(spell), 6, /./),
  hostile(
    ack,
    `${name} in a receipt`,
    written('POST /v1/campaigns/{A}/statements', spell),
    6,
    /./,
    {
      spendsCounter: true,
    },
  ),
]);
