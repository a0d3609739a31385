import type { Mirror } from './mirror.ts';
import { isTemporary, reasonOf } from './trouble.ts';

/** What a mirror has; nothing of it is believed. */
interface OnMirror {
  /** Of the mirror. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Ask every mirror for the same files, all at once.
 *
 * @param maxBytes - Of a file.
 * @param refuse - Told which mirror is of no help, and why.
 * @returns What there is, mirror by mirror and in the order of the paths.
 */
export async function askMirrors(
  mirrors: readonly Mirror[],
  paths: readonly string[],
  maxBytes: number,
  refuse: (text: string) => void,
): Promise<readonly OnMirror[]> {
  const asked = mirrors.flatMap((mirror) =>
    paths.map(async (path) => ({ mirror, bytes: await mirror.find(path, maxBytes) })),
  );
  const found: OnMirror[] = [];
  for (const [i, answer] of (await Promise.allSettled(asked)).entries()) {
    if (answer.status === 'rejected') {
      const name = mirrors[Math.floor(i / paths.length)]?.name ?? '';
      refuse(`mirror ${name}: ${reasonOf(answer.reason)}`);
    } else if (answer.value.bytes !== undefined) {
      found.push({ name: answer.value.mirror.name, bytes: answer.value.bytes });
    }
  }
  return found;
}

/** The same mirrors, each asked no more once it did not answer: one that hangs is waited for once. */
export function askedUntilSilent(mirrors: readonly Mirror[]): readonly Mirror[] {
  return mirrors.map((mirror) => {
    let silent: ReturnType<Mirror['find']> | undefined;
    return {
      ...mirror,
      find(path, maxBytes) {
        if (silent !== undefined) return silent;
        const answer = mirror.find(path, maxBytes);
        answer.catch((error: unknown) => {
          if (isTemporary(error)) silent = answer;
        });
        return answer;
      },
    };
  });
}
