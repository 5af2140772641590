import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { aesVault } from '#shared/adapters/vault.ts';
import { repeatRulesSchema, repeatsAmong, type RepeatRules, type Telling } from '#shared/domain/repeats.ts';
import * as z from 'zod';
import { Refused } from '../refused.ts';

const RULES = resolve(import.meta.dirname, '../../../shared/districts/repeats.json');

const messageSchema = z.object({
  id: z.string(),
  text: z.string(),
  reporter: z.string().optional(),
  group: z.string().optional(),
});
type Message = z.infer<typeof messageSchema>;

/** B-cubed: for each row, how pure and how complete the group it was put into is; means over rows, 0–1. */
export interface BCubed {
  rows: number;
  precision: number;
  recall: number;
}

/** How well repeats are found. Rows of no group are groups of one. */
export interface RepeatMeasure {
  /** Over all rows, negatives included. */
  all: BCubed;
  /** Over the rows of real groups alone: negatives, which nobody can miss, do not flatter its recall. */
  grouped: BCubed;
  /** Over the rows that were put into a group: negatives, mostly let alone, do not flatter its precision. */
  found: BCubed;
}

/** The whole report; `compared` counts pairs of texts looked at. */
export interface RepeatReport {
  rows: number;
  negatives: number;
  withLargest: RepeatMeasure;
  withoutLargest: RepeatMeasure;
  compared: number;
  ms: number;
  rules: string;
}

/** B-cubed of the rows that `counts` picks. @param truth id → group; @param found id → group it was put into */
export const bCubed = (
  truth: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
  counts: (id: string) => boolean = () => true,
): BCubed => {
  const members = (map: ReadonlyMap<string, string>) =>
    new Map(
      [...Map.groupBy(map, ([, group]) => group)].map(([group, rows]) => [group, rows.map(([id]) => id)]),
    );
  const [real, put] = [members(truth), members(found)];
  let [rows, precision, recall] = [0, 0, 0];
  for (const [id, group] of truth) {
    if (!counts(id)) continue;
    const mates = real.get(group) ?? [id];
    const said = put.get(found.get(id) ?? '') ?? [id];
    const right = said.filter((other) => truth.get(other) === group).length;
    rows += 1;
    precision += right / said.length;
    recall += right / mates.length;
  }
  const mean = (sum: number) => (rows === 0 ? 0 : Math.round((sum / rows) * 10_000) / 10_000);
  return { rows, precision: mean(precision), recall: mean(recall) };
};

const messages = (data: string, file: string): Message[] => {
  const path = join(data, file);
  if (!existsSync(path)) throw new Refused(`${file} is not in the data folder.`);
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => messageSchema.parse(JSON.parse(line)));
};

const goldIds = (data: string): Set<string> => {
  const path = join(data, 'gold-dev.jsonl');
  if (!existsSync(path)) return new Set();
  return new Set(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => messageSchema.pick({ id: true }).parse(JSON.parse(line)).id),
  );
};

/** Any pepper measures the same, but for chance; a fixed one measures the same twice. */
const vault = aesVault({
  dataKeys: { current: 'none', keys: {} },
  pepper: Buffer.alloc(32, 1).toString('base64'),
});

const measureOf = (rows: readonly Message[], rules: RepeatRules) => {
  const tellings: Telling[] = rows.map(({ id, text, reporter }) => ({
    id,
    sketch: vault.sketch(text),
    keys: reporter === undefined ? [] : [`person:${reporter}`],
  }));
  const { groups, compared } = repeatsAmong(tellings, rules);
  const truth = new Map(rows.map(({ id, group }) => [id, group ?? id]));
  const found = new Map(rows.map(({ id }) => [id, id]));
  for (const group of groups) for (const id of group) found.set(id, group[0] ?? id);
  const isGrouped = new Set(rows.filter(({ group }) => group !== undefined).map(({ id }) => id));
  const isFound = new Set(groups.flat());
  const measure: RepeatMeasure = {
    all: bCubed(truth, found),
    grouped: bCubed(truth, found, (id) => isGrouped.has(id)),
    found: bCubed(truth, found, (id) => isFound.has(id)),
  };
  return { measure, compared };
};

/** Our rules for repeats, as the project has them. */
export const repeatRules = (): RepeatRules =>
  repeatRulesSchema.parse(JSON.parse(readFileSync(RULES, 'utf8')));

/**
 * Measures repeats on the groups of a data folder, with every citizen message of no group as a negative. Rows of the
 * gold set are left out. @throws Refused when a file is missing.
 */
export const measureRepeats = (data: string, rules: RepeatRules = repeatRules()): RepeatReport => {
  const gold = goldIds(data);
  const grouped = messages(data, 'repeat-groups.jsonl').filter(({ id }) => !gold.has(id));
  const ids = new Set(grouped.map(({ id }) => id));
  const negatives = messages(data, 'citizen-messages.jsonl').filter(
    ({ id }) => !ids.has(id) && !gold.has(id),
  );
  const sizes = Map.groupBy(grouped, ({ group }) => group);
  const largest = [...sizes].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
  const from = performance.now();
  const whole = measureOf([...grouped, ...negatives], rules);
  const ms = Math.round(performance.now() - from);
  const rest = measureOf([...grouped.filter(({ group }) => group !== largest), ...negatives], rules);
  return {
    rows: grouped.length,
    negatives: negatives.length,
    withLargest: whole.measure,
    withoutLargest: rest.measure,
    compared: whole.compared,
    ms,
    rules: rules.version,
  };
};

/** The report as lines that a person reads. */
export const printRepeats = (report: RepeatReport): string[] => [
  `Repeats: ${report.rows} rows of groups, ${report.negatives} negatives, ${report.compared} pairs compared in ${report.ms} ms, rules ${report.rules}`,
  ...(['withLargest', 'withoutLargest'] as const).flatMap((which) =>
    (['all', 'grouped', 'found'] as const).map((over) => {
      const { rows, precision, recall } = report[which][over];
      const name = { all: 'all rows', grouped: 'rows of groups', found: 'rows put into groups' }[over];
      return `  ${which === 'withLargest' ? 'with' : 'without'} the largest group, ${name} (${rows}): B-cubed precision ${precision}, recall ${recall}`;
    }),
  ),
];
