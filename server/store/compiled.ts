import type { Compilable, CompiledQuery, Kysely, Transaction } from 'kysely';

import type { Schema } from './schema.ts';

/**
 * A query that is built once: for one that is asked with every request, building it takes longer than
 * running it.
 *
 * @param build - The query with any values; they are replaced in the order in which it names them.
 */
export function compiledQuery<Row>(
  build: (db: Kysely<Schema>) => Compilable<Row>,
): (db: Kysely<Schema>, ...values: readonly unknown[]) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  return async (db, ...values) => {
    compiled ??= build(db).compile();
    if (compiled.parameters.length !== values.length)
      throw new Error('values do not fit the query');
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters: values });
    return rows;
  };
}

/** `INSERT` of one row with these columns, built once; see {@link compiledQuery}. */
export function compiledInsert<Table extends keyof Schema, Column extends keyof Schema[Table]>(
  table: Table,
  columns: readonly Column[],
): (tx: Transaction<Schema>, row: Readonly<Pick<Schema[Table], Column>>) => Promise<void> {
  const insert = compiledQuery((db) => {
    const anyRow = Object.fromEntries(columns.map((column) => [column, '']));
    return db.insertInto<keyof Schema>(table).values(anyRow);
  });
  return async (tx, row) => {
    await insert(tx, ...columns.map((column) => row[column]));
  };
}
