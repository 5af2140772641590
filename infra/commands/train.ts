import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import * as z from 'zod';
import { loadDistrict, listDistricts, sharedFiles } from '#shared/districts/load.ts';
import { fit, type Calibration } from '#shared/domain/classify/calibrate.ts';
import { weigh } from '#shared/domain/classify.ts';
import type { District } from '#shared/domain/district.ts';
import { main, text, type Command } from './command.ts';
import { readRows, type Row } from './eval/rows.ts';
import { sideOf } from './eval/split.ts';
import { Refused } from './refused.ts';
import { callsOf, linesOf, seedsSchema, type Call } from './train/calls.ts';
import { predict, train as trainModel, type LinearModel } from './train/linear-model.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SEED = 20_261_121;
const FOLDS = 3;
/** Points of the word list that a certain model would add, tried in cross-validation. */
const WEIGHTS = [4, 8, 16];
/** A model that adds less than this share in cross-validation on build rows is dropped: simple wins. */
const WORTH = 0.02;
/** Questions about the law that may shape what is shipped, all of them advice; a few, or they would outweigh the calls. */
const ADVICE = 60;
/** Below these the desk is asked. Set by hand from the build rows: above them a guess was right more often than not. */
const ASK: Calibration['ask'] = { category: 0.27, disposition: 0.27 };

/** What is taken off for rows that the rules have not seen, and what a text without any sign is worth. */
const UNSEEN = { doubt: 0.07, anchor: 0.2 };

const pretty = (value: unknown): Promise<string> =>
  format(JSON.stringify(value), { parser: 'json', printWidth: 110 });

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const share = (k: number, n: number): number => (n === 0 ? 0 : Math.round((k / n) * 1000) / 1000);

const textRowSchema = z.object({ text: z.string() });

type Labelled = { text: string; category: string; right: ReadonlySet<string>; fold: number };

const labelled = (rows: readonly Row[]): Labelled[] =>
  rows.map((row, i) => ({
    text: row.text,
    category: row.category,
    right: new Set([row.category, ...row.alsoOk]),
    fold: i % FOLDS,
  }));

const best = (scores: ReadonlyMap<string, number>): string =>
  [...scores].reduce((a, b) => (b[1] > a[1] ? b : a), ['other', 0] as [string, number])[0];

const modelScores = (model: LinearModel, of: string): Map<string, number> => {
  const shares = predict(model, of);
  return new Map(model.labels.map((label, i) => [label, shares[i] ?? 0]));
};

/** Rules with what the model adds: the rules' decision has the points that it had over its rival. */
const both = (district: District, model: LinearModel, of: string, weight: number): string => {
  const { classification, raw } = weigh(district, { content: of, address: '' });
  const scores = modelScores(model, of);
  for (const [label, p] of scores) scores.set(label, p * weight);
  scores.set(classification.category, (scores.get(classification.category) ?? 0) + Math.max(0, raw.category));
  return best(scores);
};

type Compared = { n: number; rulesOnly: number; modelOnly: number; both: number };

/** Rules, model and both on the same rows; the weight of both is chosen on the other folds. */
const compare = (
  district: District,
  modelOf: (fold: number) => LinearModel,
  rows: readonly Labelled[],
): Compared => {
  const counts = { rulesOnly: 0, modelOnly: 0, both: 0 };
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const model = modelOf(fold);
    const right = (row: Labelled, category: string): number => (row.right.has(category) ? 1 : 0);
    const others = rows.filter((row) => row.fold !== fold);
    const sum = (weight: number): number =>
      others.reduce((n, row) => n + right(row, both(district, model, row.text, weight)), 0);
    const weight = WEIGHTS.map((w) => [w, sum(w)] as const).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
    for (const row of rows.filter((one) => one.fold === fold)) {
      counts.rulesOnly += right(
        row,
        weigh(district, { content: row.text, address: '' }).classification.category,
      );
      counts.modelOnly += right(row, best(modelScores(model, row.text)));
      counts.both += right(row, both(district, model, row.text, weight));
    }
  }
  const n = rows.length;
  return {
    n,
    rulesOnly: share(counts.rulesOnly, n),
    modelOnly: share(counts.modelOnly, n),
    both: share(counts.both, n),
  };
};

/** The curves of confidence: what the raw scores of labelled rows were worth. */
const calibrate = (district: District, rows: readonly Row[], version: string): Calibration => {
  const seen = rows.map((row) => ({ row, ...weigh(district, { content: row.text, address: '' }) }));
  return {
    note: '由 npm run train -- --data 目录 按 build 行算出；只有数字，没有文字。ask 以下请值班员核对。',
    version,
    category: fit(
      seen.map(({ row, classification, raw }) => ({
        score: raw.category,
        right: [row.category, ...row.alsoOk].includes(classification.category),
      })),
      UNSEEN,
    ),
    disposition: fit(
      seen.map(({ row, classification, raw }) => ({
        score: raw.disposition,
        right: row.disposition === classification.disposition,
      })),
      UNSEEN,
    ),
    p1: fit(seen.map(({ row, raw }) => ({ score: raw.p1, right: row.urgency === 'P1' }))),
    risk: fit(seen.map(({ row, raw }) => ({ score: raw.risk, right: row.risk }))),
    ask: ASK,
  };
};

const asRows = (calls: readonly Call[]): Row[] =>
  calls.map((call, i) => ({
    id: call.id,
    line: i + 1,
    text: call.text,
    disposition: call.disposition,
    category: call.category,
    alsoOk: [],
    urgency: call.urgency,
    risk: call.escalation_risk,
    style: call.style,
  }));

/** Makes the corpus, the model's report, the calibration and the manifest, byte for byte the same from the same inputs. */
export const train: Command = {
  name: 'train',
  about: 'Makes calls.jsonl from its seeds, compares rules, model and both, and calibrates the confidence.',
  usage: ['[--data DIR]'],
  more: [
    'With --data (a folder with gold-dev.jsonl and statute-questions.jsonl) calibration.json is made from its build rows.',
    'A model that adds less than 2 points on build rows is dropped. tests/corpus/trained.json says what came from what.',
    '',
  ],
  options: {},
  async run(call) {
    const inputs: Record<string, string> = {};
    const read = (path: string, name: string): string => {
      if (!existsSync(path)) throw new Refused(`The file is not there: ${path}`);
      const content = readFileSync(path, 'utf8');
      inputs[name] = sha256(content);
      return content;
    };
    const outputs: Record<string, string> = {};
    const write = (name: string, content: string): void => {
      writeFileSync(join(ROOT, name), content);
      outputs[name] = sha256(content);
    };

    const corpus = 'tests/corpus/call-seeds.json';
    const calls = callsOf(seedsSchema.parse(JSON.parse(read(join(ROOT, corpus), corpus))));
    write('tests/corpus/calls.jsonl', linesOf(calls));

    const data = text(call, 'data');
    const advice =
      data === undefined
        ? []
        : read(join(data, 'statute-questions.jsonl'), 'statute-questions.jsonl')
            .split('\n')
            .slice(0, ADVICE)
            .filter((line) => line !== '')
            .map((line) => ({ text: textRowSchema.parse(JSON.parse(line)).text, category: 'consult' }));
    for (const name of Object.keys(sharedFiles()).filter((shared) => shared !== 'calibration'))
      read(join(ROOT, `shared/districts/${name}.json`), `shared/districts/${name}.json`);
    const [id] = listDistricts();
    if (id === undefined) throw new Refused('There is no district.');
    const district = loadDistrict(id);

    // A sentence and its variants stand in one fold: otherwise the model would be asked what it has read.
    const foldOf = (one: Call): number => Number.parseInt(sha256(one.seed).slice(0, 8), 16) % FOLDS;
    const models = Array.from({ length: FOLDS }, (_, fold) =>
      trainModel([...calls.filter((one) => foldOf(one) !== fold), ...advice], SEED),
    );
    const modelOf = (fold: number): LinearModel => {
      const model = models[fold];
      if (!model) throw new Error(`there is no fold ${fold}`);
      return model;
    };
    const onCalls = compare(
      district,
      modelOf,
      calls.map((one) => ({ ...one, right: new Set([one.category]), fold: foldOf(one) })),
    );
    const report: Record<string, Compared> = { calls: onCalls };
    const categories = new Set(district.categories.map((c) => c.id));
    if (data !== undefined) {
      const gold = readRows(read(join(data, 'gold-dev.jsonl'), 'gold-dev.jsonl'), categories);
      const build = gold.rows.filter((row) => sideOf(row.id) === 'build');
      const whole = trainModel([...calls, ...advice], SEED);
      report['build'] = compare(district, () => whole, labelled(build));
      write(
        'shared/districts/calibration.json',
        await pretty(calibrate(district, build, district.rules.version)),
      );
    }
    const judged = report['build'] ?? onCalls;
    const gain = Math.round((judged.both - judged.rulesOnly) * 1000) / 1000;
    const kept = data !== undefined && gain >= WORTH;
    const manifest = {
      seed: SEED,
      node: process.versions.node,
      inputs,
      report,
      gain,
      model: kept ? 'kept' : 'dropped',
      outputs,
    };
    const content = { ...manifest, hash: sha256(JSON.stringify(manifest)) };
    if (data !== undefined) writeFileSync(join(ROOT, 'tests/corpus/trained.json'), await pretty(content));

    for (const [name, { n, rulesOnly, modelOnly, both: together }] of Object.entries(report))
      call.terminal.out(`${name} (${n}): rules only ${rulesOnly}, model only ${modelOnly}, both ${together}`);
    call.terminal.out(
      kept
        ? `The model adds ${gain}: worth keeping; it has to be shipped by hand (shared/districts/model.json).`
        : `The model adds ${gain}, less than ${WORTH}: dropped, the rules stand alone.`,
    );
    call.terminal.out(
      `${calls.length} calls in ${new Set(calls.map((one) => one.category)).size} categories.`,
    );
    const rows = asRows(calls).length;
    call.terminal.err(
      `Read ${Object.keys(inputs).length} inputs, ${rows} own texts; hash ${content.hash.slice(0, 16)}.`,
    );
  },
};

if (import.meta.main) await main(train);
