import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  openBundle,
  openSignatures,
  type Bundle,
  type Signatures,
} from '../../protocol/embargo/bundle.ts';
import { combineShares } from '../../protocol/embargo/share.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyPublication } from '../../protocol/statement/share.ts';
import { readEnvelope } from '../client/envelope.ts';
import type { EnvelopeJson } from '../client/client.ts';
import { CliError, ProblemError, TemporaryError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { verifyApproval, type Approvers } from './approval.ts';
import type { Chain } from './chain.ts';
import { openPublications, type Publication } from './publications.ts';
import type { OperatorSession } from './session.ts';

/** A patch whose every byte was checked. */
export interface OpenedPatch extends Bundle {
  readonly signatures: Signatures;
  readonly approvers: Approvers;
}

/**
 * The release key, from whatever the officers have published; `undefined` while that is too little.
 *
 * A bad share names its officer through `blame` and blocks nobody.
 */
export async function findReleaseKey(
  session: OperatorSession,
  chain: Chain,
  accessKey: string,
  blame: (text: string) => void,
): Promise<string | undefined> {
  const { plan } = chain;
  const publications = await fetchPublications(session, chain, blame);
  const opened = await openPublications(publications, plan, accessKey);
  for (const { officer, of, reason } of opened.bad) {
    blame(`what ${officer} published of the ${of} key is bad: ${reason}`);
  }
  if (opened.releaseKey !== undefined) return opened.releaseKey;
  if (opened.shares.release.length < plan.shareThreshold) return undefined;
  return (await combineShares(opened.shares.release, plan, 'release')).key;
}

async function fetchPublications(
  { client, trust }: OperatorSession,
  { plan }: Chain,
  blame: (text: string) => void,
): Promise<readonly Publication[]> {
  const envelopes: EnvelopeJson[] = [...(await client.shares(plan.campaign))];
  try {
    envelopes.push(await client.releaseKey(plan.campaign));
  } catch (error) {
    // Not yet, or nobody has put it together: the shares are enough.
    if (!(error instanceof ProblemError) || ![404, 425].includes(error.status)) throw error;
  }
  return envelopes.flatMap((json) => {
    try {
      return [verifyPublication(readEnvelope(json), verifyEd25519, trust.root, plan)];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      blame(`the server hands out a share that no officer published: ${error.message}`);
      return [];
    }
  });
}

/** Name of a ciphertext in a campaign's directory. */
export const bundleName = (sha256: string): string => `${sha256}.age`;
/** Name of the second age file there. */
export const SIGNATURES_NAME = 'signatures.age';

/**
 * Open what `prefetch` stored and check every byte of it: against the plan, and that a threshold of
 * officers signed the plaintext.
 *
 * @throws {@link ProtocolError} when anything differs; {@link CliError} when it is not there.
 */
export async function openPatch(
  { context }: OperatorSession,
  directory: CampaignDirectory,
  { plan, root }: Chain,
  variant: string,
  key: string,
): Promise<OpenedPatch> {
  const planned = plan.bundles.find((bundle) => bundle.variant === variant);
  const ciphertext = planned && (await directory.find(bundleName(planned.sha256)));
  const sealed = await directory.find(SIGNATURES_NAME);
  if (ciphertext === undefined || sealed === undefined) {
    throw new CliError(
      `the ciphertext for ${variant} is not here`,
      `run: sealdrop prefetch ${plan.campaign} --variant ${variant}`,
    );
  }
  const bundle = await openBundle(ciphertext, key, plan, variant);
  const signatures = await openSignatures(sealed, key);
  const sums = bundle.files.get('SHA256SUMS') ?? new Uint8Array();
  const approvers = await verifyApproval(
    { sums, release: bundle.release, signatures },
    plan,
    root,
    verifyEd25519,
    context.now(),
  );
  return { ...bundle, signatures, approvers };
}

/** Whether an error says that the server cannot be reached, rather than what it has to say. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof TemporaryError || (error instanceof ProblemError && error.status >= 500);
}
