import { findOption, hasFlag, listOption, wholeNumber, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { BEACON_OPTION } from '../client/beacon.ts';
import { withAnswerLimit } from '../client/http.ts';
import { openMirror } from '../client/mirror.ts';
import { MIRROR_TARGET_OPTION } from '../client/mirror-option.ts';
import { serveOnce } from '../officer/agent/agent.ts';
import { hasTroubles, startAgent } from '../officer/agent/memory.ts';
import { tellClock } from '../officer/agent/clock.ts';
import { openOfficerForRelease } from '../officer/session.ts';

/** How often the clock is compared with others. */
const CLOCK_MS = 600_000;

export const agentCommand: Command = {
  name: 'agent',
  group: 'officer',
  summary: 'Keep your shares ready and publish them when their time has come',
  options: [
    {
      flag: '--draft <file>',
      description: 'your draft of a campaign: the agent then publishes the combined key too',
      many: true,
    },
    MIRROR_TARGET_OPTION,
    {
      flag: '--clock <url>',
      description: 'any https server to compare the clock with, besides server and mirrors',
      many: true,
    },
    BEACON_OPTION,
    { flag: '--once', description: 'publish what is due now, and end' },
    {
      flag: '--poll <seconds>',
      description: 'look at least this often, 1 to 60',
      defaultValue: '15',
    },
  ],
  example: 'sealdrop agent --draft ada.draft.age --mirror https://mirror.example/shares',

  async run(input, context) {
    const poll = findOption(input, 'poll') ?? '15';
    const pollMs = wholeNumber(poll, '--poll', 1, 60) * 1000;
    const mirrors = listOption(input, 'mirror').map((target) => openMirror(context, target));
    const session = await openOfficerForRelease(withAnswerLimit(context));
    const memory = await startAgent(
      session,
      listOption(input, 'draft'),
      mirrors,
      listOption(input, 'beacon'),
    );
    const isOnce = hasFlag(input, 'once');
    if (!isOnce) context.out.note(`agent of ${session.keys.id}; stop it with Ctrl-C`);
    const isUrl = (target: string): boolean => target.startsWith('http');
    const clocks = [
      session.client.server,
      ...listOption(input, 'mirror').filter(isUrl),
      ...listOption(input, 'clock'),
    ];
    let clockDue = 0;
    for (;;) {
      if (context.now() >= clockDue) {
        clockDue = context.now() + CLOCK_MS;
        await tellClock(session, memory, clocks);
      }
      const wait = await serveOnce(session, memory, pollMs);
      if (isOnce) break;
      await context.sleep(wait);
    }
    context.out.summary({ officer: session.keys.id, published: [...memory.done].sort() });
    if (hasTroubles(memory)) {
      throw new CliError('not everything could be looked after', 'the warnings above say what');
    }
  },
};
