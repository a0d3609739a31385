import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import {
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  utf8Decode,
} from '../../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { encodePublication, parsePublication } from '../../../protocol/statement/share.ts';
import { envelopeJson, envelopeOf } from '../../support/story.ts';
import { edit, editJson, hostile, type Attack } from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { fetchPatch, prefetch } from '../support/flows.ts';
import { forgeTuf } from '../support/forge.ts';
import { addGroupOrder } from '../support/malleate.ts';
import type { Repository } from '../support/repository.ts';
import type { Site } from '../support/site.ts';

const TIMESTAMP = '/tuf/timestamp.json';
const DIRECTIVES = '/v1/campaigns/{A}/directives';
const SHARES = '/v1/campaigns/{A}/shares';

interface TufSignature {
  keyid: string;
  sig: string;
}
type Metadata = { signatures: TufSignature[] };

/** A timestamp of the next version, so that it is looked at, with its signatures changed. */
const timestamp =
  (change: (list: TufSignature[]) => TufSignature[]): Attack =>
  (site) => {
    forgeTuf(site, { timestamp: (it) => ({ ...it, version: it.version + 1 }) });
    site.editJson(TIMESTAMP, ({ signatures, ...rest }: Metadata) => ({
      ...rest,
      signatures: change(signatures),
    }));
  };

const signedBy =
  (
    role: 'targets' | 'snapshot' | 'timestamp',
    signers: (repository: Repository) => readonly Signer[],
  ): Attack =>
  (site: Site) => {
    const next = (it: { version: number }): object => ({ ...it, version: it.version + 1 });
    const change = role === 'timestamp' ? { timestamp: next } : { [role]: next };
    forgeTuf(site, { ...change, signers: { [role]: signers(site.repository) } });
  };

const stranger = (): Signer => signerFromSeed(generateSeed());

interface EnvelopeJson {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}
type Completed = { completed: { envelope: EnvelopeJson; completedAt: string }[] };

/** Every directive's envelope, changed. */
const directives = (
  change: (envelope: EnvelopeJson, repository: Repository) => EnvelopeJson,
): Attack =>
  editJson(DIRECTIVES, ({ completed, ...rest }: Completed, { repository }) => ({
    ...rest,
    completed: completed.map(({ envelope, completedAt }) => ({
      envelope: change(envelope, repository),
      completedAt,
    })),
  }));

const withSignatures = (
  change: (list: EnvelopeJson['signatures']) => EnvelopeJson['signatures'],
): Attack => directives((it) => ({ ...it, signatures: change(it.signatures) }));

/** All shares changed, and no release key to fall back on. */
const shares =
  (change: (envelope: EnvelopeJson, repository: Repository) => unknown): Attack =>
  (site) => {
    site.remove('/v1/campaigns/{A}/release-key');
    site.editJson(SHARES, (json: { shares: EnvelopeJson[] }) => ({
      shares: json.shares.map((it) => change(it, site.repository)),
    }));
  };

const renamed = (id: string): Attack =>
  shares((json, { officers }) => {
    const publication = parsePublication(envelopeOf(json).payload);
    const signer = officers.find((it) => it.id === publication.officer)?.signing;
    if (signer === undefined) throw new Error('an officer published it');
    return envelopeJson(signEnvelope(encodePublication({ ...publication, officer: id }), signer));
  });

/** Signatures that do not hold, that hold for another role, or that stand there twice. */
export const signatures: readonly HostileCase[] = [
  hostile(
    prefetch,
    'a timestamp without signatures',
    timestamp(() => []),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp whose signature stands twice',
    timestamp((it) => [...it, ...it]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp with one bit of its signature flipped',
    timestamp((it) =>
      it.map((one) => ({ ...one, sig: one.sig.replace(/^./, (c) => (c === '0' ? '1' : '0')) })),
    ),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp signature with S + L',
    timestamp((it) =>
      it.map((one) => ({ ...one, sig: toHex(addGroupOrder(fromHex(one.sig, 64))) })),
    ),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp signed by the snapshot key',
    signedBy('timestamp', ({ server }) => [server.snapshot]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp signed by the log key',
    signedBy('timestamp', ({ server }) => [server.log]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp signed by a stranger',
    signedBy('timestamp', () => [stranger()]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a timestamp signed by an officer',
    signedBy('timestamp', ({ officers }) => officers.slice(0, 1).map((it) => it.signing)),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a snapshot signed by the timestamp key',
    signedBy('snapshot', ({ server }) => [server.timestamp]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a snapshot with another digest than the timestamp says',
    (site) => {
      forgeTuf(site, { snapshot: (it) => ({ ...it, version: it.version + 1 }) });
      const version = Number(site.repository.names.get('snapshot')?.split('.')[0]) + 1;
      site.edit(`/tuf/${version}.snapshot.json`, (it) => `${utf8Decode(it)} `);
    },
    6,
    /./,
  ),
  hostile(
    prefetch,
    'targets signed by two of three',
    signedBy('targets', ({ officers }) => officers.slice(0, 2).map((it) => it.signing)),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'targets signed by one officer with two keys',
    signedBy('targets', ({ officers }) =>
      officers.slice(0, 2).flatMap((it) => [it.signing, it.root]),
    ),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'targets signed with root keys',
    signedBy('targets', ({ officers }) => officers.map((it) => it.root)),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'targets signed by the server',
    signedBy('targets', ({ server }) => [server.snapshot, server.timestamp, server.log]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'targets with a further signature by a stranger',
    signedBy('targets', ({ officers }) => [...officers.map((it) => it.signing), stranger()]),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'directives with a signature taken away',
    withSignatures((it) => it.slice(1)),
    6,
    /2 of the 3 people/,
  ),
  hostile(
    prefetch,
    'directives with one signature twice',
    withSignatures(([it, ...rest]) => (it ? [it, it, ...rest.slice(1)] : rest)),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'directives with one signature under other key ids',
    withSignatures((it) => it.map((one) => ({ ...one, sig: it[0]?.sig ?? '' }))),
    6,
    /does not verify/,
  ),
  hostile(
    prefetch,
    'directives with their signatures in another order',
    withSignatures((it) => it.toReversed()),
    6,
    /not sorted/,
  ),
  hostile(
    prefetch,
    'directives with a signature with S + L',
    withSignatures((it) =>
      it.map((one) => ({ ...one, sig: toBase64(addGroupOrder(fromBase64(one.sig))) })),
    ),
    6,
    /does not verify/,
  ),
  hostile(
    prefetch,
    'directives of another payload type',
    directives((it) => ({ ...it, payloadType: 'application/json' })),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'directives with padding less in their payload',
    directives((it) => ({ ...it, payload: it.payload.replace(/=*$/, '') })),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'directives with a further signature by a stranger',
    directives((json) => {
      const envelope = envelopeOf(json);
      const [more] = signEnvelope(envelope.payload, stranger()).signatures;
      return envelopeJson({
        ...envelope,
        signatures: [...envelope.signatures, ...(more ? [more] : [])],
      }) as EnvelopeJson;
    }),
    6,
    /no say/,
  ),
  hostile(
    prefetch,
    'directives signed with root keys',
    directives(
      (json, { officers }) =>
        envelopeJson(
          signEnvelope(envelopeOf(json).payload, ...officers.map((it) => it.root)),
        ) as EnvelopeJson,
    ),
    6,
    /no say/,
  ),
  hostile(
    fetchPatch,
    'shares with their signatures broken',
    shares((it) => ({
      ...it,
      signatures: it.signatures.map((one) => ({ ...one, sig: toBase64(new Uint8Array(64)) })),
    })),
    3,
    /no officer published/,
  ),
  hostile(
    fetchPatch,
    'shares signed by a stranger',
    shares((it) => envelopeJson(signEnvelope(envelopeOf(it).payload, stranger()))),
    3,
    /no officer published/,
  ),
  hostile(fetchPatch, 'one share under the names of all', renamed('alice'), 3, /./),
  hostile(
    fetchPatch,
    'one share as often as it takes',
    (site) => {
      site.remove('/v1/campaigns/{A}/release-key');
      site.editJson(SHARES, ({ shares: [one] }: { shares: unknown[] }) => ({
        shares: [one, one, one],
      }));
    },
    3,
    /too few officers/,
  ),
  hostile(
    fetchPatch,
    'no shares and no key',
    (site) => {
      site.remove('/v1/campaigns/{A}/release-key');
      site.put(SHARES, '{"shares":[]}');
    },
    3,
    /too few officers/,
  ),
  hostile(
    prefetch,
    'a timestamp with a name twice',
    (site) => {
      forgeTuf(site, { timestamp: (it) => ({ ...it, version: it.version + 1 }) });
      edit(TIMESTAMP, (it) => utf8Decode(it).replace('"version":', '"version":1,"version":'))(site);
    },
    6,
    /./,
  ),
];
