import type { Endorser, Reviewer } from '../../protocol/trust/root.ts';
import { checkNotExpired } from '../../protocol/trust/root-verify.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { refreshTrust, type Trust } from '../client/trust.ts';
import type { Context } from '../command.ts';
import { LoginError } from '../errors.ts';
import { openHome, type Home } from '../home/home.ts';
import type { EndorserKeys, ReviewerKeys } from '../home/keys.ts';

/** A reviewer or an endorser at work: own keys, the newest root that lists them, and the server. */
export interface VoucherSession<Keys, Entry> {
  readonly context: Context;
  readonly home: Home;
  readonly client: Client;
  readonly keys: Keys;
  readonly trust: Trust;
  /** What the root says of the holder of these keys. */
  readonly entry: Entry;
}

export type ReviewerSession = VoucherSession<ReviewerKeys, Reviewer>;
export type EndorserSession = VoucherSession<EndorserKeys, Endorser>;

/** @throws {@link LoginError} when the newest root does not list these keys as a reviewer's. */
export async function openReviewerSession(context: Context): Promise<ReviewerSession> {
  const home = openHome(context);
  const keys = await home.reviewerKeys();
  const client = await connect(context, home, keys.signer);
  const trust = await currentTrust(context, home, client);
  const entry = trust.root.reviewers.get(keys.id);
  return { context, home, client, keys, trust, entry: requireListed(entry, keys, trust) };
}

/** Endorsers log in nowhere: what they endorse is public. @throws as {@link openReviewerSession}. */
export async function openEndorserSession(context: Context): Promise<EndorserSession> {
  const home = openHome(context);
  const keys = await home.endorserKeys();
  const client = await connect(context, home);
  const trust = await currentTrust(context, home, client);
  const entry = trust.root.endorsers.get(keys.id);
  return { context, home, client, keys, trust, entry: requireListed(entry, keys, trust) };
}

async function currentTrust(context: Context, home: Home, client: Client): Promise<Trust> {
  const trust = await refreshTrust(home, client);
  checkNotExpired(trust.root, context.now());
  return trust;
}

function requireListed<T extends Endorser>(
  entry: T | undefined,
  { id, signer }: EndorserKeys,
  { root }: Trust,
): T {
  if (entry?.key === signer.publicKey) return entry;
  throw new LoginError(
    `root ${root.version} does not list this key under ${id}`,
    'give your card to the officers (sealdrop trust rotate), or use the home that has the right key',
  );
}
