import { applyAdoption } from '../../../protocol/campaign/campaign.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../../protocol/encoding/time.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import type { Milestone } from '../../../protocol/stake/milestone.ts';
import type { StakeSnapshot } from '../../../protocol/stake/snapshot.ts';
import type { AdoptionTally } from '../../../protocol/stake/tally.ts';
import { addStatement, openTally, readMilestones } from '../../../protocol/stake/tally.ts';
import type { OperatorStatement } from '../../../protocol/statement/operator.ts';
import { parseOperatorStatement } from '../../../protocol/statement/operator.ts';
import type { Campaign, EventType } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import { changeOf } from '../campaign/change.ts';
import type { EventStore } from '../campaign/events.ts';
import type { Registry } from '../campaign/registry.ts';
import { describeFailure } from '../failure.ts';
import type { Logger } from '../logger.ts';
import type { Roster } from '../people/roster.ts';
import type { Snapshots } from '../snapshots.ts';
import type { StatementStore } from './statement-store.ts';

/** A statement with who made it. */
type AcceptedStatement = OperatorStatement & { readonly operator: Ed25519PublicKey };

/** How far the patch in force has been adopted, as of the last accepted statement. */
export interface AdoptionState {
  readonly tally: AdoptionTally;
  readonly snapshot: StakeSnapshot;
  /** When each milestone was first reached, by name. Never taken back. */
  readonly reachedAt: ReadonlyMap<string, string>;
}

/** The tallies of all campaigns, in memory; rebuilt from the stored statements at every start. */
export interface Adoption {
  /** Count what is stored and record what a crash kept from being recorded. */
  recover(): Promise<void>;
  /** Count a statement that has just become durable, and record what it reached. */
  add(id: string, statement: AcceptedStatement, acceptedAt: string): Promise<void>;
  read(campaign: Campaign): Promise<AdoptionState>;
}

interface Entry {
  /** Digest of the plan in force when it was loaded. */
  readonly plan: string;
  /** SHA-256 of the `release.txt` that statements must be about. */
  readonly release: string;
  readonly snapshot: StakeSnapshot;
  readonly statements: AcceptedStatement[];
  readonly reachedAt: Map<string, string>;
  /** Of the last statement when it was loaded. */
  lastAcceptedAt: string | undefined;
  /** {@link Roster.takeovers} when `tally` was opened. */
  takeovers: number;
  tally: AdoptionTally;
}

const PAGE = 1000;

export function adoption(deps: {
  readonly statements: StatementStore;
  readonly events: EventStore;
  readonly registry: Registry;
  readonly roster: Roster;
  readonly snapshots: Snapshots;
  readonly logger: Logger;
}): Adoption {
  const { registry, roster, snapshots } = deps;
  const entries = new Map<string, Promise<Entry>>();

  /** Everything up to now, and what it had reached when. */
  const load = async (campaign: Campaign): Promise<Entry> => {
    const plan = planOf(campaign);
    const snapshot = await snapshots.get(plan.snapshot.sha256);
    const entry: Entry = {
      plan: campaign.state.plan,
      release: releaseOf(plan),
      snapshot,
      statements: [],
      reachedAt: await readReached(campaign),
      lastAcceptedAt: undefined,
      takeovers: roster.takeovers(),
      tally: openTally(snapshot, roster.bindings, plan.milestones),
    };
    for (let after = 0; ;) {
      const page = await deps.statements.listStatements(campaign.state.campaign, after, PAGE);
      for (const { seq, envelope, acceptedAt } of page) {
        after = seq;
        const parsed = parseEnvelope(utf8Encode(envelope));
        const statement = parseOperatorStatement(parsed.payload);
        count(entry, { ...statement, operator: signerOf(parsed) });
        entry.lastAcceptedAt = acceptedAt;
      }
      if (page.length < PAGE) return entry;
    }
  };

  /** Another patch is counted from nothing. */
  const readReached = async ({ state }: Campaign): Promise<Map<string, string>> => {
    const reached = new Map<string, string>();
    for (const event of await deps.events.listEvents(state.campaign, 0, Number.MAX_SAFE_INTEGER)) {
      if (event.type === 'superseded') reached.clear();
      if (event.type === 'milestone') reached.set(event.detail, event.at);
    }
    return reached;
  };

  const current = async (campaign: Campaign): Promise<Entry> => {
    const id = campaign.state.campaign;
    let loading = entries.get(id);
    if (loading === undefined || (await loading).plan !== campaign.state.plan) {
      loading = load(campaign);
      entries.set(id, loading);
      loading.catch(() => entries.delete(id));
    }
    const entry = await loading;
    // A new binding needs no recount: nobody can have spoken for that identity before.
    if (entry.takeovers !== roster.takeovers()) {
      entry.takeovers = roster.takeovers();
      entry.tally = openTally(entry.snapshot, roster.bindings, entry.tally.milestones);
      for (const statement of entry.statements) addStatement(entry.tally, statement);
    }
    return entry;
  };

  /**
   * Write down milestones that were reached, though others may have taken back by now what reached
   * them. The gate makes a released campaign adopted.
   */
  const record = (
    id: string,
    counted: Entry,
    reached: readonly Milestone[],
    acceptedAt: string,
  ): Promise<void> =>
    registry.exclusively(id, async (campaign) => {
      if (campaign === undefined) return;
      const entry = await current(campaign);
      // Another plan has milestones of its own, and may be about another patch.
      const standing = entry === counted ? reached : freshlyReached(entry);
      const fresh = standing.filter(({ name }) => !entry.reachedAt.has(name));
      if (fresh.length === 0) return;
      const { state } = campaign;
      const happened: [EventType, string][] = fresh.map(({ name }) => ['milestone', name]);
      const gate = fresh.find(({ action }) => action === 'gate');
      const isAdopted = gate !== undefined && state.status === 'released';
      if (isAdopted) happened.push(['adopted', gate.name]);
      await registry.apply(
        changeOf(
          campaign,
          parseInstant(acceptedAt),
          {
            ...(gate !== undefined && { supermajorityAt: acceptedAt }),
            ...(isAdopted && { state: applyAdoption(state) }),
          },
          happened,
        ),
      );
      for (const { name } of fresh) entry.reachedAt.set(name, acceptedAt);
    });

  return {
    async recover() {
      for (const campaign of registry.all()) {
        if (campaign.releasedAt === null) continue;
        const entry = await current(campaign);
        // At most the statements of one flush lie between the one that counted and the last.
        const reached = freshlyReached(entry);
        if (entry.lastAcceptedAt !== undefined && reached.length > 0) {
          await record(campaign.state.campaign, entry, reached, entry.lastAcceptedAt);
        }
      }
    },
    async add(id, statement, acceptedAt) {
      try {
        const campaign = registry.find(id);
        if (campaign === undefined) return;
        const entry = await current(campaign);
        count(entry, statement);
        const reached = freshlyReached(entry);
        if (reached.length > 0) await record(id, entry, reached, acceptedAt);
      } catch (error) {
        // The statement is durable; whatever could not be written down now is at the next start.
        deps.logger.error({ campaign: id, ...describeFailure(error) }, 'tally not recorded');
        entries.delete(id);
      }
    },
    async read(campaign) {
      const { tally, snapshot, reachedAt } = await current(campaign);
      return { tally, snapshot, reachedAt };
    },
  };
}

/**
 * Add a statement, if it is about the patch in force. Those of an earlier revision are, as long as
 * that has the same `release.txt`.
 */
function count({ statements, release, tally }: Entry, statement: AcceptedStatement): void {
  if (statement.subject.name !== 'release.txt' || statement.subject.sha256 !== release) return;
  statements.push(statement);
  addStatement(tally, statement);
}

function releaseOf({ documents }: Plan): string {
  return documents.find(({ name }) => name === 'release.txt')?.sha256 ?? '';
}

function freshlyReached({ tally, reachedAt }: Entry): readonly Milestone[] {
  const reached = readMilestones(tally).filter((milestone) => milestone.reached);
  const names = new Set(reached.map(({ name }) => name));
  return tally.milestones.filter(({ name }) => names.has(name) && !reachedAt.has(name));
}

/** Stored envelopes were verified to be signed by their operator, and nobody else. */
function signerOf({ signatures }: Envelope): Ed25519PublicKey {
  const [signature] = signatures;
  if (signature === undefined) throw new Error('a stored statement has no signature');
  return signature.keyid;
}
