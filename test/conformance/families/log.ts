import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { concatBytes, fromBase64, toBase64, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseOpening } from '../../../protocol/log/opening.ts';
import { openReceipt, signReceipt } from '../../../protocol/log/receipt.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import {
  edit,
  editJson,
  flip,
  fromThen,
  hostile,
  serve,
  status,
  type Attack,
} from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { ack, logVerify, prefetch, verifyNotice } from '../support/flows.ts';
import { forgeCheckpoint, logSigner } from '../support/forge.ts';

const NOTE = '/log/checkpoint';
const TILE = '/log/{tile}';
const ENTRIES = '/log/{entries}';
const STATEMENTS = 'POST /v1/campaigns/{A}/statements';

/** The note with its text changed, its signature not. */
const reword = (change: (text: string) => string): Attack =>
  edit(NOTE, (note) => change(utf8Decode(note)));

const forge =
  (...args: Parameters<typeof forgeCheckpoint> extends [unknown, ...infer R] ? R : never): Attack =>
  (site) => {
    forgeCheckpoint(site, ...args);
  };

const otherKey: Attack = (site) => {
  const { name } = logSigner(site.repository);
  forgeCheckpoint(site, undefined, noteSigner(name, signerFromSeed(generateSeed())));
};

const otherLog: Attack = (site) => {
  const origin = 'elsewhere.test/log';
  const signer = noteSigner(origin, site.repository.server.log);
  forgeCheckpoint(site, () => ({ origin }), signer);
};

type Receipt = { receipt: string; opening: string };

const forgeReceipt = (
  change: (receipt: ReturnType<typeof openReceipt>) => object,
  key?: () => ReturnType<typeof signerFromSeed>,
): Attack =>
  editJson(STATEMENTS, ({ receipt, opening }: Receipt, { repository }) => {
    const signer = logSigner(repository);
    const promised = openReceipt(receipt, signer.name, [signer], verifyEd25519);
    const by = key === undefined ? signer : noteSigner(signer.name, key());
    return { receipt: signReceipt({ ...promised, ...change(promised) }, by), opening };
  });

const spent = { spendsCounter: true } as const;
const kept = { leavesEvidence: true } as const;

/** A log that forks, shrinks, or proves something else; receipts that promise something else. */
export const log: readonly HostileCase[] = [
  hostile(
    prefetch,
    'a fork at the same size',
    forge(({ root }) => ({ root: flip(root, 0) })),
    6,
    /does not extend/,
    kept,
  ),
  hostile(
    verifyNotice,
    'a fork at the same size',
    forge(({ root }) => ({ root: flip(root, 31) })),
    6,
    /does not extend/,
    kept,
  ),
  hostile(
    logVerify,
    'a fork at the same size',
    forge(({ root }) => ({ root: flip(root, 9) })),
    6,
    /does not extend/,
    kept,
  ),
  hostile(
    prefetch,
    'one entry fewer, signed',
    forge(({ size }) => ({ size: size - 1 })),
    6,
    /now shows/,
    kept,
  ),
  hostile(prefetch, 'a checkpoint by another key of the same name', otherKey, 6, /sign/),
  hostile(prefetch, 'a checkpoint of another log by the same key', otherLog, 6, /./),
  hostile(
    prefetch,
    'a checkpoint without its signature',
    reword((it) => it.slice(0, it.indexOf('\n\n') + 2)),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a checkpoint with another size',
    reword((it) => it.replace(/\n\d+\n/, '\n99\n')),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a checkpoint with a leading zero',
    reword((it) => it.replace('\n', '\n0')),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a checkpoint with a further line',
    reword((it) => it.replace('\n\n', '\nmore\n\n')),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a checkpoint with carriage returns',
    reword((it) => it.replaceAll('\n', '\r\n')),
    6,
    /./,
  ),
  hostile(
    prefetch,
    'a checkpoint with text behind it',
    reword((it) => `${it}and more\n`),
    6,
    /./,
  ),
  hostile(prefetch, 'a checkpoint that is JSON', serve(NOTE, '{}'), 6, /./),
  hostile(
    prefetch,
    'a checkpoint in UTF-16',
    edit(NOTE, (it) => new Uint8Array(Buffer.from(utf8Decode(it), 'utf16le'))),
    6,
    /./,
  ),
  hostile(
    verifyNotice,
    'a tile with one bit flipped',
    edit(TILE, (it) => flip(it, 0)),
    6,
    /./,
  ),
  hostile(
    verifyNotice,
    'a tile that lacks a hash',
    edit(TILE, (it) => it.subarray(32)),
    6,
    /./,
  ),
  hostile(
    verifyNotice,
    'a tile with a hash too many',
    edit(TILE, (it) => concatBytes(it, it.subarray(0, 32))),
    6,
    /./,
  ),
  hostile(
    verifyNotice,
    'a tile with half a hash',
    edit(TILE, (it) => it.subarray(16)),
    6,
    /./,
  ),
  hostile(verifyNotice, 'no tile', status(TILE, 404), 1, /./),
  hostile(
    verifyNotice,
    'another leaf’s index',
    editJson('/v1/commitments/{commitmentA}', (it: { leafIndex: number }) => ({
      ...it,
      leafIndex: it.leafIndex - 1,
    })),
    6,
    /proof/,
  ),
  hostile(
    verifyNotice,
    'an index beyond the log',
    editJson('/v1/commitments/{commitmentA}', (it: object) => ({ ...it, leafIndex: 1_000_000 })),
    5,
    /has not reached/,
  ),
  hostile(
    verifyNotice,
    'a negative index',
    editJson('/v1/commitments/{commitmentA}', (it: object) => ({ ...it, leafIndex: -1 })),
    6,
    /./,
  ),
  hostile(
    verifyNotice,
    'no such commitment',
    status('/v1/commitments/{commitmentA}', 404),
    6,
    /nobody has committed/,
  ),
  hostile(
    logVerify,
    'entries with one bit flipped',
    edit(ENTRIES, (it) => flip(it, 20)),
    6,
    /./,
  ),
  hostile(
    logVerify,
    'entries that end early',
    edit(ENTRIES, (it) => it.subarray(0, it.length - 1)),
    6,
    /./,
  ),
  hostile(
    logVerify,
    'entries with one too many',
    edit(ENTRIES, (it) => concatBytes(it, it.subarray(0, 77))),
    6,
    /./,
  ),
  hostile(
    logVerify,
    'tiles of other leaves',
    edit(TILE, (it) => flip(it, 33)),
    6,
    /./,
  ),
  hostile(
    ack,
    'a receipt for another leaf',
    forgeReceipt(({ leafHash }) => ({ leafHash: flip(leafHash, 0) })),
    6,
    /something else/,
    spent,
  ),
  hostile(
    ack,
    'a receipt by another key',
    forgeReceipt(
      () => ({}),
      () => signerFromSeed(generateSeed()),
    ),
    6,
    /./,
    spent,
  ),
  hostile(
    ack,
    'a receipt of another log',
    forgeReceipt(() => ({ origin: 'elsewhere.test/log' })),
    6,
    /./,
    spent,
  ),
  hostile(
    ack,
    'a checkpoint as receipt',
    editJson(STATEMENTS, ({ opening }: Receipt, site) => ({
      receipt: utf8Decode(site.read(NOTE)),
      opening,
    })),
    6,
    /not a receipt/,
    spent,
  ),
  hostile(
    ack,
    'the opening of something else',
    editJson(STATEMENTS, ({ receipt, opening }: Receipt) => ({
      receipt,
      opening: toBase64(
        flip(fromBase64(opening), parseOpening(fromBase64(opening)).content.length),
      ),
    })),
    6,
    /./,
    spent,
  ),
  hostile(ack, 'no receipt', serve(STATEMENTS, '{}'), 6, /./, spent),
  hostile(
    ack,
    'a claim that the counters are used up',
    editJson('/v1/inbox', ({ campaigns }: { campaigns: object[] }) => ({
      campaigns: campaigns.map((it) => ({ ...it, counter: Number.MAX_SAFE_INTEGER - 1 })),
    })),
    6,
    /absurd/,
  ),
  hostile(ack, 'an older checkpoint to sign under', fromThen(NOTE), 6, /entries before/, kept),
];
