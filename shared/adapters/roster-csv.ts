import { parse } from 'csv-parse/sync';
import type { District } from '#shared/domain/district.ts';
import { OPTIONAL_COLUMNS, readRoster, ROSTER_COLUMNS } from '#shared/domain/roster-file.ts';
import type { RosterReading, RosterRow } from '#shared/domain/roster-file.ts';

type Parsed = { record: string[]; info: { lines: number } };

const refuse = (sentence: string): RosterReading => ({ members: [], problems: [sentence], warnings: [] });

/**
 * Parses a roster file (CSV in UTF-8, with or without BOM, `#` starts a comment line). All or nothing: with any problem
 * no member is returned, and each problem is a sentence with the line number. Never throws on bad text.
 */
export const parseRoster = (csvText: string, district: District): RosterReading => {
  let parsed: Parsed[];
  try {
    // With `info` every record comes with the line it ends on; the package's types do not know that.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    parsed = parse(csvText, {
      bom: true,
      comment: '#',
      comment_no_infix: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Parsed[];
  } catch (error) {
    return refuse(`花名册不是正确的 CSV 文件：${error instanceof Error ? error.message : String(error)}`);
  }
  const [head, ...lines] = parsed;
  if (!head) return refuse('花名册是空的：第一行应为列名');
  const missing = ROSTER_COLUMNS.filter(
    (column) => !OPTIONAL_COLUMNS.has(column) && !head.record.includes(column),
  );
  if (missing.length > 0) return refuse(`花名册缺少这些列：${missing.join('、')}`);
  const rows = lines.map(({ record, info }): RosterRow => ({
    row: info.lines,
    cells: Object.fromEntries(
      ROSTER_COLUMNS.map((column) => [column, record[head.record.indexOf(column)] ?? '']),
    ),
  }));
  return readRoster(rows, district);
};
