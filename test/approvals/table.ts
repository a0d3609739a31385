import { encodeDirective } from '../../protocol/campaign/directive.ts';
import { fromBase64, toBase64, utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { preAuthEncoding, STATEMENT_TYPE } from '../../protocol/signature/dsse.ts';
import { addGroupOrder } from '../conformance/support/malleate.ts';
import { DAY_MS, HOUR_MS } from '../support/clock.ts';
import { SMALL_ORDER, signWithSmallR } from './support/curve.ts';
import type { EnvelopeJson, Kit } from './support/kit.ts';

/** Something that is no approval by a threshold of people of exactly the next step. */
export interface ApprovalCase {
  readonly name: string;
  readonly make: (kit: Kit) => EnvelopeJson | string;
}

type Entry = EnvelopeJson['signatures'][number];

const row = (name: string, make: ApprovalCase['make']): ApprovalCase => ({ name, make });

const sorted = (signatures: readonly Entry[]): Entry[] =>
  [...signatures].sort((a, b) => (a.keyid < b.keyid ? -1 : 1));

/** The honest approval, its signatures changed. */
const signatures = (
  name: string,
  change: (list: [Entry, Entry, Entry], kit: Kit) => readonly Entry[],
): ApprovalCase =>
  row(name, (kit) => {
    const envelope = kit.sign();
    return {
      ...envelope,
      signatures: sorted(change(envelope.signatures as [Entry, Entry, Entry], kit)),
    };
  });

/** The honest approval, its first signature exchanged for other bytes. */
const firstSignature = (name: string, change: (sig: Uint8Array) => Uint8Array): ApprovalCase =>
  signatures(name, ([first, ...rest]) => [
    { ...first, sig: toBase64(change(fromBase64(first.sig))) },
    ...rest,
  ]);

/** A directive with something changed, signed as it should be. */
const directive = (name: string, change: (kit: Kit) => Partial<Kit['directive']>): ApprovalCase =>
  row(name, (kit) => kit.sign(change(kit)));

/** A payload with something changed that no tool of ours would write. */
const payload = (name: string, change: (text: string) => string): ApprovalCase =>
  row(name, (kit) =>
    kit.signPayload(utf8Encode(change(utf8Decode(encodeDirective(kit.directive))))),
  );

/** The honest envelope, spelt in another way. */
const spelling = (name: string, change: (text: string) => string): ApprovalCase =>
  row(name, (kit) => change(JSON.stringify(kit.sign())));

const smallR = (order: keyof typeof SMALL_ORDER): ApprovalCase =>
  row(`a signature whose R is of small order (${order})`, (kit) => {
    const envelope = kit.sign();
    const message = preAuthEncoding(STATEMENT_TYPE, fromBase64(envelope.payload));
    const sig = toBase64(signWithSmallR(kit.keys.alice, message, SMALL_ORDER[order]));
    const { publicKey } = kit.keys.alice;
    return {
      ...envelope,
      signatures: envelope.signatures.map((it) => (it.keyid === publicKey ? { ...it, sig } : it)),
    };
  });

const flipBit = (sig: Uint8Array, at: number): Uint8Array =>
  sig.map((byte, index) => (index === at ? byte ^ 1 : byte));

const OTHER_NETWORK = 'solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn';

/** Too few people, or people who have no say. */
const people: readonly ApprovalCase[] = [
  // First of all, while nobody has decided under the new root: from then on no older one counts anyway.
  row('those who were officers, before the new ones have decided anything', ({ sign, keys }) =>
    sign({ rootVersion: 1 }, keys.alice, keys.bob, keys.erin),
  ),
  row('one signature', ({ sign, keys }) => sign({}, keys.alice)),
  row('one person fewer than the threshold', ({ sign, keys }) => sign({}, keys.alice, keys.bob)),
  signatures('one officer’s signature twice', ([a, b]) => [a, a, b]),
  signatures('one officer’s signature under three key ids', ([a, b, c]) =>
    [a, b, c].map(({ keyid }) => ({ keyid, sig: a.sig })),
  ),
  signatures('two signatures exchanged', ([a, b, c]) => [
    { ...a, sig: b.sig },
    { ...b, sig: a.sig },
    c,
  ]),
  signatures('one key id with two signatures', ([a, b]) => [
    a,
    { ...a, sig: toBase64(flipBit(fromBase64(a.sig), 5)) },
    b,
  ]),
  row('two keys of one person', ({ sign, keys, rootKeys }) =>
    sign({}, keys.alice, rootKeys.alice, keys.bob),
  ),
  row('root keys in place of signing keys', ({ sign, rootKeys }) =>
    sign({}, rootKeys.alice, rootKeys.bob, rootKeys.carol),
  ),
  row('a removed officer among three', ({ sign, keys }) =>
    sign({}, keys.alice, keys.bob, keys.erin),
  ),
  row('a removed officer beside enough others', ({ sign, keys }) =>
    sign({}, keys.alice, keys.bob, keys.carol, keys.erin),
  ),
  row('a removed officer under the root that knew her', ({ sign, keys }) =>
    sign({ rootVersion: 1 }, keys.alice, keys.bob, keys.erin),
  ),
  row('a new officer under the root before', ({ sign, keys }) =>
    sign({ rootVersion: 1 }, keys.alice, keys.bob, keys.frank),
  ),
  row('an unknown key among three', ({ sign, keys, stranger }) =>
    sign({}, keys.alice, keys.bob, stranger),
  ),
  row('an unknown key beside enough others', ({ sign, keys, stranger }) =>
    sign({}, keys.alice, keys.bob, keys.carol, stranger),
  ),
  row('nobody at all', ({ sign }) => ({ ...sign(), signatures: [] })),
  signatures('a key id of another officer', ([a, b, c], { keys }) => [
    { ...a, keyid: keys.dave.publicKey },
    b,
    c,
  ]),
  signatures('a key of small order that signs anything', ([a, b]) => [
    a,
    b,
    { keyid: SMALL_ORDER.identity, sig: toBase64(new Uint8Array(64).fill(1, 0, 1)) },
  ]),
  signatures('more signatures than there can be', ([a, b, c]) => [
    a,
    b,
    c,
    ...Array.from({ length: 62 }, (_, index) => ({
      ...a,
      keyid: index.toString(16).padStart(64, '0'),
    })),
  ]),
];

/** Signatures that are not the ones that were made. */
const bytes: readonly ApprovalCase[] = [
  firstSignature('a bit of R flipped', (sig) => flipBit(sig, 0)),
  firstSignature('a bit of S flipped', (sig) => flipBit(sig, 40)),
  firstSignature('S + L', addGroupOrder),
  firstSignature('S of nothing', (sig) => sig.fill(0, 32)),
  firstSignature('nothing but zeros', (sig) => new Uint8Array(sig.length)),
  smallR('identity'),
  smallR('two'),
  smallR('four'),
  smallR('eight'),
  signatures('a signature of 63 bytes', ([a, b, c]) => [
    { ...a, sig: toBase64(fromBase64(a.sig).subarray(1)) },
    b,
    c,
  ]),
  row('signatures over the payload without its type', (kit) => {
    const envelope = kit.sign();
    const message = fromBase64(envelope.payload);
    const by = [kit.keys.alice, kit.keys.bob, kit.keys.carol];
    return {
      ...envelope,
      signatures: sorted(
        by.map((it) => ({ keyid: it.publicKey, sig: toBase64(it.sign(message)) })),
      ),
    };
  }),
  row('signatures over another type', (kit) => {
    const envelope = kit.sign();
    const message = preAuthEncoding('application/json', fromBase64(envelope.payload));
    const by = [kit.keys.alice, kit.keys.bob, kit.keys.carol];
    return {
      ...envelope,
      signatures: sorted(
        by.map((it) => ({ keyid: it.publicKey, sig: toBase64(it.sign(message)) })),
      ),
    };
  }),
  row('signatures over another directive', (kit) => ({
    ...kit.sign(),
    signatures: kit.sign({ reason: 'something else' }).signatures,
  })),
  row('one of three signatures over another directive', (kit) => ({
    ...kit.sign(),
    signatures: [
      ...kit.sign({ reason: 'something else' }).signatures.slice(0, 1),
      ...kit.sign().signatures.slice(1),
    ],
  })),
];

/** Approvals of another step, by enough people. */
const step: readonly ApprovalCase[] = [
  directive('of another plan', () => ({ plan: 'ab'.repeat(32) })),
  directive('of another campaign', ({ completedElsewhere }) => ({
    campaign: campaignOf(completedElsewhere[0]),
  })),
  directive('of a campaign that there is not', () => ({ campaign: 'SDX-2026-ZZZZ' })),
  directive('of another network', () => ({ network: OTHER_NETWORK })),
  directive('of an exercise', () => ({ exercise: true })),
  directive('of another revision', () => ({ revision: 2 })),
  directive('with the number before', ({ directive: it }) => ({ sequence: it.sequence - 1 })),
  directive('with a number skipped', ({ directive: it }) => ({ sequence: it.sequence + 1 })),
  directive('with number 1', () => ({ sequence: 1, previous: null })),
  directive('after another directive', () => ({ previous: 'cd'.repeat(32) })),
  directive('after the directive before the last', ({ completed }) => ({
    previous: previousOf(completed.at(-1)),
  })),
  directive('from a state that the campaign is not in', () => ({
    action: 'notify',
    from: 'committed',
    to: 'notified',
    releaseTime: undefined as never,
  })),
  directive('under a root that there is not', () => ({ rootVersion: 3 })),
  directive('under the root before', () => ({ rootVersion: 1 })),
  directive('that has expired', ({ now }) => ({
    issuedAt: formatTime(now - 2 * HOUR_MS),
    expiresAt: formatTime(now - HOUR_MS),
  })),
  directive('that expires this second', ({ now }) => ({
    issuedAt: formatTime(now - HOUR_MS),
    expiresAt: formatTime(now),
  })),
  directive('from tomorrow', ({ now }) => ({
    issuedAt: formatTime(now + DAY_MS),
    expiresAt: formatTime(now + 2 * DAY_MS),
  })),
  directive('of a release time that has passed', ({ now }) => ({
    releaseTime: formatTime(now - HOUR_MS),
  })),
  directive('of a release time after the latest disclosure', ({ now }) => ({
    releaseTime: formatTime(now + 300 * DAY_MS),
  })),
  row('that was completed before', ({ completed }) => completed.at(-1) ?? ''),
  row('that was completed in another campaign', (kit) => kit.completedElsewhere.at(-1) ?? ''),
  row('the first one again', ({ completed }) => completed[0] ?? ''),
];

/** Payloads that say something in a way that nobody signed, or everything at once. */
const words: readonly ApprovalCase[] = [
  payload('without a reason', (it) => it.replace(/"reason":"[^"]*"/, '"reason":""')),
  payload('of another kind', (it) =>
    it.replace('urn:sealdrop:directive:v1', 'urn:sealdrop:ack:v1'),
  ),
  payload('of another version', (it) => it.replace('directive:v1', 'directive:v2')),
  payload('that is no in-toto statement', (it) => it.replace('Statement/v1', 'Statement/v0.1')),
  payload('about another file', (it) => it.replace('"plan.txt"', '"notice.txt"')),
  payload('about two plans', (it) => it.replace(/"subject":\[(.*?)\]/, '"subject":[$1,$1]')),
  payload('with a name twice', (it) => it.replace('"reason":', '"reason":"a","reason":')),
  payload('with a name that is not known', (it) => it.replace('"reason":', '"extra":1,"reason":')),
  payload('with an action that there is not', (it) => it.replace('"reschedule"', '"obey"')),
  payload('with a number as text', (it) => it.replace(/"sequence":(\d+)/, '"sequence":"$1"')),
  payload('with an override', (it) => it.replace('"reason":', '"override":true,"reason":')),
  payload('that is empty', () => ''),
  payload('that is not JSON', () => 'yes'),
];

/** Envelopes that two readers could read apart. */
const envelopes: readonly ApprovalCase[] = [
  row('of another payload type', (kit) => ({ ...kit.sign(), payloadType: 'application/json' })),
  spelling('with a name twice', (it) => it.replace('"payload":', '"payload":"","payload":')),
  spelling('with a name that is not known', (it) => it.replace('{', '{"extra":1,')),
  spelling('without a payload', (it) => it.replace(/"payload":"[^"]*",/, '')),
  spelling('without signatures', (it) => it.replace(/,"signatures":.*$/, '}')),
  spelling('whose key ids are in capitals', (it) =>
    it.replaceAll(/"keyid":"([^"]*)"/g, (_, id: string) => `"keyid":"${id.toUpperCase()}"`),
  ),
  row('with base64 for URLs', (kit) => {
    const envelope = kit.sign();
    const forUrls = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');
    return {
      ...envelope,
      signatures: envelope.signatures.map((it) => ({ ...it, sig: `_${forUrls(it.sig).slice(1)}` })),
    };
  }),
  spelling('in an array', (it) => `[${it}]`),
  row('that are signed in another order', (kit) => {
    const envelope = kit.sign();
    return { ...envelope, signatures: envelope.signatures.toReversed() };
  }),
  row('with base64 that has bits to spare', (kit) => {
    const envelope = kit.sign();
    const [first, ...rest] = envelope.signatures;
    // 64 bytes end in one character that holds four bits of padding: `A` and `B` decode alike.
    const sig = first?.sig.replace(/(.)==$/, (_, last: string) => `${nextCharacter(last)}==`) ?? '';
    return { ...envelope, signatures: [{ keyid: first?.keyid ?? '', sig }, ...rest] };
  }),
];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const nextCharacter = (it: string): string => ALPHABET[ALPHABET.indexOf(it) + 1] ?? '';

interface Payload {
  predicate: { campaign: string; previous: string };
}

const payloadOf = (envelope: EnvelopeJson | undefined): Payload =>
  JSON.parse(utf8Decode(fromBase64(envelope?.payload ?? ''))) as Payload;
const campaignOf = (envelope: EnvelopeJson | undefined): string =>
  payloadOf(envelope).predicate.campaign;
const previousOf = (envelope: EnvelopeJson | undefined): string =>
  payloadOf(envelope).predicate.previous;

/** By what is wrong with them. */
export const HOSTILE_APPROVALS: Readonly<Record<string, readonly ApprovalCase[]>> = {
  'too few people': people,
  'signatures that were not made': bytes,
  'another step': step,
  'odd payloads': words,
  'odd envelopes': envelopes,
};
