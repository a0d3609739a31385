import { readdir } from 'node:fs/promises';
import { z } from 'zod';

const FOLDER = new URL('../../protocol/api/', import.meta.url);

/** Every schema that a file of `protocol/api/` exports, by its name. */
export const schemas: ReadonlyMap<string, z.ZodType> = new Map(
  (await Promise.all((await readdir(FOLDER)).map(schemasOf))).flat(),
);

async function schemasOf(file: string): Promise<readonly (readonly [string, z.ZodType])[]> {
  const exported = (await import(new URL(file, FOLDER).href)) as Readonly<Record<string, unknown>>;
  return Object.entries(exported).flatMap(([name, it]) =>
    it instanceof z.ZodType ? [[name, it] as const] : [],
  );
}
