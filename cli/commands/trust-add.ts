import { hex64 } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { checkNotExpired } from '../../protocol/trust/root-verify.ts';
import { connectTo } from '../client/connect.ts';
import { followRoots, saveTrust } from '../client/trust.ts';
import { argument, getOption, type Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { openHome } from '../home/home.ts';
import { describeRoot, rootLines } from '../trust/description.ts';

export const trustAddCommand: Command = {
  name: 'trust add',
  group: 'all',
  summary: 'Trust a server whose root of trust has the published digest',
  args: [{ name: 'url', description: "the server's public URL" }],
  options: [
    {
      flag: '--root-sha256 <hex>',
      description: 'digest of root.json, compared in several places where it is published',
      required: true,
    },
  ],
  example:
    'sealdrop trust add https://patches.example.org --root-sha256 ' +
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',

  async run(input, context) {
    const server = formatServerUrl(parseServerUrl(argument(input, 0)));
    const pin = getOption(input, 'rootSha256').toLowerCase();
    if (!hex64.safeParse(pin).success) {
      throw new UsageError(
        '--root-sha256 is not 64 hex digits',
        'copy it from where it is published',
      );
    }
    const home = openHome(context);
    const before = await home.findConfig();
    if (before !== undefined && before.rootSha256 !== pin) {
      throw new ProtocolError(
        'trust_invalid',
        `another root is pinned here: ${before.rootSha256}. A root changes by rotation, never by a ` +
          'new pin: ask the officers by voice. For another network, use another --home',
      );
    }
    const client = connectTo(context, server);
    const trust = await followRoots(pin, (version) => client.findRoot(version));
    checkNotExpired(trust.root, context.now());
    await home.writeConfig({ server, rootSha256: pin });
    await saveTrust(home, trust);

    const description = await describeRoot(trust.root);
    for (const line of rootLines(description)) context.out.line(line);
    context.out.line(`trusted        ${server}, by the pin ${pin}`);
    context.out.note('compare the fingerprints with those you know before relying on them');
    context.out.summary({ server, rootSha256: pin, ...description });
  },
};
