import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import Database from 'better-sqlite3';

import { ciphertextsOf } from '../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { encodePlan } from '../../protocol/plan/plan.ts';
import { seal } from '../../protocol/embargo/age.ts';
import { toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Directive } from '../../protocol/campaign/directive.ts';
import { encodeStatement } from '../../protocol/statement/statement.ts';
import { digestNamed, digestOf, revisionOf } from '../protocol/plan/plans.ts';
import { recipientNamed } from '../protocol/trust/network.ts';
import { HOUR_MS } from '../support/clock.ts';
import { makeOfficers, signTargets } from '../support/officers.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

type Status = Directive['from'];
type Action = Directive['action'];

/** DESIGN section 3 by heart: what officers may decide in each state, and where it leads. */
const TABLE: Readonly<Record<Status, Partial<Record<Action, readonly Status[]>>>> = {
  draft: { commit: ['committed'], abort: ['aborted'], leaked: ['disclosed'] },
  committed: {
    commit: ['committed'],
    notify: ['notified'],
    arm: ['armed'],
    abort: ['aborted'],
    leaked: ['disclosed'],
  },
  notified: {
    commit: ['notified'],
    arm: ['armed'],
    abort: ['aborted'],
    leaked: ['disclosed'],
  },
  armed: {
    commit: ['armed'],
    reschedule: ['armed'],
    abort: ['aborted'],
    leaked: ['disclosed'],
  },
  released: {
    commit: ['released'],
    disclose: ['disclosed'],
    supersede: ['armed', 'released'],
    withdraw: ['withdrawn'],
    leaked: ['disclosed'],
  },
  adopted: {
    disclose: ['disclosed'],
    supersede: ['armed', 'released'],
    withdraw: ['withdrawn'],
    leaked: ['disclosed'],
  },
  withdrawn: {
    supersede: ['armed', 'released'],
    disclose: ['disclosed'],
    leaked: ['disclosed'],
  },
  aborted: { disclose: ['disclosed'], leaked: ['disclosed'] },
  disclosed: {},
};

const STATES = Object.keys(TABLE) as Status[];
const TURNS = ['reschedule', 'supersede', 'withdraw', 'abort', 'leaked', 'disclose'] as const;
const ALL: readonly Action[] = ['commit', 'notify', 'arm', ...TURNS];

/** How a campaign gets there. */
const WAYS: Readonly<Record<Status, readonly (Action | 'T0' | 'adoption')[]>> = {
  draft: [],
  committed: ['commit'],
  notified: ['commit', 'notify'],
  armed: ['commit', 'arm'],
  released: ['commit', 'arm', 'T0'],
  adopted: ['commit', 'arm', 'T0', 'adoption'],
  withdrawn: ['commit', 'arm', 'T0', 'withdraw'],
  aborted: ['commit', 'arm', 'abort'],
  disclosed: ['commit', 'leaked'],
};

/** A move as the table has it, whether or not the campaign is in `from`. */
interface Turn {
  readonly from: Status;
  readonly action: Action;
  readonly to: Status;
}

const turns = (from: Status): readonly Turn[] =>
  ALL.flatMap((action) => (TABLE[from][action] ?? []).map((to) => ({ from, action, to })));

/** What nobody may do in this state: said as it is, and passed off as what another state allows. */
const nonsense = (status: Status): readonly Turn[] =>
  ALL.filter((action) => TABLE[status][action] === undefined).flatMap((action) => {
    const elsewhere = STATES.flatMap(turns).filter((turn) => turn.action === action);
    const targets = new Set(elsewhere.map(({ to }) => to));
    return [...elsewhere, ...[...targets].map((to) => ({ from: status, action, to }))];
  });

describe('a turn', () => {
  let world: World;
  /** Sees when anything at all is written to the server's database: directives, leaves, mails. */
  let database: Database.Database;
  let attachment: string;
  let targets = 1;
  before(async () => {
    const officers = await makeOfficers(3);
    // One operator, so that a single statement is adoption.
    world = await openWorld({ officers, threshold: 2, stakes: [10n] });
    const path = join(world.server.dataDirectory, 'sealdrop.sqlite');
    database = new Database(path, { readonly: true });
    attachment = toBase64(await seal(utf8Encode('signatures'), [recipientNamed('release')]));
  });
  after(async () => {
    database.close();
    await world.close();
  });

  const written = (): unknown => database.pragma('data_version', { simple: true });

  /**
   * Submit a turn by all who have a say, with all that it takes.
   *
   * @param next - What any directive says that comes next.
   */
  const submit = async (
    story: Story,
    { action, from, to }: Turn,
    next: Directive,
    changes: Partial<Directive> = {},
  ): Promise<Answer> => {
    const { sealed } = story;
    const revised = action === 'supersede' || (action === 'commit' && from !== 'draft');
    const plan = revised ? nextPlan(sealed.plan, action) : sealed.plan;
    const { plan: subject, ...predicate }: Directive = {
      ...next,
      action,
      from,
      to,
      plan: digestOf(plan),
      revision: plan.revision,
      ...(action === 'reschedule' && {
        releaseTime: formatTime(world.clock.now() + 2 * HOUR_MS),
      }),
      ...(action === 'disclose' && from === 'released' && { override: true }),
      ...changes,
    };
    // `encodeDirective` would not write most of these.
    const payload = encodeStatement(
      'directive',
      [{ name: 'plan.txt', sha256: subject }],
      predicate,
    );
    const { officers } = world.server;
    const signers = officers.map(({ signing }) => signing);
    const ciphertexts = ciphertextsOf(plan);
    const metadata = signTargets(targets + 1, ciphertexts, officers, world.clock.now());
    return world.server.client(signers[0]).post(`${story.path}/directives`, {
      envelope: envelopeJson(signEnvelope(payload, ...signers)),
      ...(isListed({ action, from, to }) && { targets: toBase64(metadata) }),
      ...((action === 'commit' || action === 'supersede') && { attachment }),
    });
  };

  const nextPlan = (plan: Plan, action: Action): Plan =>
    action === 'commit'
      ? revisionOf(plan, { 'disclosure.md': digestNamed('other words') })
      : revisionOf(
          plan,
          { 'release.txt': digestNamed('other patch') },
          {
            releaseRecipient: recipientNamed('other release'),
            releaseTime: formatTime(world.clock.now() + 2 * HOUR_MS),
          },
        );

  const uploadNext = async (story: Story): Promise<void> => {
    const officer = world.server.client(world.officer(0).signing);
    for (const action of ['commit', 'supersede'] as const) {
      const created = await officer.post('/v1/campaigns', {
        plan: toBase64(encodePlan(nextPlan(story.sealed.plan, action))),
        custody: story.sealed.custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
      });
      expectStatus(created, 200);
    }
  };

  const accept = async (story: Story, turn: Turn): Promise<void> => {
    const answer = expectStatus(await submit(story, turn, await story.directive(turn.action)), 200);
    const { completed, status } = answer.json<{ completed: boolean; status: Status }>();
    assert.deepEqual([completed, status], [true, turn.to]);
    if (isListed(turn)) targets++;
  };

  const bring = async (status: Status): Promise<Story> => {
    const story = await world.another();
    await story.uploadCiphertext();
    let from: Status = 'draft';
    for (const step of WAYS[status]) {
      if (step === 'T0') {
        world.clock.advance(HOUR_MS);
        await story.release();
        from = 'released';
      } else if (step === 'adoption') {
        expectStatus(await story.say(world.operator(0), 'attest'), 200);
        from = 'adopted';
      } else {
        const to: Status | undefined = TABLE[from][step]?.[0];
        assert.ok(to);
        await accept(story, { from, action: step, to });
        if (step === 'commit') await story.putSignatures();
        from = to;
      }
    }
    await uploadNext(story);
    assert.equal(await story.status(), status);
    return story;
  };

  for (const status of STATES) {
    it(`from ${status} is refused where it makes no sense, and then nothing is written`, async () => {
      const story = await bring(status);
      const next = await story.directive('leaked');
      const before = written();
      for (const turn of nonsense(status)) {
        const name = `${turn.action} from ${turn.from} to ${turn.to}`;
        const problem = problemOf(await submit(story, turn, next));
        const expected = { status: 422, type: 'refused', code: 'transition_refused' };
        assert.deepEqual(problem, expected, name);
      }
      for (const turn of turns(status).filter(needsReason)) {
        const answer = await submit(story, turn, next, { reason: ' ' });
        assert.equal(problemOf(answer).code, 'statement_invalid', `${turn.action}, no reason`);
      }
      assert.equal(written(), before);
      assert.equal(await story.status(), status);

      // What is made in the same way is taken where the table says so.
      for (const [index, turn] of turns(status).entries()) {
        const taker = index === 0 ? story : await bring(status);
        const empty = written();
        await accept(taker, turn);
        assert.notEqual(written(), empty, 'a turn that is taken is written down');
      }
    });
  }
});

/** What officers sign targets with. */
const isListed = ({ action, from }: Turn): boolean =>
  action === 'arm' ||
  action === 'supersede' ||
  (action === 'commit' && (from === 'armed' || from === 'released'));

/** All but the moves that every campaign makes. */
const needsReason = ({ action, from }: Turn): boolean =>
  TURNS.some((turn) => turn === action) &&
  !(action === 'disclose' && (from === 'adopted' || from === 'aborted'));
