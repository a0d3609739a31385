import { officerCard } from '../../protocol/api.ts';
import { open, seal } from '../../protocol/embargo/age.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape, personId } from '../../protocol/encoding/shape.ts';
import { argument, getOption, type Command } from '../command.ts';
import { readInputFile, writeNew } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { readDraftFor, readSealed } from '../officer/sealed-dir.ts';

const MAX_CARD_BYTES = 64 * 1024;

export const handoverCommand: Command = {
  name: 'handover',
  group: 'officer',
  summary: 'Write the draft of a sealed campaign for one officer or reviewer',
  args: [{ name: 'dir', description: 'sealed campaign directory' }],
  options: [
    {
      flag: '--to <officer-or-card>',
      description: 'officer’s id, or a file with the public card of anybody (officer init)',
      required: true,
    },
    { flag: '--out <file>', description: 'where to write it', required: true },
  ],
  example: 'sealdrop handover ./next --to bo --out bo.draft.age',

  async run(input, context) {
    const path = argument(input, 0);
    const to = getOption(input, 'to');
    const out = getOption(input, 'out');
    const { plan } = await readSealed(path);
    const isOfficer = plan.shares.some(({ officer }) => officer === to);
    const draft =
      personId.safeParse(to).success && isOfficer
        ? await readDraftFor(path, to)
        : await resealFor(to);
    await writeNew(out, draft, 0o600);
    context.out.line(`${out} is for ${to} alone; hand it over by a way you both trust`);
    context.out.note(`it is opened with: sealdrop approve ${plan.campaign} --draft FILE`);
    context.out.summary({ campaign: plan.campaign, to, out, bytes: draft.length });

    /** Open our own draft and encrypt the same bytes to whoever the card is of. */
    async function resealFor(card: string): Promise<Uint8Array> {
      const { age } = parseShape(
        officerCard,
        parseJson(await readInputFile(card, MAX_CARD_BYTES), MAX_CARD_BYTES),
        'encoding_invalid',
        'card',
      );
      const { id, ageIdentity } = await openHome(context).officerKeys();
      return seal(await open(await readDraftFor(path, id), ageIdentity), [age]);
    }
  },
};
