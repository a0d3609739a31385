import { readFileSync } from 'node:fs';

/** `docs/spec/leak-audit.md`, as far as it is a list. */
export interface AuditPage {
  /** Rows of the table under a heading; each cell as it is written. */
  rows(heading: string): readonly (readonly string[])[];
  /** Every name that stands in backticks in the first cells of such a table. */
  names(heading: string): readonly string[];
}

const PAGE = new URL('../../docs/spec/leak-audit.md', import.meta.url);

export function readAuditPage(): AuditPage {
  return parseAuditPage(readFileSync(PAGE, 'utf8'));
}

/** @throws Error for a row that names nothing, or gives no reason in its last cell. */
export function parseAuditPage(markdown: string): AuditPage {
  const tables = new Map<string, string[][]>();
  for (const section of markdown.split(/^## /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const [, , ...rows] = lines.filter((line) => line.startsWith('|'));
    tables.set(heading, rows.map(cellsOf));
  }
  for (const rows of tables.values()) {
    for (const row of rows) {
      if (namesIn(row[0]).length > 0 && (row.at(-1) ?? '').length > 3) continue;
      throw new Error(`the leak audit names nothing or gives no reason: ${row.join(' | ')}`);
    }
  }
  const rowsOf = (heading: string): readonly (readonly string[])[] => {
    const rows = tables.get(heading);
    if (rows !== undefined && rows.length > 0) return rows;
    throw new Error(`the leak audit has no table under "${heading}"`);
  };
  return {
    rows: rowsOf,
    names: (heading) => rowsOf(heading).flatMap(([first]) => namesIn(first)),
  };
}

/** What stands in backticks. */
export function namesIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** What of `actual` the page does not have, and what of the page is not there any more. */
export function differences(
  listed: readonly string[],
  actual: readonly string[],
): { readonly missing: readonly string[]; readonly stale: readonly string[] } {
  const page = new Set(listed);
  const real = new Set(actual);
  return {
    missing: [...real].filter((it) => !page.has(it)).sort(),
    stale: [...page].filter((it) => !real.has(it)).sort(),
  };
}
