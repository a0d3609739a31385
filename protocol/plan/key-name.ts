import { z } from 'zod';

/**
 * What is split among officers: `release` opens the bundles at T0, `closing` opens the disclosure.
 * `break-glass` is a second split of the release key, with a higher threshold and no time-lock.
 */
export const KEY_NAMES = ['release', 'closing', 'break-glass'] as const;

export type KeyName = (typeof KEY_NAMES)[number];

export const keyName = z.enum(KEY_NAMES);
