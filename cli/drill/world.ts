import { join } from 'node:path';
import type { Context } from '../command.ts';
import {
  inProcessActor,
  processActor,
  type Actor,
  type CommandTable,
  type InProcessActor,
} from './actor.ts';
import type { Crew } from './crew.ts';
import type { Model, ModelOperator } from './model.ts';
import type { Narrator } from './narrator.ts';

/** Everything that the phases of a rehearsal share. */
export interface World {
  readonly context: Context;
  /** Working directory; removed at the end unless the server is kept. */
  readonly dir: string;
  readonly model: Model;
  readonly narrator: Narrator;
  /** Environment of every child process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Her commands are processes of their own. */
  readonly lead: Officer;
  /** The other four. */
  readonly others: readonly (Officer & InProcessActor)[];
  /** In the order of the model; the first one's commands are processes of their own. */
  readonly operators: readonly Operator[];
  readonly auditor: Actor;
}

export interface Officer extends Actor {
  readonly id: string;
}

export interface Operator extends Actor {
  readonly model: ModelOperator;
  readonly email: string;
}

export const LEAD = 'alice';
const OTHERS = ['bob', 'carol', 'dave', 'erin'] as const;
/** Signatures that a decision takes, and shares that open the patch. */
export const THRESHOLD = 3;

/** Put the people of a rehearsal in their places. */
export function populate(
  base: Pick<World, 'context' | 'dir' | 'model' | 'narrator'>,
  table: CommandTable,
  crew: Crew,
): World {
  const env = childEnvironment(base.context.env, base.dir);
  const home = (name: string): string => join(base.dir, 'homes', name);
  const own = (name: string): Actor => processActor(name, home(name), env);
  const here = (name: string): InProcessActor =>
    inProcessActor(name, home(name), base.context, table);
  return {
    ...base,
    env,
    lead: { ...own(LEAD), id: LEAD },
    others: OTHERS.map((id) => ({ ...here(id), id })),
    operators: base.model.operators.map((model, i) => ({
      ...(i === 0 ? own(model.name) : crew.actor(model.name, home(model.name))),
      model,
      email: `${model.name}@sealdrop.invalid`,
    })),
    auditor: own('auditor'),
  };
}

/** What a child needs, and none of the caller's own Sealdrop settings. */
function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  dir: string,
): Readonly<Record<string, string | undefined>> {
  return {
    PATH: env['PATH'],
    HOME: dir,
    TMPDIR: env['TMPDIR'],
    NO_COLOR: '1',
    // Every child starts the same program: compiled once, in a folder that nobody else writes.
    NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(dir, 'compiled'),
  };
}

/**
 * Do `work` for every item, at most `width` at a time.
 *
 * The first failure stops what has not begun and is thrown.
 */
export async function forEachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    try {
      await lane();
    } catch (error) {
      next = items.length;
      throw error;
    }
  });
  await Promise.all(lanes);
}
