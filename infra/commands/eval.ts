import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import type { District } from '#shared/domain/district.ts';
import * as z from 'zod';
import { main, text, type Call, type Command } from './command.ts';
import { firedOnce, literalsIn } from './eval/literals.ts';
import { answer, measureByStyle, missedDangers, type Answered } from './eval/measure.ts';
import { keywordVote, TIE_BREAK, votedSchema } from './eval/keyword-vote.ts';
import { LINEAR_PACKAGE, linearModel } from './eval/linear.ts';
import { ours, type Classifier } from './eval/prediction.ts';
import { printConfusion, printMeasures, printMissed, printSilver } from './eval/print.ts';
import { measureRepeats, printRepeats } from './eval/repeat-groups.ts';
import { readRows, type Row } from './eval/rows.ts';
import { commitOf, logSealedRun, mayRunSealed, SEALED_RUNS } from './eval/sealed-log.ts';
import { measureSilver } from './eval/silver.ts';
import { sideOf } from './eval/split.ts';
import { Refused, WrongInput } from './refused.ts';
import { INVENTED } from './train.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const GOLD = 'gold-dev.jsonl';

const taxonomySchema = z.object({ categories: z.array(votedSchema) });

/** Where the command finds and keeps what belongs to the project; a test gives it a folder of its own. */
export interface EvalPlaces {
  /** The repository, for the check of literals. */
  root: string;
  /** Our own labelled calls: measured when nothing else is asked for. */
  corpus: string;
  /** Texts of our own that the plain linear model learns from, beside the corpus. */
  lessons?: readonly string[];
  /** One line per look at the sealed rows. */
  sealedLog: string;
}

const read = (path: string, what: string): string => {
  if (!existsSync(path)) throw new Refused(`${what} is not there: ${path}`);
  return readFileSync(path, 'utf8');
};

/** The vote's categories: the published taxonomy when the data folder has one, ours otherwise. */
const votedFrom = (data: string | undefined, district: District) => {
  const path = data === undefined ? undefined : join(data, 'taxonomy.json');
  return path !== undefined && existsSync(path)
    ? {
        from: 'taxonomy.json',
        categories: taxonomySchema.parse(JSON.parse(readFileSync(path, 'utf8'))).categories,
      }
    : { from: 'our categories.json', categories: votedSchema.array().parse(district.categories) };
};

const FOLDS = 5;

/**
 * The plain linear model's answers. It learns from our own calls; when those are what is measured, each fifth is
 * answered by a model that has not seen it. Undefined when there is no package or nothing to learn from.
 */
const linearAnswers = (rows: readonly Row[], corpus: readonly Row[]): Answered[] | undefined => {
  const known = new Set(corpus.map(({ text }) => text));
  if (!rows.some(({ text }) => known.has(text))) {
    const model = linearModel(corpus);
    return model && answer(rows, model);
  }
  const answered: Answered[] = [];
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const isHeld = (_: Row, at: number) => at % FOLDS === fold;
    const held = rows.filter(isHeld);
    const texts = new Set(held.map(({ text }) => text));
    const model = linearModel(corpus.filter(({ text }) => !texts.has(text)));
    if (!model) return undefined;
    answered.push(...answer(held, model));
  }
  return answered;
};

interface Task {
  title: string;
  rows: Row[];
  faults: string[];
  /** Rows that were left out because they are sealed. */
  held: number;
}

const sealedTexts = (data: string, categories: ReadonlySet<string>): Set<string> => {
  const path = join(data, GOLD);
  if (!existsSync(path)) return new Set();
  const { rows } = readRows(readFileSync(path, 'utf8'), categories);
  return new Set(rows.filter(({ id }) => sideOf(id) === 'sealed').map((row) => row.text));
};

/** What is measured: the sealed rows, a file, the build rows of the gold set, or our own corpus. */
const taskOf = (call: Call, places: EvalPlaces, categories: ReadonlySet<string>): Task => {
  const [file, data] = [text(call, 'file'), text(call, 'data')];
  const sealed = call.values['sealed'] === true;
  if (sealed && (data === undefined || file !== undefined))
    throw new WrongInput('--sealed needs --data with the folder of the gold set, and no --file.');
  const path = file ?? (data === undefined ? places.corpus : join(data, GOLD));
  const { rows, faults } = readRows(read(path, 'The file'), categories);
  // The gold set is never read whole: whoever names it, or a copy of it, by hand gets its build rows too.
  if (basename(path) !== GOLD) {
    const texts = data === undefined ? new Set<string>() : sealedTexts(data, categories);
    const kept = rows.filter((row) => !texts.has(row.text));
    return { title: basename(path), rows: kept, faults, held: rows.length - kept.length };
  }
  const side = sealed ? 'sealed' : 'build';
  const kept = rows.filter((row) => sideOf(row.id) === side);
  return {
    title: `${side} rows of ${GOLD}`,
    rows: kept,
    faults,
    held: sealed ? 0 : rows.length - kept.length,
  };
};

/** The command `npm run eval`, bound to where its files lie. */
export const evalCommand = (places: EvalPlaces): Command => ({
  name: 'eval',
  about: 'Measures the classifier on labelled texts, beside a naive keyword vote.',
  usage: [
    '[--file any.jsonl] [--data DIR] [--json]',
    '--data DIR --sealed [--json]',
    '--data DIR --literals',
    '--data DIR --repeats [--json]',
  ],
  more: [
    'Without a file the build rows of the gold set in --data are measured, and without --data our own corpus.',
    `--sealed measures the sealed rows, prints totals only, and does so ${SEALED_RUNS} times in all. --literals lists words`,
    'of eight characters or more that we share with a data file. --repeats measures repeated reports.',
    'Here --data is the folder of development texts.',
    '',
  ],
  options: {
    file: { type: 'string' },
    json: { type: 'boolean' },
    sealed: { type: 'boolean' },
    literals: { type: 'boolean' },
    repeats: { type: 'boolean' },
    district: { type: 'string' },
  },
  async run(call) {
    const { terminal } = call;
    const json = call.values['json'] === true;
    const data = text(call, 'data');
    if (data === undefined && (call.values['literals'] === true || call.values['repeats'] === true))
      throw new WrongInput('--literals and --repeats need --data with the folder of development texts.');
    if (data !== undefined && call.values['literals'] === true) {
      const found = literalsIn(places.root, data);
      for (const { ours: file, line, words, theirs } of found)
        terminal.out(`${file}:${line} “${words}” also stands in ${theirs}`);
      terminal.err(`${found.length} literals of 8 characters or more are shared with data files.`);
      return found.length === 0;
    }
    if (data !== undefined && call.values['repeats'] === true) {
      const measured = measureRepeats(data);
      if (json) terminal.out(JSON.stringify(measured));
      else for (const line of printRepeats(measured)) terminal.out(line);
      return true;
    }

    const district = loadDistrict(text(call, 'district') ?? listDistricts()[0] ?? '');
    const sealed = call.values['sealed'] === true;
    const known = new Set(district.categories.map(({ id }) => id));
    const task = taskOf(call, places, known);
    const run = sealed ? mayRunSealed(places.sealedLog) : 0;
    const voted = votedFrom(data, district);
    const naive: Classifier = keywordVote(voted.categories);
    const answered: Answered[] = answer(task.rows, ours(district));
    const measures = measureByStyle(answered);
    const vote = measureByStyle(answer(task.rows, naive));
    const calls = [places.corpus, ...(places.lessons ?? [])]
      .filter((path) => existsSync(path))
      .flatMap((path) => readRows(readFileSync(path, 'utf8'), known).rows);
    const plain = linearAnswers(task.rows, calls);
    const linear = plain && measureByStyle(plain);
    const linearName = `averaged perceptron of ${LINEAR_PACKAGE} over characters and pairs, learnt from ${calls.length} of our own texts`;
    const silver = data === undefined || sealed ? [] : measureSilver(data, ours(district));
    const missed = sealed ? [] : missedDangers(answered);
    const once = firedOnce(answered);

    if (sealed)
      // Written before anything is shown: a look that was taken cannot be taken back.
      logSealedRun(places.sealedLog, {
        run,
        date: new Date().toISOString(),
        commit: commitOf(places.root),
        figures: {
          ours: measures,
          keywordVote: { ...vote, byStyle: undefined },
          linear: linear && { ...linear, byStyle: undefined },
        },
      });

    // The ids of broken sealed lines say nothing of their texts; their sentences never hold words of a text.
    for (const fault of task.faults) terminal.err(fault);
    if (task.held > 0) terminal.err(`${task.held} sealed rows were left out.`);
    if (json) {
      terminal.out(
        JSON.stringify({
          title: task.title,
          ...measures,
          ...(sealed
            ? { sealedRun: run }
            : {
                missedDangers: missed.map(({ row, said }) => ({
                  id: row.id,
                  line: row.line,
                  is: { disposition: row.disposition, category: row.category, urgency: row.urgency },
                  said: { disposition: said.disposition, category: said.category, urgency: said.urgency },
                })),
              }),
          firedOnce: once,
          faults: task.faults,
          keywordVote: { from: voted.from, tieBreak: TIE_BREAK, ...vote },
          linear: linear && { from: linearName, ...linear },
          silver,
        }),
      );
      return true;
    }
    for (const line of [...printMeasures(task.title, measures), ...printConfusion(measures)])
      terminal.out(line);
    for (const [style, of] of Object.entries(measures.byStyle))
      for (const line of printMeasures(`style ${style}`, of)) terminal.out(line);
    for (const one of missed) terminal.out(printMissed(one));
    for (const line of printMeasures(`keyword vote of ${voted.from}`, vote)) terminal.out(line);
    terminal.out(`  (${TIE_BREAK})`);
    if (linear) for (const line of printMeasures(linearName, linear)) terminal.out(line);
    else
      terminal.out(
        calls.length === 0
          ? 'No plain linear model: there are no calls of our own to learn from.'
          : `No plain linear model: the package ${LINEAR_PACKAGE} is not installed.`,
      );
    if (silver.length > 0) terminal.out('silver sets');
    for (const set of silver) terminal.out(printSilver(set));
    terminal.out(
      `${once.rules.once} of ${once.rules.fired} rules that fired, and ${once.words.once} of ${once.words.fired} words they quote, did so on exactly one row.`,
    );
    if (sealed) terminal.err(`Sealed run ${run} of ${SEALED_RUNS}, logged.`);
    return true;
  },
});

/** `npm run eval` in the project. */
export const evaluate: Command = evalCommand({
  root: ROOT,
  corpus: join(ROOT, 'tests/corpus/calls.jsonl'),
  lessons: INVENTED.map((name) => join(ROOT, `tests/corpus/invented/${name}.jsonl`)),
  sealedLog: join(ROOT, 'tests/corpus/sealed-runs.jsonl'),
});

if (import.meta.main) await main(evaluate);
