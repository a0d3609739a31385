import { hex64, postedUrl } from '../../protocol/encoding/shape.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { encodeEnvelope, signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodeEndorsement, MAX_POSTED } from '../../protocol/statement/endorsement.ts';
import { argument, findOption, listOption, type Command, type Input } from '../command.ts';
import { UsageError } from '../errors.ts';
import { writeNew } from '../home/files.ts';
import { requirePublic } from '../operator/notice.ts';
import { keepReceipt } from '../receipts/keep.ts';
import { openEndorserSession } from '../reviewer/session.ts';

export const endorseCommand: Command = {
  name: 'endorse',
  group: 'reviewer',
  summary: 'Sign that you repeated a public commitment, and where you posted it',
  args: [{ name: 'hash', description: 'the commitment, as the officers told you: 64 hex digits' }],
  options: [
    {
      flag: '--posted <url>',
      description: 'https address of your post; once for each',
      required: true,
      many: true,
    },
    { flag: '--out <file>', description: 'write the signed endorsement there too' },
  ],
  example:
    'sealdrop endorse e4d909c290d0fb1ca068ffaddf22cbd0e3b0c44298fc1c149afbf4c8996fb924' +
    ' --posted https://social.example/@max/1',

  async run(input, context) {
    const commitment = argument(input, 0);
    if (!hex64.safeParse(commitment).success) {
      throw new UsageError('a commitment is 64 hex digits in lower case');
    }
    const posted = readPosted(input);
    const { client, entry, home, keys, trust } = await openEndorserSession(context);
    await requirePublic(context, home, client, trust, commitment);

    const payload = encodeEndorsement({
      commitment,
      network: trust.root.network,
      origin: trust.root.origin,
      endorser: keys.id,
      posted,
      issuedAt: formatTime(context.now()),
    });
    const envelope = signEnvelope(payload, keys.signer);
    const out = findOption(input, 'out');
    if (out !== undefined) await writeNew(out, encodeEnvelope(envelope));
    const answer = await client.sendEndorsement(commitment, envelope);
    const name = `${commitment.slice(0, 12)}.endorsement.${String(context.now())}`;
    const receipt = await keepReceipt(home, trust.root, name, 'endorsement', envelope, answer);
    context.out.line(`${entry.name} endorses ${commitment}`);
    for (const url of posted) context.out.line(`  ${url}`);
    context.out.note(`receipt ${receipt}`);
    context.out.summary({ commitment, endorser: keys.id, posted, receipt });
  },
};

function readPosted(input: Input): readonly string[] {
  const posted = [...listOption(input, 'posted')].sort();
  const wrong = posted.find((url) => !postedUrl.safeParse(url).success);
  if (wrong !== undefined) {
    throw new UsageError(
      `"${wrong}" is not an address of a post`,
      'https, a host in lower case, a path, at most 300 characters, as a browser shows it',
    );
  }
  if (new Set(posted).size !== posted.length) throw new UsageError('an address is given twice');
  if (posted.length > MAX_POSTED) throw new UsageError(`at most ${MAX_POSTED} addresses`);
  return posted;
}
