import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withOutputDirectory } from '../../../platform/files.ts';
import { commitmentName } from '../../../protocol/commitment/commitment.ts';
import { seal } from '../../../protocol/embargo/age.ts';
import { packDraft } from '../../../protocol/embargo/draft.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import { parsePlan, planDigest } from '../../../protocol/plan/plan.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { holderRecipient, type TrustRoot } from '../../../protocol/trust/root.ts';
import { CliError, UsageError } from '../../errors.ts';
import { findFile, hasErrorCode, readInputFile } from '../../home/files.ts';
import type { SealedCampaign } from './sealing.ts';

/**
 * DIR/sealed: nothing in it can be read without an officer's age key.
 *
 * ```
 * plan.txt  COMMITMENT  snapshot.txt    what the server will be given, digests only
 * bundles/<sha256>.age                  ciphertext, one a variant and the closing bundle
 * custody/<key>.<officer>.age           share documents, each to its officer, locked ones in their lock
 * draft.<officer>.age                   the whole campaign in plaintext, to one officer each
 * ```
 */
export interface SealedDirectory {
  readonly path: string;
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly planDigest: string;
  readonly snapshot: Uint8Array;
  readonly custody: readonly { key: KeyName; officer: string; sealed: Uint8Array }[];
}

const MAX_PLAN_BYTES = 4 * 2 ** 20;
const MAX_SNAPSHOT_BYTES = 32 * 2 ** 20;
const MAX_SHARE_BYTES = 16 * 1024;
/** A draft holds every variant's artifacts once; see `protocol/embargo/tar.ts`. */
export const MAX_DRAFT_BYTES = 2 ** 31 + 2 ** 25;

export const sealedPath = (directory: string): string => join(directory, 'sealed');
export const bundlePath = (directory: string, sha256: string): string =>
  join(sealedPath(directory), 'bundles', `${sha256}.age`);
export const draftPath = (directory: string, officer: string): string =>
  join(sealedPath(directory), `draft.${officer}.age`);

/**
 * @param isRevision - What is to be sealed is the next revision of something sealed.
 * @throws {@link UsageError} when the folder was sealed before.
 */
export async function refuseSealed(directory: string, isRevision: boolean): Promise<void> {
  try {
    await stat(sealedPath(directory));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    throw error;
  }
  throw new UsageError(
    `${sealedPath(directory)} exists: this campaign is sealed`,
    isRevision
      ? 'a revision has a folder of its own: copy this one, and leave sealed/ out'
      : 'to seal anew, move that folder away; nothing that was handed out fits the new one',
  );
}

/** Write DIR/sealed, whole or not at all. Keys and plaintext reach the disk inside drafts only. */
export async function writeSealed(
  directory: string,
  sealed: SealedCampaign,
  root: TrustRoot,
): Promise<void> {
  await withOutputDirectory(sealedPath(directory), async (out) => {
    const write = (name: string, bytes: Uint8Array): Promise<void> =>
      writeFile(join(out, name), bytes, { flag: 'wx', mode: 0o600 });
    await mkdir(join(out, 'bundles'));
    await mkdir(join(out, 'custody'));
    await write('plan.txt', sealed.planBytes);
    await write(commitmentName(sealed.plan.revision), sealed.list);
    await write('snapshot.txt', sealed.snapshot);
    for (const bytes of [...sealed.bundles.values(), sealed.closing]) {
      await write(`bundles/${sha256Hex(bytes)}.age`, bytes);
    }
    for (const { key, officer } of sealed.plan.shares) {
      const share = sealed.draft.shares[key].find((it) => it.officer === officer);
      const age = holderRecipient(root, officer);
      if (!share || age === undefined) throw new Error('every planned share has a holder');
      // What is locked reaches custody in its lock only.
      const locked = key === 'release' ? sealed.draft.locked.get(officer) : undefined;
      await write(`custody/${key}.${officer}.age`, await seal(locked ?? share.document, [age]));
    }
    for (const { id, age } of root.people.values()) {
      await write(`draft.${id}.age`, await packDraft(sealed.draft, [age]));
    }
  });
}

/**
 * Read DIR/sealed, drafts and bundles aside. That bundles are those of the plan is for whoever
 * opens or uploads them to check.
 *
 * @throws {@link UsageError} before `seal`.
 */
export async function readSealed(directory: string): Promise<SealedDirectory> {
  const path = sealedPath(directory);
  try {
    await stat(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new UsageError(`${directory} is not sealed`, `run: sealdrop seal ${directory}`);
  }
  const planBytes = await readInputFile(join(path, 'plan.txt'), MAX_PLAN_BYTES);
  const plan = parsePlan(planBytes);
  const snapshot = await readInputFile(join(path, 'snapshot.txt'), MAX_SNAPSHOT_BYTES);
  if (sha256Hex(snapshot) !== plan.snapshot.sha256) {
    throw new ProtocolError('commitment_mismatch', 'snapshot.txt is not the one in the plan');
  }
  const custody = [];
  for (const { key, officer } of plan.shares) {
    const file = join(path, 'custody', `${key}.${officer}.age`);
    custody.push({ key, officer, sealed: await readInputFile(file, MAX_SHARE_BYTES) });
  }
  return { path, plan, planBytes, planDigest: planDigest(planBytes), snapshot, custody };
}

/** The plan in DIR/sealed, or nothing before `seal`. */
export async function findSealedPlan(directory: string): Promise<Plan | undefined> {
  const bytes = await findFile(join(sealedPath(directory), 'plan.txt'));
  return bytes && parsePlan(bytes);
}

/** The draft that was made for one officer. */
export async function readDraftFor(directory: string, officer: string): Promise<Uint8Array> {
  try {
    return await readInputFile(draftPath(directory, officer), MAX_DRAFT_BYTES);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(
      `there is no draft for ${officer} in ${sealedPath(directory)}`,
      'is it an officer of the trust root under which this was sealed?',
      { cause: error },
    );
  }
}
