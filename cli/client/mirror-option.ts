import type { OptionSpec } from '../command.ts';

/** Of commands that read from mirrors. */
export const MIRROR_SOURCE_OPTION: OptionSpec = {
  flag: '--mirror <source>',
  description: 'folder or https address to ask besides the server and the plan’s mirrors',
  many: true,
};

/** Of commands that publish to mirrors. */
export const MIRROR_TARGET_OPTION: OptionSpec = {
  flag: '--mirror <target>',
  description: 'folder or https address to publish to besides the server and the plan’s mirrors',
  many: true,
};
