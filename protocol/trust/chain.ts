import { describeQuorum } from '../log/policy.ts';
import type { Endorser, Reviewer, TrustRoot } from './root.ts';

/** A root and every one that followed it, the oldest first. */
export function rootsSince(
  roots: ReadonlyMap<number, TrustRoot>,
  version: number,
): readonly TrustRoot[] {
  return [...roots.values()]
    .filter((root) => root.version >= version)
    .sort((a, b) => a.version - b.version);
}

/** One thing that a root changes, for people to read and to compare by voice. */
export interface RootChange {
  readonly what:
    | 'person-added'
    | 'person-removed'
    | 'person-key'
    | 'reviewer-added'
    | 'reviewer-removed'
    | 'reviewer-changed'
    | 'endorser-added'
    | 'endorser-removed'
    | 'endorser-changed'
    | 'threshold'
    | 'server-key'
    | 'witness-added'
    | 'witness-removed'
    | 'witness-quorum'
    | 'expires';
  /** Whom or which: a person, a person and a purpose, a firm, a role, a witness. */
  readonly name: string;
  /** Keys as they are written in the root, or numbers; `null` where there was or is none. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What changed from one root to the next, in a fixed order; nothing when only signed anew. */
export function rootChanges(before: TrustRoot, after: TrustRoot): readonly RootChange[] {
  return [
    ...peopleChanges(before, after),
    ...voucherChanges('reviewer', before.reviewers, after.reviewers),
    ...voucherChanges('endorser', before.endorsers, after.endorsers),
    ...differing('threshold', thresholdsOf(before), thresholdsOf(after)),
    ...differing('server-key', serverKeysOf(before), serverKeysOf(after)),
    ...witnessChanges(before, after),
    ...differing('witness-quorum', quorumOf(before), quorumOf(after)),
    ...differing(
      'expires',
      new Map([['root', before.expires]]),
      new Map([['root', after.expires]]),
    ),
  ];
}

function peopleChanges(before: TrustRoot, after: TrustRoot): readonly RootChange[] {
  const ids = [...new Set([...before.people.keys(), ...after.people.keys()])].sort();
  return ids.flatMap((id): readonly RootChange[] => {
    const [old, current] = [before.people.get(id), after.people.get(id)];
    if (old === undefined) {
      const key = current?.signing ?? null;
      return [{ what: 'person-added', name: id, before: null, after: key }];
    }
    if (current === undefined) {
      return [{ what: 'person-removed', name: id, before: old.signing, after: null }];
    }
    return (['root', 'signing', 'age', 'openpgp'] as const).flatMap((purpose) =>
      old[purpose] === current[purpose]
        ? []
        : [
            {
              what: 'person-key' as const,
              name: `${id} ${purpose}`,
              before: old[purpose],
              after: current[purpose],
            },
          ],
    );
  });
}

/** Reviewers or endorsers who come, go, or have another name or key. */
function voucherChanges(
  role: 'reviewer' | 'endorser',
  before: ReadonlyMap<string, Endorser>,
  after: ReadonlyMap<string, Endorser>,
): readonly RootChange[] {
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort();
  return ids.flatMap((name): readonly RootChange[] => {
    const [old, current] = [wordsOf(before.get(name)), wordsOf(after.get(name))];
    if (old === current) return [];
    const what = old === null ? 'added' : current === null ? 'removed' : 'changed';
    return [{ what: `${role}-${what}`, name, before: old, after: current }];
  });
}

function wordsOf(voucher: Endorser | Reviewer | undefined): string | null {
  if (voucher === undefined) return null;
  const age = 'age' in voucher ? ` ${voucher.age}` : '';
  return `${voucher.name}, ${voucher.key}${age}`;
}

function witnessChanges(before: TrustRoot, after: TrustRoot): readonly RootChange[] {
  const keysOf = (root: TrustRoot): ReadonlyMap<string, string> =>
    new Map(root.witnesses.map(({ name, publicKey }) => [publicKey, name]));
  const [old, current] = [keysOf(before), keysOf(after)];
  const removed = [...old].filter(([key]) => !current.has(key));
  const added = [...current].filter(([key]) => !old.has(key));
  return [
    ...removed.map(([key, name]) => ({
      what: 'witness-removed' as const,
      name,
      before: key,
      after: null,
    })),
    ...added.map(([key, name]) => ({
      what: 'witness-added' as const,
      name,
      before: null,
      after: key,
    })),
  ];
}

function quorumOf({ witnessPolicy }: TrustRoot): ReadonlyMap<string, string> {
  return new Map([['quorum', witnessPolicy ? describeQuorum(witnessPolicy) : 'none']]);
}

function thresholdsOf(root: TrustRoot): ReadonlyMap<string, string> {
  return new Map([
    ['decisions', String(root.directiveThreshold)],
    ['shares', String(root.shareThreshold)],
    ['endorsements', String(root.endorsementThreshold)],
  ]);
}

function serverKeysOf(root: TrustRoot): ReadonlyMap<string, string> {
  return new Map([
    ['log', root.logKey.publicKey],
    ['token', root.tokenKey],
    ['snapshot', root.snapshotKey],
    ['timestamp', root.timestampKey],
    ['custody', root.custodian ? `${root.custodian.key} ${root.custodian.age}` : 'none'],
  ]);
}

function differing(
  what: RootChange['what'],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly RootChange[] {
  return [...before].flatMap(([name, value]) => {
    const now = after.get(name) ?? null;
    return now === value ? [] : [{ what, name, before: value, after: now }];
  });
}
