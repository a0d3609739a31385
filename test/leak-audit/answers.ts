import { z } from 'zod';
import { schemas } from './schemas.ts';

const NAMES = new Map<z.core.$ZodType, string>(
  [...schemas].map(([name, schema]) => [schema, name]),
);

/**
 * Every member of a JSON body, as `schema.member[].member`. A body within a body is named once, under
 * its own name.
 *
 * @param name - Of a schema in `protocol/api/`.
 */
export function membersOfAnswer(name: string): readonly string[] {
  const schema = schemas.get(name);
  if (schema === undefined) throw new Error(`protocol/api/ has no ${name}`);
  return pathsOf(schema, name);
}

function pathsOf(schema: z.core.$ZodType, path: string): readonly string[] {
  const inner = unwrap(schema, path);
  const known = NAMES.get(inner.schema);
  if (known !== undefined && known !== path) return [inner.path, ...pathsOf(inner.schema, known)];
  if (!(inner.schema instanceof z.ZodObject)) return [inner.path];
  return Object.entries(inner.schema.shape as Record<string, z.core.$ZodType>).flatMap(
    ([member, its]) => pathsOf(its, `${inner.path}.${member}`),
  );
}

/** What an array, a nullable or an optional is of. */
function unwrap(
  schema: z.core.$ZodType,
  path: string,
): { readonly schema: z.core.$ZodType; readonly path: string } {
  if (schema instanceof z.ZodArray) return unwrap(schema.element, `${path}[]`);
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap(), path);
  }
  return { schema, path };
}
