import { openAge } from '../../platform/age.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  approvedByPlan,
  approvedRevision,
  verifyApproval,
} from '../../protocol/embargo/approval.ts';
import { openBundle, type Bundle } from '../../protocol/embargo/bundle.ts';
import { openSignatures, type Signatures } from '../../protocol/embargo/signature-bundle.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Chain } from '../client/chain.ts';
import type { Mirror } from '../client/mirror.ts';
import { CliError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { bundleName } from './ciphertext.ts';
import type { OperatorSession } from './session.ts';
import { findSignatureFiles } from './signatures.ts';

/** A patch whose every byte was checked. */
export interface OpenedPatch extends Bundle {
  /** Over the plaintext, for other programs; `undefined` when nobody had those of the officers. */
  readonly signatures: Signatures | undefined;
  /** Who signed the plaintext; without signatures over it, who put the plan in force that binds it. */
  readonly approvedBy: readonly string[];
  /** The root under which it was approved. */
  readonly root: TrustRoot;
}

/** @throws {@link CliError} unless the ciphertext of a variant is here. Nothing of it is verified. */
export async function readCiphertext(
  directory: CampaignDirectory,
  plan: Plan,
  variant: string,
): Promise<Uint8Array> {
  const planned = plan.bundles.find((it) => it.variant === variant);
  const bundle = planned && (await directory.find(bundleName(planned.sha256), planned.size));
  if (bundle !== undefined) return bundle;
  throw new CliError(
    `the ciphertext for ${variant} is not here`,
    `run: sealdrop prefetch ${plan.campaign} --variant ${variant}`,
  );
}

/**
 * Open what `prefetch` stored and check every byte of it against the plan, which a threshold of officers
 * put in force; then look for their signatures over the plaintext.
 *
 * Before T0 nobody can tell whether the signatures that a server hands out are those of the officers. So
 * if the stored ones are not, server and mirrors are asked for others. Nothing depends on them but what
 * other programs check: where nobody has them that is told, and the patch is no other.
 *
 * @throws {@link ProtocolError} when a byte differs; {@link CliError} when the patch is not there.
 */
export async function openPatch(
  session: OperatorSession,
  directory: CampaignDirectory,
  chain: Chain,
  variant: string,
  key: string,
  mirrors: readonly Mirror[],
): Promise<OpenedPatch> {
  const { context } = session;
  const { plan, revisions } = chain;
  const ciphertext = await readCiphertext(directory, plan, variant);
  const bundle = await openBundle(ciphertext, key, plan, variant, openAge);
  const sums = bundle.files.get(SUMS_NAME) ?? new Uint8Array();
  for await (const { source, bytes, keep } of findSignatureFiles(
    session,
    directory,
    chain,
    mirrors,
  )) {
    try {
      const signatures = await openSignatures(bytes, key);
      const approved = approvedRevision(signatures, revisions);
      const { release } = await verifyApproval(
        { sums, release: bundle.release, signatures },
        approved.plan,
        approved.root,
        verifyEd25519,
        context.now(),
      );
      await keep();
      return { ...bundle, signatures, approvedBy: release, root: approved.root };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      context.out.warn(
        `the signatures over the files from ${source} do not hold: ${error.message}`,
      );
    }
  }
  const { people, root } = approvedByPlan(chain);
  return { ...bundle, signatures: undefined, approvedBy: people, root };
}
