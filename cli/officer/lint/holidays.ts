import { z } from 'zod';
import { fileURLToPath } from 'node:url';
import { readFileBounded } from '../../../platform/read-file.ts';
import { parseJson } from '../../../protocol/encoding/json.ts';
import { parseShape } from '../../../protocol/encoding/shape.ts';

/** Public holidays of whole countries, in the years that the table knows. */
export interface Holidays {
  /** The first year and the last. */
  readonly years: readonly [number, number];
  /** Whether the country is in the table at all. */
  knows(country: string): boolean;
  /**
   * The holiday's name in English, if it is one.
   *
   * @param country - ISO 3166, two capitals.
   * @param day - `2026-11-26`, as the calendar there has it.
   */
  find(country: string, day: string): string | undefined;
}

const TABLE = fileURLToPath(new URL('../../../data/holidays.json', import.meta.url));
const MAX_BYTES = 2 ** 20;

const table = z.strictObject({
  source: z.string(),
  years: z.tuple([z.int(), z.int()]),
  /** Country → name → `MM-DD` where it is every year, else `YYYY-MM-DD`. */
  countries: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});

/**
 * Read the table that comes with the program.
 *
 * @see docs/adr/0014-a-table-of-holidays.md
 */
export async function loadHolidays(): Promise<Holidays> {
  const json = parseJson(await readFileBounded(TABLE, MAX_BYTES), MAX_BYTES);
  const { years, countries } = parseShape(table, json, 'encoding_invalid', 'holidays.json');
  return {
    years,
    knows: (country) => Object.hasOwn(countries, country),
    find(country, day) {
      const known = Object.hasOwn(countries, country) ? countries[country] : undefined;
      const found = Object.entries(known ?? {}).find(
        ([, days]) => days.includes(day) || days.includes(day.slice(5)),
      );
      return found?.[0];
    },
  };
}
