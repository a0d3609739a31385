import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseEd25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import { encodeTuf, signTuf, tufKey, tufKeyId } from '../../../protocol/trust/metadata.ts';
import { editJson, hostile, type Attack } from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { trustAdd, trustRefresh } from '../support/flows.ts';
import { forgeRoot, nextRoot, rootSigners } from '../support/forge.ts';
import type { Repository } from '../support/repository.ts';

const NEXT = '/tuf/3.root.json';

interface Root {
  keys: Record<string, object>;
  roles: Record<string, { keyids: string[]; threshold: number | string }>;
  'x-sealdrop': {
    people: { id: string; keys: Record<string, string> }[];
    directiveThreshold: number;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

type Signatures = { signatures: { keyid: string; sig: string }[] };

/** A next root that everybody signed, changed before that. */
const changed =
  (change: (root: Root, repository: Repository) => Partial<Root> | undefined): Attack =>
  (site) => {
    const { repository } = site;
    site.put(
      NEXT,
      forgeRoot(repository, (signed: Root) => ({ ...signed, ...change(signed, repository) })),
    );
  };

/** A next root that is right, its signatures changed afterwards. */
const signatures =
  (
    change: (list: Signatures['signatures'], repository: Repository) => Signatures['signatures'],
    signed = 3,
  ): Attack =>
  (site) => {
    const { repository } = site;
    const bytes = forgeRoot(repository, undefined, rootSigners(repository, signed));
    const json = JSON.parse(utf8Decode(bytes)) as Signatures;
    site.put(NEXT, JSON.stringify({ ...json, signatures: change(json.signatures, repository) }));
  };

/** What the server lists as the log's roots, changed. */
const listed = (change: (list: LoggedRoot[]) => object[]): Attack =>
  editJson('/v1/trust/roots', ({ roots }: { roots: LoggedRoot[] }) => ({ roots: change(roots) }));

interface LoggedRoot {
  readonly version: number;
  readonly sha256: string;
  readonly leafIndex: number;
}

const threshold =
  (role: string, value: number | string): Attack =>
  (site) =>
    changed((root) => {
      const before = root.roles[role];
      if (before !== undefined) before.threshold = value;
      return undefined;
    })(site);

/** What the people, keys and thresholds of a root may be, and who has to sign it. */
export const roots: readonly HostileCase[] = [
  hostile(
    trustRefresh,
    'signed by two of three',
    signatures((it) => it, 2),
    6,
    /2 of the 3/,
  ),
  hostile(
    trustRefresh,
    'not signed',
    signatures(() => []),
    6,
    /0 of the 3/,
  ),
  hostile(
    trustRefresh,
    'one signature three times',
    signatures(([it]) => (it ? [it, it, it] : [])),
    6,
    /two signatures under one key id/,
  ),
  hostile(
    trustRefresh,
    'one signature under three key ids',
    signatures((it) => it.map((one) => ({ ...one, sig: it[0]?.sig ?? '' }))),
    6,
    /no say/,
  ),
  hostile(
    trustRefresh,
    'a signature with a key id in capitals',
    signatures((it) =>
      it.map((one, i) => (i === 0 ? { ...one, keyid: one.keyid.toUpperCase() } : one)),
    ),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'a further signature by a stranger',
    (site) => {
      const { repository } = site;
      const stranger = signerFromSeed(generateSeed());
      site.put(NEXT, forgeRoot(repository, undefined, [...rootSigners(repository), stranger]));
    },
    6,
    /no say/,
  ),
  hostile(
    trustRefresh,
    'signed with signing keys in place of root keys',
    (site) => {
      const { repository } = site;
      const keys = repository.officers.map(({ signing }) => signing);
      site.put(NEXT, forgeRoot(repository, undefined, keys));
    },
    6,
    /no say/,
  ),
  hostile(
    trustRefresh,
    'signed by people who only come with it',
    (site) => {
      const { repository } = site;
      const strangers = repository.officers.map((it) => ({
        ...it,
        root: signerFromSeed(generateSeed()),
      }));
      const people = new Map(
        [...repository.root.people].map(([id, officer]) => {
          const root = strangers.find((it) => it.id === id)?.root.publicKey ?? officer.root;
          return [id, { ...officer, root }];
        }),
      );
      const signed = nextRoot(repository, { people });
      site.put(NEXT, encodeTuf(signed, signTuf(signed, ...strangers.map(({ root }) => root))));
    },
    6,
    /no say|of the 3/,
  ),
  hostile(trustRefresh, 'a threshold of 0 for roots', threshold('root', 0), 6, /./),
  hostile(trustRefresh, 'a threshold of 0 for targets', threshold('targets', 0), 6, /./),
  hostile(trustRefresh, 'a threshold of 0 for snapshots', threshold('snapshot', 0), 6, /./),
  hostile(trustRefresh, 'a threshold of -1', threshold('root', -1), 6, /./),
  hostile(trustRefresh, 'a threshold in words', threshold('root', '3'), 6, /./),
  hostile(
    trustRefresh,
    'a threshold that two halves could reach',
    changed((it) => ({ 'x-sealdrop': { ...it['x-sealdrop'], directiveThreshold: 2 } })),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'a threshold of 0 people',
    changed((it) => ({ 'x-sealdrop': { ...it['x-sealdrop'], directiveThreshold: 0 } })),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'more people needed than there are',
    changed((it) => ({ 'x-sealdrop': { ...it['x-sealdrop'], directiveThreshold: 6 } })),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'one key under two ids',
    changed((it, { officers }) => {
      const [first] = officers;
      if (first !== undefined) it.keys['f'.repeat(64)] = tufKey(first.root.publicKey);
      it.roles['root']?.keyids.push('f'.repeat(64));
      return undefined;
    }),
    6,
    /not those of the people/,
  ),
  hostile(
    trustRefresh,
    'a key id twice in one role',
    changed((it) => {
      const [first = ''] = it.roles['root']?.keyids ?? [];
      it.roles['root']?.keyids.push(first);
      return undefined;
    }),
    6,
    /not those of the people/,
  ),
  hostile(
    trustRefresh,
    'two keys of one person in one role',
    changed((it, { officers }) => {
      const [first] = officers;
      if (first !== undefined) it.roles['root']?.keyids.push(tufKeyId(first.signing.publicKey));
      return undefined;
    }),
    6,
    /not those of the people/,
  ),
  hostile(
    trustRefresh,
    'one person listed twice',
    changed((it) => {
      const [first] = it['x-sealdrop'].people;
      if (first !== undefined) it['x-sealdrop'].people.push(first);
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'one person under two names',
    changed((it) => {
      const [first] = it['x-sealdrop'].people;
      if (first !== undefined) it['x-sealdrop'].people.push({ ...first, id: 'zoe' });
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'keys of two people exchanged',
    changed((it) => {
      const [first, second] = it['x-sealdrop'].people;
      if (first === undefined || second === undefined) return undefined;
      [first.keys, second.keys] = [second.keys, first.keys];
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'a root key of small order',
    changed((it) => {
      const [first] = it['x-sealdrop'].people;
      if (first !== undefined) first.keys['root'] = `01${'00'.repeat(31)}`;
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'the log key as an officer’s',
    changed((it, { server }) => {
      const [first] = it['x-sealdrop'].people;
      if (first !== undefined) first.keys['signing'] = server.log.publicKey;
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'a role with a key that is nobody’s',
    changed((it) => {
      const key = parseEd25519PublicKey(signerFromSeed(generateSeed()).publicKey);
      it.keys[tufKeyId(key)] = tufKey(key);
      it.roles['targets']?.keyids.push(tufKeyId(key));
      return undefined;
    }),
    6,
    /not those of the people/,
  ),
  hostile(
    trustRefresh,
    'a delegated role',
    changed((it) => {
      it.roles['mirrors'] = { keyids: [], threshold: 1 };
      return undefined;
    }),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'no consistent snapshots',
    changed(() => ({ consistent_snapshot: false })),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'another TUF version',
    changed(() => ({ spec_version: '2.0.0' })),
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'a timestamp as root',
    (site) => {
      site.put(NEXT, site.read('/tuf/timestamp.json'));
    },
    6,
    /./,
  ),
  hostile(
    trustRefresh,
    'another network',
    changed((it) => ({
      'x-sealdrop': {
        ...it['x-sealdrop'],
        network: 'solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn',
      },
    })),
    6,
    /network may not change/,
  ),
  hostile(
    trustRefresh,
    'a version beyond 2^53',
    changed(() => ({ version: 2 ** 53 })),
    6,
    /./,
  ),
  hostile(
    trustAdd,
    'another root than the pinned one',
    (site) => {
      site.put('/tuf/1.root.json', site.read('/tuf/2.root.json'));
    },
    6,
    /not the one that was pinned/,
  ),
  hostile(
    trustAdd,
    'the pinned root with a space more',
    (site) => {
      site.edit('/tuf/1.root.json', (it) => `${utf8Decode(it)} `);
    },
    6,
    /not the one that was pinned/,
  ),
  hostile(
    trustAdd,
    'a second root that does not follow',
    (site) => {
      site.edit('/tuf/2.root.json', () => forgeRoot(site.repository));
    },
    6,
    /version is not the next/,
  ),
  hostile(
    trustAdd,
    'no root',
    (site) => {
      site.remove('/tuf/1.root.json');
    },
    6,
    /no root of trust/,
  ),
  hostile(
    trustRefresh,
    'a list of roots that hides the newest',
    listed((list) => list.slice(0, -1)),
    6,
    /does not list root 2/,
  ),
  hostile(
    trustRefresh,
    'a list of roots with another one',
    listed((list) => list.map((it) => ({ ...it, sha256: 'ab'.repeat(32) }))),
    6,
    /does not list root 1/,
  ),
  hostile(
    trustRefresh,
    'a list of roots that are elsewhere in the log',
    listed((list) => list.map((it) => ({ ...it, leafIndex: it.leafIndex + 1 }))),
    6,
    /proof/,
  ),
];
