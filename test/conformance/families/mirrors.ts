import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { encodeEnvelope, signEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import { encodePublication, parsePublication } from '../../../protocol/statement/share.ts';
import { sealedPath, type SealedName } from '../../../cli/client/mirror.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { HOUR_MS } from '../../support/clock.ts';
import { envelopeOf } from '../../support/story.ts';
import {
  dripping,
  endless,
  exchanged,
  flip,
  hostile,
  raw,
  reset,
  silent,
  type Attack,
} from '../support/attacks.ts';
import type { CaseOptions, HonestCase, HostileCase } from '../support/cases.ts';
import { fetchMirrored } from '../support/flows.ts';
import type { Handler, Site } from '../support/site.ts';

// Two mirrors at addresses below the simulator's. Nobody has put anything there, unless a case does.

type MirrorName = 'first' | 'second';

/** Shares that are out, by officer, in the order in which they came. */
function sharesOf(
  { repository: { campaigns, released } }: Site,
  campaign: 'A' | 'B',
): ReadonlyMap<string, Envelope> {
  const answer = released.get(`GET ${campaigns[campaign].path}/shares`);
  if (answer === undefined) throw new Error('nobody asked for shares');
  const { shares } = JSON.parse(utf8Decode(answer.body)) as { shares: unknown[] };
  return new Map(
    shares.map((json) => {
      const envelope = envelopeOf(json);
      return [parsePublication(envelope.payload).officer, envelope];
    }),
  );
}

const at = (mirror: MirrorName, officer: string): string =>
  `/${mirror}/{planA}/${officer}.release.json`;

/** Every place in which a mirror may have a share. */
const places = ({ repository: { officers } }: Site, mirror: MirrorName): readonly string[] =>
  officers.map(({ id }) => at(mirror, id));

/** The server shows that T0 has come, and hides what came with it. */
const withoutServer = (site: Site): void => {
  site.put('/v1/campaigns/{A}/shares', '{"shares":[]}');
  site.remove('/v1/campaigns/{A}/release-key');
};

/** Nothing answers any more but mirrors. */
const serverGone = (site: Site): void => {
  for (const key of site.repository.released.keys()) {
    const [method = '', path = ''] = key.split(' ');
    site.answer(method === 'GET' ? path : key, { status: 503 });
  }
};

/** What one mirror has, made from the shares that are really out. */
const holding =
  (
    mirror: MirrorName,
    change: (shares: ReadonlyMap<string, Envelope>, site: Site) => Held,
  ): Attack =>
  (site) => {
    for (const [officer, envelope] of change(sharesOf(site, 'A'), site)) {
      site.put(at(mirror, officer), encodeEnvelope(envelope));
    }
  };
type Held = Iterable<readonly [officer: string, Envelope]>;

const changed = (
  shares: ReadonlyMap<string, Envelope>,
  change: (envelope: Envelope, officer: string) => Envelope,
): Held => [...shares].map(([officer, envelope]) => [officer, change(envelope, officer)]);

/** All officers' shares as they should be; and fewer than it takes. */
const all = (mirror: MirrorName): Attack => holding(mirror, (shares) => shares);
const some = (mirror: MirrorName, from: number, to?: number): Attack =>
  holding(mirror, (shares) => [...shares].slice(from, to));

const answering =
  (mirror: MirrorName, handler: Handler): Attack =>
  (site) => {
    for (const path of places(site, mirror)) site.handle(path, handler);
  };

const saying =
  (mirror: MirrorName, status: number, headers: Readonly<Record<string, string>> = {}): Attack =>
  (site) => {
    for (const path of places(site, mirror)) site.answer(path, { status, headers });
  };

/** One file of a mirror comes slowly or never, and everything else is there before time passes. */
const waitingFor =
  (mirror: MirrorName, handler: Handler): Attack =>
  (site) => {
    const [officer = ''] = sharesOf(site, 'A').keys();
    const slowOne = at(mirror, officer);
    const others = (['first', 'second'] as const).flatMap((it) => places(site, it));
    const after = [...others.filter((path) => path !== slowOne), '/v1/campaigns/{A}/shares'];
    site.handle(slowOne, handler, after);
  };

const both =
  (...attacks: readonly Attack[]): Attack =>
  async (site) => {
    for (const attack of attacks) await attack(site);
  };

/** One officer's share under everybody's name. */
const oneForAll: Attack = holding('second', (shares, { repository }) => {
  const [one] = shares.values();
  return one === undefined ? [] : repository.officers.map(({ id }) => [id, one]);
});

/** Every officer's share under another officer's name, and one of them twice. */
const shuffled: Attack = holding('second', (shares) => {
  const [first, second] = shares.values();
  if (first === undefined || second === undefined) return [];
  return [...shares.keys()].map((officer, i) => [officer, i % 2 === 0 ? second : first]);
});

const othersShares: Attack = (site) => {
  for (const [officer, envelope] of sharesOf(site, 'B')) {
    site.put(at('second', officer), encodeEnvelope(envelope));
  }
};

const byStrangers: Attack = holding('second', (shares) =>
  changed(shares, ({ payload }) => signEnvelope(payload, signerFromSeed(generateSeed()))),
);

/** Signed by the officer who is named, over something that is not the share that was planned. */
const wrongShares: Attack = holding('second', (shares, { repository }) =>
  changed(shares, ({ payload }, officer) => {
    const signer = repository.officers.find(({ id }) => id === officer)?.signing;
    const publication = parsePublication(payload);
    if (signer === undefined || publication.kind !== 'share') throw new Error('an officer’s share');
    const sealed = flip(publication.sealed, publication.sealed.length - 1);
    return signEnvelope(encodePublication({ ...publication, sealed }), signer);
  }),
);

/** The release key as an agent published it, on a mirror under that officer's name. */
const releaseKey =
  (mirror: MirrorName, change: (envelope: Envelope, site: Site) => Envelope = (it) => it): Attack =>
  (site) => {
    const { campaigns, released } = site.repository;
    const answer = released.get(`GET ${campaigns.A.path}/release-key`);
    if (answer === undefined) throw new Error('nobody asked for the release key');
    const { envelope: json } = JSON.parse(utf8Decode(answer.body)) as { envelope: unknown };
    const envelope = envelopeOf(json);
    const { officer } = parsePublication(envelope.payload);
    const path = `/${mirror}/{planA}/${officer}.release-key.json`;
    site.put(path, encodeEnvelope(change(envelope, site)));
  };

/** What an officer signed in the place of the key. */
const wrongKey = ({ payload }: Envelope, { repository }: Site): Envelope => {
  const publication = parsePublication(payload);
  const signer = repository.officers.find(({ id }) => id === publication.officer)?.signing;
  if (signer === undefined) throw new Error('an officer published it');
  const sealed = flip(publication.sealed, publication.sealed.length - 1);
  return signEnvelope(encodePublication({ ...publication, sealed }), signer);
};

/** Each officer's sealed file of a mirror. */
const sealed =
  (mirror: MirrorName, of: SealedName, handler: Handler): Attack =>
  (site) => {
    const digest = planDigest(site.repository.campaigns.A.sealed.planBytes);
    for (const { id } of site.repository.officers) {
      site.handle(`/${mirror}/${sealedPath(of, digest, id)}`, handler);
    }
  };

/** Bytes that are no age file. */
const junk: Handler = (_, response) => void response.writeHead(200).end('junk');

/** No signatures over the files but those of mirrors, if any. */
const withoutSignatures: Attack = (site) => {
  site.remove('/v1/campaigns/{A}/signatures');
};

const dead = answering('first', reset);
const ELSEWHERE = { location: 'http://127.0.0.1:9/elsewhere' };
const TOO_FEW = /too few officers have published/;
const slow = { slow: true } as const;

const lying = (
  name: string,
  attack: Attack,
  says: RegExp = TOO_FEW,
  options?: CaseOptions,
): HostileCase => hostile(fetchMirrored, name, both(withoutServer, attack), 3, says, options);

/** Mirrors are believed nothing, and none of them keeps the others from being asked. */
export const mirrors: readonly HostileCase[] = [
  lying('dead first mirror, evil second', both(dead, byStrangers), /no officer published/),
  lying('shares of another campaign', both(dead, othersShares), /no officer published/),
  lying('one share under the names of all', both(dead, oneForAll)),
  lying('shares under each other’s names', both(dead, shuffled)),
  lying('wrong shares under the right names', both(dead, wrongShares), /of the release is bad/),
  lying('one share too few', both(dead, some('second', 0, -1))),
  lying('the same shares in two mirrors', both(some('first', 0, -1), some('second', 0, -1))),
  lying('something else than an envelope', saying('second', 200), /no officer published/),
  lying('a redirect', saying('second', 302, ELSEWHERE), /redirect, which is never followed/),
  lying(
    'a release key of a stranger',
    releaseKey('second', ({ payload }) => signEnvelope(payload, signerFromSeed(generateSeed()))),
    /no officer published/,
  ),
  lying('a wrong release key', releaseKey('second', wrongKey), /of the release-key is bad/),
  lying(
    'decisions that are none',
    sealed('second', 'decisions', junk),
    /decisions that are refused/,
  ),
  lying('decisions without end', sealed('second', 'decisions', endless), /longer than/),
  lying('decisions in no HTTP', sealed('second', 'decisions', raw('nonsense')), /cannot reach/),
  lying('an error', saying('second', 500), /answered 500/),
  lying('no HTTP', answering('second', raw('nonsense')), /cannot reach/),
  lying('answers without end', answering('second', endless), /longer than 262144 bytes/),
  lying('a mirror that says nothing', waitingFor('second', silent), /too slow/, slow),
  lying(
    'a mirror that drips',
    both(all('second'), waitingFor('second', dripping)),
    /too slow/,
    slow,
  ),
  hostile(
    fetchMirrored,
    'evil mirrors and a server that is gone',
    both(serverGone, dead, byStrangers),
    5,
    /going on without the server/,
  ),
  hostile(
    fetchMirrored,
    'evil mirrors an hour after T0',
    both(withoutServer, dead, oneForAll),
    6,
    /ALARM/,
    { later: HOUR_MS },
  ),
];

const opened = (name: string, arrange: Attack, options: Partial<HonestCase> = {}): HonestCase => ({
  flow: fetchMirrored,
  name,
  arrange,
  ...options,
});

/** One good share after the other is enough, wherever it comes from. */
export const goodMirrors: readonly HonestCase[] = [
  opened('the server is gone and the first mirror dead', both(all('second'), serverGone, dead)),
  opened('a hostile mirror beside a good one', both(all('first'), byStrangers, withoutServer)),
  opened(
    'shares spread over two mirrors',
    both(some('first', 0, 2), some('second', 2), withoutServer),
  ),
  opened(
    'a mirror that hangs beside a good one',
    both(all('second'), waitingFor('first', silent), withoutServer),
    slow,
  ),
  opened('the release key alone', both(releaseKey('second'), withoutServer)),
  opened(
    'junk for what was decided, and the server gone',
    both(all('second'), sealed('first', 'decisions', junk), serverGone),
  ),
  opened(
    'junk and data without end for the signatures over the files',
    both(
      sealed('first', 'signatures', endless),
      sealed('second', 'signatures', junk),
      withoutSignatures,
    ),
    { before: exchanged('signatures.age') },
  ),
  opened('evil mirrors beside an honest server', both(dead, byStrangers)),
];
