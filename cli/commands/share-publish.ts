import { openMirrors } from '../client/mirror.ts';
import { isDue } from '../../protocol/campaign/due.ts';
import type { CampaignState } from '../../protocol/campaign/campaign.ts';
import { KEY_NAMES, keyName, type KeyName } from '../../protocol/plan/key-name.ts';
import { BEACON_OPTION, beaconFinder } from '../client/beacon.ts';
import { MIRROR_TARGET_OPTION } from '../client/mirror-option.ts';
import { argument, findOption, listOption, type Command } from '../command.ts';
import { CliError, InterruptedError, NotReleasedError, UsageError } from '../errors.ts';
import { isHolder, openOwnShares } from '../officer/custody.ts';
import { mirrorOutlet, serverOutlet } from '../officer/agent/outlets.ts';
import { signOwnShare } from '../officer/publishing.ts';
import { openOfficerSession } from '../officer/session.ts';
import { loadStanding } from '../officer/standing.ts';
import { whyHeldBack } from '../officer/agent/held-back.ts';

export const sharePublishCommand: Command = {
  name: 'share publish',
  group: 'officer',
  summary: 'Publish your share by hand, when no agent of yours runs; refused before its time',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    {
      flag: '--key <key>',
      description: 'release, closing, or break-glass',
      defaultValue: 'release',
    },
    BEACON_OPTION,
    MIRROR_TARGET_OPTION,
  ],
  example: 'sealdrop share publish SDX-2026-7KQ4',

  async run(input, context) {
    const id = argument(input, 0);
    const { data: key } = keyName.safeParse(findOption(input, 'key') ?? 'release');
    if (key === undefined) {
      throw new UsageError('there is no such key', `give --key ${KEY_NAMES.join(', or --key ')}`);
    }
    const session = await openOfficerSession(context);
    const { plan, planBytes, planRoot, state, directives } = await loadStanding(session, id);
    if (!isHolder(session, planRoot)) {
      throw new CliError(
        `you hold no share of ${id}: its plan was made before your keys were in force`,
        'the officers who hold one publish theirs',
      );
    }
    if (state.status === 'aborted' || state.status === 'withdrawn') {
      if (key !== 'closing') throw new CliError(`${id} is ${state.status}: its key stays closed`);
    }
    if (!isDue(key, state, context.now())) {
      throw new NotReleasedError(
        key === 'closing'
          ? `${id} is ${state.status} and not to be disclosed yet; nothing was published`
          : `${id} is ${state.status}, T0 is ${state.releaseTime}; nothing was published`,
        ADVICE[key](state),
      );
    }
    const held =
      key !== 'closing' && (await whyHeldBack(session, { campaign: id, state, directives }));
    if (held) throw held;
    if (key === 'break-glass') {
      context.out.warn(
        'BREAK-GLASS: this share of the second split is for when nothing else is left',
      );
    }
    const findBeacon = beaconFinder(context, listOption(input, 'beacon'));
    const shares = await openOwnShares(session, plan);
    const envelope = await signOwnShare(session, plan, key, shares, findBeacon);
    const mirrors = openMirrors(context, listOption(input, 'mirror'), plan);
    const outlets = mirrors.map((mirror) => mirrorOutlet(mirror, session.keys.id));
    const troubles: CliError[] = [];
    for (const outlet of outlets) {
      try {
        await outlet.publish(planBytes, key, envelope);
        context.out.line(`your share of the ${key} key is at ${outlet.name}`);
      } catch (error) {
        // One that is dead keeps the share from nobody else.
        if (!(error instanceof CliError) || error instanceof InterruptedError) throw error;
        context.out.warn(`${outlet.name}: ${error.message}`);
        troubles.push(error);
      }
    }
    const isNew = await serverOutlet(session, id).publish(planBytes, key, envelope);
    context.out.line(
      isNew
        ? `your share of the ${key} key is out`
        : `your share of the ${key} key was out already`,
    );
    if (troubles[0] !== undefined) throw troubles[0];
    context.out.summary({ campaign: id, key, new: isNew });
  },
};

const ADVICE = {
  release: () => 'wait for T0; sealdrop agent does it by itself',
  closing: ({ latestDisclosure }) => `wait for the disclosure, or for ${latestDisclosure}`,
  'break-glass': ({ campaign, breakGlass }) =>
    breakGlass === 'none'
      ? 'its plan has no second split'
      : `if the embargo is broken: sealdrop leaked ${campaign} --reason TEXT`,
} satisfies Record<KeyName, (state: CampaignState) => string>;
