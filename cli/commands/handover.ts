import { open, seal } from '../../protocol/embargo/age.ts';
import { personId } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { loadTrust } from '../client/trust.ts';
import { argument, getOption, type Command } from '../command.ts';
import { writeNew } from '../home/files.ts';
import { openHome, type Home } from '../home/home.ts';
import { readDraftFor, readSealed } from '../officer/sealing/sealed-dir.ts';
import { readHandoverCard } from '../trust/cards.ts';

export const handoverCommand: Command = {
  name: 'handover',
  group: 'officer',
  summary: 'Write the draft of a sealed campaign for one officer or reviewer',
  args: [{ name: 'dir', description: 'sealed campaign directory' }],
  options: [
    {
      flag: '--to <id-or-card>',
      description: 'id of an officer or reviewer, or a file with the card of one',
      required: true,
    },
    { flag: '--out <file>', description: 'where to write it', required: true },
  ],
  example: 'sealdrop handover ./next --to bo --out bo.draft.age',

  async run(input, context) {
    const path = argument(input, 0);
    const to = getOption(input, 'to');
    const out = getOption(input, 'out');
    const home = openHome(context);
    const { plan } = await readSealed(path);
    warnOfServerCustody(context.out, plan);
    const party = await findParty(home, plan, to);
    const draft =
      party.role === 'holder'
        ? await readDraftFor(path, to)
        : await resealFor(home, path, party.age);
    await writeNew(out, draft, 0o600);
    context.out.line(`${out} is for ${to} alone; hand it over by a way you both trust`);
    if (party.role === 'reviewer') {
      context.out.note(
        `it is opened with: sealdrop review ${plan.campaign} --draft FILE --verdict VERDICT`,
      );
      if (!plan.policy.reviews.by.includes(party.id)) {
        context.out.warn(`the plan does not ask ${party.id} for a review, so none would count`);
      }
    } else {
      context.out.note(`it is opened with: sealdrop approve ${plan.campaign} --draft FILE`);
    }
    context.out.summary({ campaign: plan.campaign, to, out, bytes: draft.length });
  },
};

/** Whom a draft is for: an officer for whom `seal` made one, or somebody with an age key. */
type Party =
  | { readonly role: 'holder' }
  | { readonly role: 'officer'; readonly age: string }
  | { readonly role: 'reviewer'; readonly id: string; readonly age: string };

async function findParty(home: Home, plan: Plan, to: string): Promise<Party> {
  if (personId.safeParse(to).success) {
    if (plan.shares.some(({ officer }) => officer === to)) return { role: 'holder' };
    const reviewer = (await loadTrust(home)).root.reviewers.get(to);
    if (reviewer !== undefined) return { role: 'reviewer', id: to, age: reviewer.age };
  }
  const card = await readHandoverCard(to);
  if (card.format === 'sealdrop-officer-card/v1') return { role: 'officer', age: card.age };
  // Anybody can write a firm's name on a card; which key is the firm's is for the root to say.
  const { root } = await loadTrust(home);
  const listed = root.reviewers.get(card.id);
  if (listed?.age !== card.age || listed.key !== card.key) {
    throw new ProtocolError('trust_invalid', `the root lists no reviewer with the keys of ${to}`);
  }
  return { role: 'reviewer', id: card.id, age: card.age };
}

/** Open our own draft and encrypt the same bytes to somebody else. */
async function resealFor(home: Home, path: string, age: string): Promise<Uint8Array> {
  const { id, ageIdentity } = await home.officerKeys();
  return seal(await open(await readDraftFor(path, id), ageIdentity), [age]);
}
