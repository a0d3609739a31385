import type { Chain } from '../client/chain.ts';
import { samePatch } from '../client/chain.ts';
import { sealedPath, type Mirror } from '../client/mirror.ts';
import { reasonOf } from '../client/trouble.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { ReaderSession } from './session.ts';

/** Name of the second age file in a campaign's directory. */
const SIGNATURES_NAME = 'signatures.age';

/** As long as the server takes them. */
const MAX_BYTES = 16_777_216;

/** A second age file that somebody hands out; nothing of it is believed. */
export interface SignatureFile {
  readonly source: string;
  readonly bytes: Uint8Array;
  /** Have it in this home. */
  readonly keep: () => Promise<void>;
}

/**
 * The officers' signatures over the plaintext, from everybody who may have them: this home, the server,
 * and what each officer has put to each mirror. One after the other is asked, and only while nobody
 * before would do; who is no help is told.
 */
export async function* findSignatureFiles(
  session: Session,
  directory: CampaignDirectory,
  chain: Chain,
  mirrors: readonly Mirror[],
): AsyncGenerator<SignatureFile> {
  const stored = await directory.find(SIGNATURES_NAME);
  if (stored !== undefined) {
    yield { source: 'this home', bytes: stored, keep: () => Promise.resolve() };
  }
  yield* askForSignatureFiles(session, directory, chain, mirrors);
}

/** The same, but what is here already. */
export async function* askForSignatureFiles(
  { client, context }: Session,
  directory: CampaignDirectory,
  chain: Chain,
  mirrors: readonly Mirror[],
): AsyncGenerator<SignatureFile> {
  const fileOf = (source: string, bytes: Uint8Array): SignatureFile => ({
    source,
    bytes,
    keep: () => directory.write(SIGNATURES_NAME, bytes),
  });
  const ask = async (
    source: string,
    answer: Promise<Uint8Array | undefined>,
  ): Promise<readonly SignatureFile[]> => {
    try {
      const bytes = await answer;
      return bytes === undefined ? [] : [fileOf(source, bytes)];
    } catch (error) {
      context.out.warn(`no signatures over the files from ${source}: ${reasonOf(error)}`);
      return [];
    }
  };
  yield* await ask('the server', client.signatures(chain.plan.campaign, chain.state.plan));
  for (const mirror of mirrors) {
    for (const path of pathsOf(chain)) {
      yield* await ask(`mirror ${mirror.name}`, mirror.find(path, MAX_BYTES));
    }
  }
}

type Session = Pick<ReaderSession, 'client' | 'context'>;

/** Every officer's copy, of any revision that brings this patch, the newest first. */
function pathsOf(chain: Chain): readonly string[] {
  return samePatch(chain)
    .toReversed()
    .flatMap(({ plan, digest }) =>
      plan.shares
        .filter(({ key }) => key === 'release')
        .map(({ officer }) => sealedPath('signatures', digest, officer)),
    );
}
