import { openAge } from '../../platform/age.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  openBundle,
  openSignatures,
  type Bundle,
  type Signatures,
} from '../../protocol/embargo/bundle.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import { combineShares } from '../../protocol/embargo/share.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyPublicationUnder } from '../../protocol/statement/share.ts';
import { rootsSince } from '../../protocol/trust/chain.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { readEnvelope } from '../client/envelope.ts';
import type { EnvelopeJson } from '../client/client.ts';
import type { Mirror } from '../client/mirror.ts';
import { CliError, ProblemError } from '../errors.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import {
  approvedByPlan,
  approvedRevision,
  verifyApproval,
} from '../../protocol/embargo/approval.ts';
import { bundleName } from './ciphertext.ts';
import type { Chain } from '../client/chain.ts';
import { samePatch } from '../client/chain.ts';
import {
  BREAK_GLASS_TEXT,
  openPublications,
  releasedThrough,
  type OpenedPublications,
  type Publication,
} from '../../protocol/embargo/publications.ts';
import type { OperatorSession } from './session.ts';
import { findSignatureFiles } from './signatures.ts';
import { findPublications, type Found } from './sources.ts';

/** A patch whose every byte was checked. */
export interface OpenedPatch extends Bundle {
  /** Over the plaintext, for other programs; `undefined` when nobody had those of the officers. */
  readonly signatures: Signatures | undefined;
  /** Who signed the plaintext; without signatures over it, who put the plan in force that binds it. */
  readonly approvedBy: readonly string[];
  /** The root under which it was approved. */
  readonly root: TrustRoot;
}

/**
 * The release key, from whatever the officers have published; `undefined` while that is too little.
 *
 * A bad share names its officer through `blame` and blocks nobody.
 *
 * @param mirrors - Asked besides the server; they will do without it.
 */
export async function findReleaseKey(
  session: OperatorSession,
  chain: Chain,
  accessKey: string,
  mirrors: readonly Mirror[],
  blame: (text: string) => void,
): Promise<string | undefined> {
  const { plan } = chain;
  const { client, trust } = session;
  const roots = rootsSince(trust.roots, samePatch(chain)[0]?.root.version ?? chain.root.version);
  const read = async (found: readonly Found[]): Promise<OpenedPublications> => {
    const verified = verifyPublications(roots, plan, found, blame);
    const opened = await openPublications(verified, plan, accessKey);
    for (const { officer, of, reason } of opened.bad) {
      blame(`what ${officer} published of the ${of} is bad: ${reason}`);
    }
    return opened;
  };
  const found = await findPublications(client, mirrors, samePatch(chain), WANTED, blame);
  const { shares, releaseKey } = await read(found);
  const split = releasedThrough(shares, plan);
  if (split !== undefined) {
    if (split === 'break-glass') blame(BREAK_GLASS_TEXT);
    return (await combineShares(shares[split], plan, split)).key;
  }
  // Put together by an officer's agent from shares that may not have come this way.
  if (releaseKey !== undefined) return releaseKey;
  const json = await findPublishedKey(client, plan.campaign);
  if (json === undefined) return undefined;
  return (await read([{ source: 'the server', read: () => readEnvelope(json) }])).releaseKey;
}

/** Through either split, or as it is. */
const WANTED = ['release', 'break-glass', 'release-key'] as const;

async function findPublishedKey(
  client: OperatorSession['client'],
  campaign: string,
): Promise<EnvelopeJson | undefined> {
  try {
    return await client.releaseKey(campaign);
  } catch (error) {
    if (error instanceof ProblemError && [404, 425].includes(error.status)) return undefined;
    throw error;
  }
}

/** Officers alone publish; what anybody hands out besides is left out, and told. */
export function verifyPublications(
  roots: readonly TrustRoot[],
  plan: Plan,
  found: readonly Found[],
  blame: (text: string) => void,
): readonly Publication[] {
  return found.flatMap(({ source, read }) => {
    try {
      return [verifyPublicationUnder(read(), verifyEd25519, roots, plan)];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      blame(`${source} hands out a share that no officer published: ${error.message}`);
      return [];
    }
  });
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

/** Whether the same request may work later: no network, a flood, a server that is busy. */
export function isTemporary(error: unknown): boolean {
  return exitCodeOf(error) === EXIT.temporary;
}

/** Name of the release key there, once a patch was opened. */
const RELEASE_KEY_NAME = 'release.key';

/** Remember the key of the patch that was opened here. */
export async function saveReleaseKey(directory: CampaignDirectory, key: string): Promise<void> {
  await directory.writeSecret(RELEASE_KEY_NAME, `${key}\n`);
}

/** The release key, if the patch of this very plan was opened here. */
export async function findReleaseKeyHere(
  directory: CampaignDirectory,
  plan: Pick<Plan, 'releaseRecipient'>,
): Promise<string | undefined> {
  const bytes = await directory.findSecret(RELEASE_KEY_NAME);
  if (bytes === undefined) return undefined;
  const key = utf8Decode(bytes).trimEnd();
  return (await recipientOf(key)) === plan.releaseRecipient ? key : undefined;
}
