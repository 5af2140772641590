import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import { loadDistrict, listDistricts, sharedFiles } from '#shared/districts/load.ts';
import { fit, type Calibration, type Thresholds } from '#shared/domain/classify/calibrate.ts';
import { conceptsSchema, type Concepts } from '#shared/domain/classify/concepts.ts';
import { openModel, type ModelFile } from '#shared/domain/classify/model.ts';
import type { District } from '#shared/domain/district.ts';
import { main, text, type Command } from './command.ts';
import { measureByStyle } from './eval/measure.ts';
import { predictionOf } from './eval/prediction.ts';
import { printMeasures } from './eval/print.ts';
import { readRows, type Row } from './eval/rows.ts';
import { sideOf } from './eval/split.ts';
import { Refused } from './refused.ts';
import { callsOf, linesOf, seedsSchema } from './train/calls.ts';
import { answersOf, crossValidate, type HeldOut } from './train/held-out.ts';
import {
  lessonOf,
  lessonOfCall,
  lessonsOfLabels,
  lessonsOfPairs,
  lessonsOfStatutes,
  type Lesson,
} from './train/lessons.ts';
import { modelFrom, readAll } from './train/model-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SEED = 20_261_122;
const VERSION = '2026-11-22';
/** A model that adds less than this share on rows that shaped neither is dropped: simple wins. */
const WORTH = 0.02;

/**
 * Where the lines are drawn, chosen in cross-validation: a missed danger is much worse than a false alarm, and the desk
 * is asked where the disposition is most often wrong.
 */
const THRESHOLDS: Thresholds = {
  danger: 0.5,
  ask: 0.15,
  dismiss: 0.12,
  police: 0.5,
  p1: 0.3,
  p1Asked: 0.5,
  risk: 0.2,
  riskDanger: 0.12,
  rival: 0.05,
};

/** Invented texts, each written and labelled by a person: the only ones beside real questions that teach and measure. */
export const INVENTED = [
  'letters',
  'voices',
  'questions-headlines',
  'phenomena',
  'plain-letters',
  'alarms',
  'asked',
  'daily-calls',
  'fresh-calls',
] as const;
/** Labels by hand of real questions, kept without the texts. */
const LABELS = [
  'question-labels-1',
  'question-labels-2',
  'question-labels-3',
  'question-labels-4',
  'question-labels-5',
] as const;

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const share = (k: number, n: number): number => (n === 0 ? 0 : Math.round((k / n) * 1000) / 1000);
const pretty = (value: unknown): Promise<string> =>
  format(JSON.stringify(value), { parser: 'json', printWidth: 110 });

type Compared = { n: number; rulesOnly: number; modelOnly: number; both: number };

/** Category with also_ok by rules only, runs of characters only, and the two together. */
const compared = (held: readonly HeldOut[]): Compared => {
  const right = (of: (one: HeldOut) => string): number =>
    share(held.filter((one) => [one.row.category, ...one.row.alsoOk].includes(of(one))).length, held.length);
  return {
    n: held.length,
    rulesOnly: right(({ rulesOnly }) => rulesOnly.category),
    modelOnly: right(({ modelOnly }) => modelOnly.category),
    both: right(({ weighed }) => weighed.classification.category),
  };
};

/** The curves of confidence: what raw shares were worth on texts that the model had not seen. */
const calibrate = (held: readonly HeldOut[]): Calibration => ({
  note: '由 npm run train -- --data 目录 按模型没见过的文字算出；只有数字，没有文字。',
  version: VERSION,
  category: fit(
    held.map(({ row, weighed: { classification, raw } }) => ({
      score: raw.category,
      right: [row.category, ...row.alsoOk].includes(classification.category),
    })),
  ),
  disposition: fit(
    held.map(({ row, weighed: { classification, raw } }) => ({
      score: raw.disposition,
      right: row.disposition === classification.disposition,
    })),
  ),
  p1: fit(held.map(({ row, weighed: { raw } }) => ({ score: raw.p1, right: row.urgency === 'P1' }))),
  risk: fit(held.map(({ row, weighed: { raw } }) => ({ score: raw.risk, right: row.risk }))),
  thresholds: THRESHOLDS,
});

/** Whatever the file on disk says, the thresholds of this run decide while it is measured. */
const withThresholds = (district: District): District => ({
  ...district,
  calibration: { ...district.calibration, thresholds: THRESHOLDS },
});

/** Makes the calls, the model, the calibration and the manifest, byte for byte the same from the same inputs. */
export const train: Command = {
  name: 'train',
  about:
    'Makes calls.jsonl from its seeds, trains the model, measures it on texts it has not seen and calibrates it.',
  usage: ['[--data DIR]', '--data DIR --look'],
  more: [
    'With --data (a folder with gold-dev, legal-questions and statute-questions) model.json and calibration.json are',
    'made; the build rows of the gold set only measure. tests/corpus/trained.json says what came from what. --look',
    'measures and writes nothing.',
    '',
  ],
  options: { look: { type: 'boolean' } },
  async run(call) {
    const { terminal } = call;
    const look = call.values['look'] === true;
    const inputs: Record<string, string> = {};
    const outputs: Record<string, string> = {};
    const read = (path: string, name: string): string => {
      if (!existsSync(path)) throw new Refused(`The file is not there: ${path}`);
      const content = readFileSync(path, 'utf8');
      inputs[name] = sha256(content);
      return content;
    };
    const own = (name: string): string => read(join(ROOT, name), name);
    const write = (name: string, content: string): void => {
      if (!look) writeFileSync(join(ROOT, name), content);
      outputs[name] = sha256(content);
    };

    const calls = callsOf(seedsSchema.parse(JSON.parse(own('tests/corpus/call-seeds.json'))));
    write('tests/corpus/calls.jsonl', linesOf(calls));
    const data = text(call, 'data');
    terminal.out(`${calls.length} calls in ${new Set(calls.map((one) => one.category)).size} categories.`);
    if (data === undefined) {
      terminal.out('No --data: the model and its calibration stay as they are.');
      return;
    }

    for (const name of Object.keys(sharedFiles()).filter((file) => file !== 'calibration'))
      own(`shared/districts/${name}.json`);
    const [id] = listDistricts();
    if (id === undefined) throw new Refused('There is no district.');
    const district = withThresholds(loadDistrict(id));
    const concepts: Concepts = conceptsSchema.parse(JSON.parse(own('shared/districts/concepts.json')));
    const known = new Set(district.categories.map((c) => c.id));

    const invented = INVENTED.map((name) => {
      const file = `tests/corpus/invented/${name}.jsonl`;
      const { rows, faults } = readRows(own(file), known);
      for (const fault of faults) terminal.err(`${file}: ${fault}`);
      return { name, rows };
    });
    const questions = read(join(data, 'legal-questions.jsonl'), 'legal-questions.jsonl');
    const labelled = LABELS.map((name) => ({
      name,
      lessons: lessonsOfLabels(own(`tests/corpus/${name}.jsonl`), questions, name),
    }));
    const lessons: Lesson[] = [
      ...invented.flatMap(({ name, rows }) => rows.map((row) => lessonOf(row, name))),
      ...labelled.flatMap((one) => one.lessons),
      ...lessonsOfStatutes(read(join(data, 'statute-questions.jsonl'), 'statute-questions.jsonl')),
      ...calls.map(lessonOfCall),
      ...lessonsOfPairs(own('tests/corpus/danger-pairs.jsonl'), district.signs),
    ];
    const reads = readAll(district, concepts, lessons);

    const measured: { name: string; rows: Row[] }[] = [
      ...invented,
      ...labelled.map(({ name, lessons: of }) => ({
        name,
        rows: of.map(({ row }) => row).filter((row) => row !== undefined),
      })),
    ];
    const run = { version: VERSION, seed: SEED };
    const held = crossValidate(
      district,
      concepts,
      reads,
      measured.flatMap(({ rows }) => rows),
      run,
    );

    const categories = [...known];
    const whole: ModelFile = modelFrom(reads, categories, run);
    const gramsOnly = modelFrom(reads, categories, { ...run, parts: { grams: true, signals: false } });
    const gold = readRows(read(join(data, 'gold-dev.jsonl'), 'gold-dev.jsonl'), known);
    const build = answersOf(
      district,
      concepts,
      gold.rows.filter((row) => sideOf(row.id) === 'build'),
      { whole: openModel(whole), gramsOnly: openModel(gramsOnly) },
    );
    write('shared/districts/model.json', `${JSON.stringify(whole)}\n`);
    write('shared/districts/calibration.json', await pretty(calibrate([...held, ...build])));

    const report: Record<string, Compared> = { build: compared(build), heldOut: compared(held) };
    const texts = new Map(measured.map(({ name, rows }) => [name, new Set(rows.map((row) => row.text))]));
    for (const [name, of] of texts) report[name] = compared(held.filter(({ row }) => of.has(row.text)));
    const { both, rulesOnly } = report['build'] ?? { both: 0, rulesOnly: 0 };
    const gain = Math.round((both - rulesOnly) * 1000) / 1000;
    const manifest = {
      seed: SEED,
      node: process.versions.node,
      lessons: Object.fromEntries(
        [...Map.groupBy(lessons, ({ source }) => source)].map(([source, of]) => [source, of.length]),
      ),
      inputs,
      report,
      gain,
      model: gain >= WORTH ? 'kept' : 'dropped',
      outputs,
    };
    const content = { ...manifest, hash: sha256(JSON.stringify(manifest)) };
    if (!look) writeFileSync(join(ROOT, 'tests/corpus/trained.json'), await pretty(content));

    const show = (title: string, of: readonly HeldOut[]): void => {
      const answered = of.map(({ row, weighed }) => ({ row, said: predictionOf(weighed), ms: 0 }));
      const { byStyle, ...all } = measureByStyle(answered);
      for (const line of printMeasures(title, all)) terminal.out(line);
      for (const [style, measures] of Object.entries(byStyle))
        for (const line of printMeasures(`${title}, ${style}`, measures)) terminal.out(line);
    };
    show('build rows (never learnt from)', build);
    show('held out', held);
    for (const [name, part] of Object.entries(report))
      terminal.out(
        `${name} (${part.n}): rules only ${part.rulesOnly}, model only ${part.modelOnly}, both ${part.both}`,
      );
    terminal.out(
      gain >= WORTH
        ? `The model adds ${gain} on build rows: kept.`
        : `The model adds ${gain} on build rows, less than ${WORTH}: drop it.`,
    );
    terminal.err(
      `Read ${Object.keys(inputs).length} inputs, ${lessons.length} texts; hash ${content.hash.slice(0, 16)}.`,
    );
  },
};

if (import.meta.main) await main(train);
