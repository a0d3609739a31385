import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  openBundle,
  openSignatures,
  type Bundle,
  type Signatures,
} from '../../protocol/embargo/bundle.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import type { KeyName } from '../../protocol/embargo/key-name.ts';
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
import { approvedRevision, verifyApproval, type Approvers } from './approval.ts';
import { bundleName } from './ciphertext.ts';
import type { Chain } from '../client/chain.ts';
import { samePatch } from '../client/chain.ts';
import {
  BREAK_GLASS_TEXT,
  openPublications,
  releasedThrough,
  type OpenedPublications,
  type Publication,
} from './publications.ts';
import type { OperatorSession } from './session.ts';
import { findShares, type Found } from './sources.ts';

/** A patch whose every byte was checked. */
export interface OpenedPatch extends Bundle {
  readonly signatures: Signatures;
  readonly approvers: Approvers;
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
  const { shares } = await read(
    await findShares(client, mirrors, samePatch(chain), RELEASE, blame),
  );
  const split = releasedThrough(shares, plan);
  if (split !== undefined) {
    if (split === 'break-glass') blame(BREAK_GLASS_TEXT);
    return (await combineShares(shares[split], plan, split)).key;
  }
  // Put together by an officer's agent from shares that may not have come this way.
  const json = await findPublishedKey(client, plan.campaign);
  if (json === undefined) return undefined;
  return (await read([{ source: 'the server', read: () => readEnvelope(json) }])).releaseKey;
}

/** Through either split. */
const RELEASE: readonly KeyName[] = ['release', 'break-glass'];

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

/** Name of the second age file in a campaign's directory. */
export const SIGNATURES_NAME = 'signatures.age';

/** What `prefetch` left here of one variant. Nothing of it is verified. */
export interface Ciphertext {
  readonly bundle: Uint8Array;
  readonly signatures: Uint8Array;
}

/** @throws {@link CliError} when it is not here. */
export async function readCiphertext(
  directory: CampaignDirectory,
  plan: Plan,
  variant: string,
): Promise<Ciphertext> {
  const planned = plan.bundles.find((it) => it.variant === variant);
  const bundle = planned && (await directory.find(bundleName(planned.sha256), planned.size));
  const signatures = await directory.find(SIGNATURES_NAME);
  if (bundle !== undefined && signatures !== undefined) return { bundle, signatures };
  throw new CliError(
    `the ciphertext for ${variant} is not here`,
    `run: sealdrop prefetch ${plan.campaign} --variant ${variant}`,
  );
}

/**
 * Open what `prefetch` stored and check every byte of it: against the plan, and that a threshold of
 * officers signed the plaintext.
 *
 * Before T0 nobody can tell whether the signatures that a server hands out are those of the
 * officers. So if the stored ones are not, the server is asked for them once more.
 *
 * @throws {@link ProtocolError} when anything differs; {@link CliError} when it is not there.
 */
export async function openPatch(
  { client, context }: OperatorSession,
  directory: CampaignDirectory,
  { plan, revisions }: Chain,
  variant: string,
  key: string,
): Promise<OpenedPatch> {
  const ciphertext = await readCiphertext(directory, plan, variant);
  const bundle = await openBundle(ciphertext.bundle, key, plan, variant);
  const sums = bundle.files.get(SUMS_NAME) ?? new Uint8Array();
  const check = async (sealed: Uint8Array): Promise<OpenedPatch> => {
    const signatures = await openSignatures(sealed, key);
    const approved = approvedRevision(signatures, revisions);
    const approvers = await verifyApproval(
      { sums, release: bundle.release, signatures },
      approved.plan,
      approved.root,
      verifyEd25519,
      context.now(),
    );
    return { ...bundle, signatures, approvers, root: approved.root };
  };
  try {
    return await check(ciphertext.signatures);
  } catch (error) {
    const other = error instanceof ProtocolError && (await findSignatures(client, plan.campaign));
    if (!other) throw error;
    const patch = await check(other);
    await directory.write(SIGNATURES_NAME, other);
    return patch;
  }
}

/** The signatures as the server has them now, if it answers. */
async function findSignatures(
  client: OperatorSession['client'],
  campaign: string,
): Promise<Uint8Array | undefined> {
  try {
    return await client.signatures(campaign);
  } catch (error) {
    if (error instanceof ProblemError || isTemporary(error)) return undefined;
    throw error;
  }
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
