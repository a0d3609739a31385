import { Key, Metadata, MetadataKind } from '@tufjs/models';
import { canonicalize } from '@tufjs/canonical-json';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatVerifierKey, NOTE_COSIGNATURE } from '../../../protocol/signature/verifier-key.ts';
import {
  encodeTuf,
  mergeTuf,
  parseTuf,
  signTuf,
  tufKeyId,
} from '../../../protocol/trust/metadata.ts';
import type { TufSignature } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned, parseRoot, rootSigningBytes } from '../../../protocol/trust/root-file.ts';
import { checkNotExpired, verifyInitialRoot } from '../../../protocol/trust/root-verify.ts';
import { signingKeys } from '../../../protocol/trust/root.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import {
  armorNamed,
  officerNamed,
  PEOPLE,
  recipientNamed,
  rootFile,
  rootOf,
  rootSigners,
  signerNamed,
} from './network.ts';

interface RootVector extends Vector {
  readonly root: string;
  readonly sha256: string;
  readonly code?: string;
}

/** The `signed` part as plain data that a test may spoil. */
interface Signed {
  [name: string]: unknown;
  keys: Record<string, { keytype: string; scheme: string; keyval: { public: string } }>;
  roles: Record<string, { keyids: string[]; threshold: number; extra?: boolean }>;
  'x-sealdrop': Sealdrop;
}
interface Sealdrop {
  [name: string]: unknown;
  people: { id: string; keys: Record<string, string>; role?: string }[];
}

const CUSTODIAN = { key: signerNamed('custody').publicKey, age: recipientNamed('custody') };

const signedOf = (root = rootOf()): Signed => structuredClone(buildRootSigned(root)) as Signed;

/** Sign whatever it is with these people's root keys, and present it as the pinned root. */
function present(signed: object, ids: readonly string[] = PEOPLE): void {
  const bytes = encodeTuf(signed, signTuf(signed, ...rootSigners(ids)));
  verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519);
}

function first<T>(list: readonly T[] | undefined): T {
  const [item] = list ?? [];
  assert.ok(item !== undefined);
  return item;
}

/** Exchange a signing key for another one everywhere TUF and x-sealdrop mention it. */
function exchangeKey(signed: Signed, from: string, to: string): void {
  const text = JSON.stringify(signed).replaceAll(from, to);
  Object.assign(signed, JSON.parse(text));
}

describe('a root of trust', () => {
  for (const { name, root, sha256 } of readVectors('trust-root', 'valid') as RootVector[]) {
    it(`is accepted: ${name}`, () => {
      const trusted = verifyInitialRoot(utf8Encode(root), sha256, verifyEd25519);
      assert.deepEqual(buildRootSigned(trusted), parseTuf(utf8Encode(root)).signed);
    });
  }

  for (const { name, root, sha256, code } of readVectors('trust-root', 'invalid') as RootVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => verifyInitialRoot(utf8Encode(root), sha256, verifyEd25519), { code });
    });
  }

  it('is read back exactly as it was built', () => {
    const witness = signerNamed('witness').publicKey;
    const name = 'witness.example.org';
    const vkey = formatVerifierKey(name, NOTE_COSIGNATURE, witness);
    const keyId = Number.parseInt(first(vkey.split('+').slice(1)), 16);
    const witnesses = [{ name, keyId, type: NOTE_COSIGNATURE, publicKey: witness }] as const;
    const root = rootOf(PEOPLE, { witnesses });
    assert.deepEqual(parseRoot(rootFile(root, PEOPLE)), root);
    const custodial = rootOf(PEOPLE, { custodian: CUSTODIAN });
    assert.deepEqual(parseRoot(rootFile(custodial, PEOPLE)), custodial);
  });

  it('is accepted with its digest and the signatures of a threshold of people', () => {
    const bytes = rootFile(rootOf(), ['ada', 'cy']);
    const root = verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519);
    assert.deepEqual([...signingKeys(root).values()], PEOPLE);
  });

  it('is refused under another digest', () => {
    const bytes = rootFile(rootOf(), PEOPLE);
    const other = rootFile(rootOf(), ['ada', 'bo']);
    assert.throws(() => verifyInitialRoot(bytes, sha256Hex(other), verifyEd25519), {
      code: 'trust_invalid',
    });
  });

  it('is refused when too few of its own people signed it', () => {
    const bytes = rootFile(rootOf(), ['ada']);
    assert.throws(() => verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519), {
      code: 'threshold_unmet',
    });
  });

  it('holds for one person alone, and for thresholds at their lower bound', () => {
    for (const [n, m, t] of [
      [1, 1, 1],
      [3, 2, 2],
      [4, 3, 2],
      [5, 3, 3],
      [5, 4, 2],
    ] as const) {
      const ids = ['ada', 'bo', 'cy', 'di', 'ed'].slice(0, n);
      const root = rootOf(ids, { directiveThreshold: m, shareThreshold: t });
      assert.equal(parseRoot(rootFile(root, ids)).people.size, n);
    }
  });

  it('expires at its instant, which parsing leaves alone', () => {
    const root = parseRoot(rootFile(rootOf(PEOPLE, { expires: '2001-01-01T00:00:00Z' }), PEOPLE));
    const expires = Date.parse(root.expires);
    assert.doesNotThrow(() => {
      checkNotExpired(root, expires - 1);
    });
    assert.throws(
      () => {
        checkNotExpired(root, expires);
      },
      { code: 'trust_invalid' },
    );
  });

  it('gains signatures from several files over the same content only', () => {
    const root = rootOf();
    const merged = mergeTuf(rootFile(root, ['ada']), rootFile(root, ['ada', 'bo']));
    assert.deepEqual(merged, rootFile(root, ['ada', 'bo']));
    const other = rootFile({ ...root, version: 2 }, ['bo']);
    assert.throws(() => mergeTuf(merged, other), { code: 'trust_invalid' });
  });
});

describe('root.json for TUF clients', () => {
  const root = rootOf();
  const bytes = rootFile(root, ['ada', 'bo']);
  const json = JSON.parse(utf8Decode(bytes)) as Parameters<typeof Metadata.fromJSON>[1];

  it('verifies with @tufjs/models, which keeps x-sealdrop among what is signed', () => {
    const metadata = Metadata.fromJSON(MetadataKind.Root, json);
    metadata.verifyDelegate('root', metadata);
    assert.deepEqual(metadata.signed.toJSON(), parseTuf(bytes).signed);
  });

  it('is refused by @tufjs/models with one signature', () => {
    const alone = JSON.parse(utf8Decode(rootFile(root, ['ada']))) as typeof json;
    const metadata = Metadata.fromJSON(MetadataKind.Root, alone);
    assert.throws(() => {
      metadata.verifyDelegate('root', metadata);
    }, /signed by 1\/2 keys/);
  });

  it('names each key by the SHA-256 of its canonical JSON, as python-tuf demands', () => {
    for (const [keyid, key] of Object.entries(signedOf().keys)) {
      const text = canonicalize(Key.fromJSON(keyid, key).toJSON());
      assert.equal(createHash('sha256').update(text).digest('hex'), keyid);
    }
  });

  it('has exactly the four roles, no key without a role and no role without its key', () => {
    const { keys, roles } = signedOf();
    assert.deepEqual(Object.keys(roles).sort(), ['root', 'snapshot', 'targets', 'timestamp']);
    const used = Object.values(roles).flatMap(({ keyids }) => keyids);
    assert.equal(new Set(used).size, used.length);
    assert.deepEqual(used.sort(), Object.keys(keys).sort());
  });

  it('signs the bytes that @tufjs/models signs', () => {
    const metadata = Metadata.fromJSON(MetadataKind.Root, json);
    metadata.sign((data) => {
      assert.deepEqual(new Uint8Array(data), rootSigningBytes(buildRootSigned(root)));
      return first(Object.values(metadata.signatures));
    });
  });
});

/** Each spoils a root in one way; the result is signed by everybody, so only the rule can refuse. */
const HOSTILE: Readonly<Record<string, (signed: Signed) => unknown>> = {
  'a person listed twice': (s) => s['x-sealdrop'].people.push(first(s['x-sealdrop'].people)),
  'one person with two entries and two pairs of keys': (s) =>
    s['x-sealdrop'].people.push({ ...personKeys('dora'), id: 'ada' }),
  'a person that TUF does not know': (s) => s['x-sealdrop'].people.push(personKeys('dora')),
  'a person whose key TUF knows and x-sealdrop does not': (s) => s['x-sealdrop'].people.pop(),
  nobody: (s) => (s['x-sealdrop'].people = []),
  'people out of order': (s) => s['x-sealdrop'].people.reverse(),
  'an unknown member of a person': (s) => (first(s['x-sealdrop'].people).role = 'boss'),
  'an unknown member of x-sealdrop': (s) => (s['x-sealdrop']['quorum'] = 1),
  'no x-sealdrop': (s) => Reflect.deleteProperty(s, 'x-sealdrop'),
  'an unknown signed member': (s) => (s['x-other'] = {}),
  'a threshold of 0 in x-sealdrop': (s) => (s['x-sealdrop']['directiveThreshold'] = 0),
  'a threshold of 0 in a role': (s) => setThreshold(s, 'targets', 0),
  'a lower threshold in a role than in x-sealdrop': (s) => setThreshold(s, 'targets', 1),
  'a lower threshold for roots': (s) => setThreshold(s, 'root', 1),
  'a share threshold of 0': (s) => (s['x-sealdrop']['shareThreshold'] = 0),
  'a fractional threshold': (s) => (s['x-sealdrop']['shareThreshold'] = '2'),
  'a role without a key': (s) => s.roles['root']?.keyids.pop(),
  'a role that names a key twice': (s) => {
    const role = s.roles['targets'];
    role?.keyids.push(first(role.keyids));
  },
  'a role that names a key which is not there': (s) =>
    s.roles['targets']?.keyids.push('ab'.repeat(32)),
  'an extra role': (s) => (s.roles['mirrors'] = { keyids: [first(serverKey(s))], threshold: 1 }),
  'a missing role': (s) => Reflect.deleteProperty(s.roles, 'targets'),
  'an unknown member of a role': (s) => (s.roles['timestamp'] = { ...role(s), extra: true }),
  'two keys for the timestamp': (s) => s.roles['timestamp']?.keyids.push(first(serverKey(s))),
  'an officer who is also the timestamp': (s) =>
    (s.roles['timestamp'] = { keyids: [first(s.roles['targets']?.keyids)], threshold: 1 }),
  'a key without a role': (s) => {
    const publicKey = signerNamed('stray').publicKey;
    s.keys[tufKeyId(publicKey)] = {
      ...first(Object.values(s.keys)),
      keyval: { public: publicKey },
    };
  },
  'a key under an id that is not its own': (s) => {
    const keyid = first(s.roles['root']?.keyids);
    const text = JSON.stringify(s).replaceAll(keyid, 'cd'.repeat(32));
    Object.assign(s, JSON.parse(text));
  },
  'a key of another type': (s) => (first(Object.values(s.keys)).keytype = 'rsa'),
  'a key of another scheme': (s) => (first(Object.values(s.keys)).scheme = 'ed25519ph'),
  'a key of small order': (s) => {
    exchangeKey(s, signerNamed('ada signing').publicKey, `01${'00'.repeat(31)}`);
  },
  'a key in upper case': (s) => {
    const key = signerNamed('ada signing').publicKey;
    exchangeKey(s, key, key.toUpperCase());
  },
  'no consistent snapshots': (s) => (s['consistent_snapshot'] = false),
  'another kind of metadata': (s) => (s['_type'] = 'targets'),
  'another major version of TUF': (s) => (s['spec_version'] = '2.0.0'),
  'version 0': (s) => (s['version'] = 0),
  'a date that is not exact': (s) => (s['expires'] = '2027-11-01'),
  'a log of another name than the origin': (s) => (s['x-sealdrop']['origin'] = 'other.example'),
  'an origin with a space': (s) => (s['x-sealdrop']['origin'] = 'a b'),
  'a network that is none': (s) => (s['x-sealdrop']['network'] = 'solana:abc'),
  'an OpenPGP secret key': (s) =>
    (first(s['x-sealdrop'].people).keys['openpgp'] = armorNamed('ada').replaceAll(
      'PUBLIC',
      'PRIVATE',
    )),
  'two OpenPGP blocks in one': (s) =>
    (first(s['x-sealdrop'].people).keys['openpgp'] = armorNamed('ada') + armorNamed('eve')),
  'an age recipient that is none': (s) => (first(s['x-sealdrop'].people).keys['age'] = 'age1x'),
};

const role = (s: Signed): Signed['roles'][string] => {
  const found = s.roles['timestamp'];
  assert.ok(found);
  return found;
};
const serverKey = (s: Signed): readonly string[] => s.roles['snapshot']?.keyids ?? [];
const setThreshold = (s: Signed, name: string, threshold: number): unknown =>
  Object.assign(s.roles[name] ?? {}, { threshold });

function personKeys(name: string): Sealdrop['people'][number] {
  const { id, ...keys } = officerNamed(name);
  return { id, keys };
}

describe('a hostile root, signed by everybody', () => {
  it('would be accepted if it were not spoiled', () => {
    present(signedOf());
  });

  for (const [flaw, spoil] of Object.entries(HOSTILE)) {
    it(`is refused with ${flaw}`, () => {
      const signed = signedOf();
      const before = JSON.stringify(signed);
      spoil(signed);
      assert.notEqual(JSON.stringify(signed), before, 'the flaw is there');
      assert.throws(
        () => {
          present(signed);
        },
        { code: 'trust_invalid' },
      );
    });
  }
});

describe('a root whose people or thresholds break a rule', () => {
  const ada = officerNamed('ada');
  const bo = officerNamed('bo');
  const withBo = (changes: Partial<typeof bo>): ReturnType<typeof rootOf> =>
    rootOf(PEOPLE, {
      people: new Map([...rootOf().people, ['bo', { ...bo, ...changes }]]),
    });
  const cases: Readonly<Record<string, ReturnType<typeof rootOf>>> = {
    'more people needed than there are': rootOf(PEOPLE, { directiveThreshold: 4 }),
    'half of the people deciding': rootOf(['ada', 'bo', 'cy', 'di'], {
      directiveThreshold: 2,
      shareThreshold: 3,
    }),
    'more shares needed than there are people': rootOf(PEOPLE, { shareThreshold: 4 }),
    'those who did not decide able to open': rootOf(PEOPLE, { shareThreshold: 1 }),
    'one root key for two people': withBo({ root: ada.root }),
    'one signing key for two people': withBo({ signing: ada.signing }),
    'one age recipient for two people': withBo({ age: ada.age }),
    'one OpenPGP key for two people': withBo({ openpgp: ada.openpgp }),
    'one key for root and signing': withBo({ signing: bo.root }),
    'one key as root of one and signing of another': withBo({ root: ada.signing }),
    'an officer whose key is the log': withBo({ signing: signerNamed('log').publicKey }),
    'an officer whose key is the token key': withBo({ signing: signerNamed('token').publicKey }),
    'one key for snapshot and timestamp': rootOf(PEOPLE, {
      snapshotKey: signerNamed('timestamp').publicKey,
    }),
    'one key for token and timestamp': rootOf(PEOPLE, {
      tokenKey: signerNamed('timestamp').publicKey,
    }),
    'an officer with the name of the server': rootOf(['ada', 'bo', 'server']),
    'an officer with a further name of the server': rootOf(['ada', 'bo', 'server-2']),
    'one key for the log and for shares': rootOf(PEOPLE, {
      custodian: { ...CUSTODIAN, key: signerNamed('log').publicKey },
    }),
    'an officer’s age recipient for shares of the server': rootOf(PEOPLE, {
      custodian: { ...CUSTODIAN, age: ada.age },
    }),
    'a person under another id': rootOf(PEOPLE, { people: new Map([['eve', ada]]) }),
  };
  for (const [flaw, root] of Object.entries(cases)) {
    it(`is never built with ${flaw}`, () => {
      assert.throws(() => buildRootSigned(root), { code: 'trust_invalid' });
    });
  }

  it('is refused when built without the rules', () => {
    // What buildRootSigned would make for bo with ada's signing key, if it let us.
    const signed = signedOf();
    const [adaKey, boKey] = [ada.signing, bo.signing];
    exchangeKey(signed, tufKeyId(boKey), tufKeyId(adaKey));
    exchangeKey(signed, boKey, adaKey);
    assert.throws(
      () => {
        present(signed);
      },
      { code: 'trust_invalid' },
    );
    const weak = signedOf(rootOf(['ada', 'bo', 'cy', 'di']));
    setThreshold(weak, 'root', 2);
    setThreshold(weak, 'targets', 2);
    weak['x-sealdrop']['directiveThreshold'] = 2;
    assert.throws(
      () => {
        present(weak, ['ada', 'bo', 'cy', 'di']);
      },
      { code: 'trust_invalid' },
    );
  });
});

describe('signatures of a root', () => {
  const signed = buildRootSigned(rootOf());
  const [byAda, byBo] = signTuf(signed, ...rootSigners(['ada', 'bo']));
  assert.ok(byAda && byBo);
  const submit = (...signatures: readonly TufSignature[]): void => {
    const bytes = encodeTuf(signed, signatures);
    verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519);
  };
  const refused = (code: string, ...signatures: readonly TufSignature[]): void => {
    assert.throws(
      () => {
        submit(...signatures);
      },
      { code },
    );
  };

  it('count once a person, however often given', () => {
    submit(byAda, byBo);
    refused('trust_invalid', byAda, byAda);
    refused('threshold_unmet', byAda);
    refused('threshold_unmet');
  });

  it('are refused when one signature stands under two key ids', () => {
    refused('signature_invalid', byAda, { keyid: byBo.keyid, sig: byAda.sig });
  });

  it('are refused as a whole when one is by a key without a say, or bad', () => {
    const [byEve] = signTuf(signed, signerNamed('eve'));
    const [bySigningKey] = signTuf(signed, signerNamed('cy signing'));
    assert.ok(byEve && bySigningKey);
    refused('signature_invalid', byAda, byBo, byEve);
    refused('signature_invalid', byAda, byBo, bySigningKey);
    const flipped = byBo.sig.startsWith('0') ? '1' : '0';
    refused('signature_invalid', byAda, { ...byBo, sig: flipped + byBo.sig.slice(1) });
  });

  it('do not cover what stands beside the signed part', () => {
    const bytes = utf8Encode(
      JSON.stringify({ signatures: [byAda, byBo], signed, 'x-sealdrop': { people: [] } }),
    );
    assert.throws(() => verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519), {
      code: 'trust_invalid',
    });
    const moved = signedOf();
    Reflect.deleteProperty(moved, 'x-sealdrop');
    const aside = utf8Encode(
      JSON.stringify({
        signatures: signTuf(moved, ...rootSigners(PEOPLE)),
        signed: moved,
        'x-sealdrop': signedOf()['x-sealdrop'],
      }),
    );
    assert.throws(() => verifyInitialRoot(aside, sha256Hex(aside), verifyEd25519), {
      code: 'trust_invalid',
    });
  });

  it('are over recipients too: another age recipient voids them', () => {
    const other = structuredClone(signed) as Signed;
    first(other['x-sealdrop'].people).keys['age'] = recipientNamed('eve');
    const bytes = encodeTuf(other, [byAda, byBo]);
    assert.throws(() => verifyInitialRoot(bytes, sha256Hex(bytes), verifyEd25519), {
      code: 'signature_invalid',
    });
  });
});

describe('the bytes of a root', () => {
  it('are refused above 512,000, as a TUF client would', () => {
    const long = new Uint8Array(512_001).fill(0x20);
    assert.throws(() => parseRoot(long), { code: 'too_large' });
  });

  it('are refused with a member twice', () => {
    const text = utf8Decode(rootFile(rootOf(), PEOPLE));
    const twice = text.replace('"version":1', '"version":1,"version":1');
    assert.notEqual(twice, text);
    assert.throws(() => parseRoot(utf8Encode(twice)), { code: 'encoding_invalid' });
  });
});
