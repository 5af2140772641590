import type { District } from '#shared/domain/district.ts';
import type { Concepts } from '#shared/domain/classify/concepts.ts';
import { eachGram } from '#shared/domain/classify/grams.ts';
import { vectorOf, type HeadName, type ModelFile } from '#shared/domain/classify/model.ts';
import { readingOf } from '#shared/domain/classify/reading.ts';
import { signalsOf } from '#shared/domain/classify/signals.ts';
import type { Lesson } from './lessons.ts';
import { learn, type Course } from './softmax.ts';

/** A lesson with what the rules saw in its text: read once, used in every fold. */
export type Read = {
  lesson: Lesson;
  text: string;
  signals: ReadonlyMap<string, number>;
  grams: ReadonlySet<string>;
};

/** Reads lessons the way the classifier does. */
export const readAll = (district: District, concepts: Concepts, lessons: readonly Lesson[]): Read[] =>
  lessons.map((lesson) => {
    const reading = readingOf(district, concepts, lesson.text);
    const grams = new Set<string>();
    eachGram(reading.text, (gram) => grams.add(gram));
    return { lesson, text: reading.text, signals: signalsOf(district.rules, reading), grams };
  });

/** What the model is made of; one of the two left out shows what the other is worth. */
export type Parts = { grams: boolean; signals: boolean };

/** Runs and signals seen in fewer texts say nothing. */
const SEEN = 10;
/** Beside a thousand runs of characters a signal must not have all the say; chosen by cross-validation. */
const SIGNAL_WEIGHT = 0.2;
const DISPOSITIONS = ['police', 'joint', 'non-police', 'consult'] as const;
const URGENCIES = ['P1', 'P2', 'P3', 'P4'] as const;
/** A rare label counts more than its number, but not as much as a frequent one. */
const BALANCE = 0.3;
const MOST_WEIGHT = 4;
/** What a table starts from, in texts, so that nothing is impossible. */
const PRIOR = 0.3;
/** The same for 民转刑, which is rare: so many texts without it, and so many with it. */
const SELDOM = { no: 2.7, yes: 0.3 };

const COURSE: Omit<Course, 'reach' | 'seed'> = { rate: 2, epochs: 12 };
const REACH: Record<HeadName, number> = { category: 20, disposition: 4.5, urgency: 4.5, risk: 4.5 };

const frequent = (lists: readonly Iterable<string>[]): string[] => {
  const counts = new Map<string, number>();
  for (const list of lists) for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts]
    .filter(([, n]) => n >= SEEN)
    .map(([item]) => item)
    .toSorted();
};

const labelsOf = (head: HeadName, categories: readonly string[]): readonly string[] =>
  head === 'category'
    ? categories
    : head === 'disposition'
      ? DISPOSITIONS
      : head === 'urgency'
        ? URGENCIES
        : ['no', 'yes'];

/** Lessons of each label count alike, as far as BALANCE goes; of who goes in each style, because styles tell of danger so unlike. */
const balanced = (head: HeadName, reads: readonly Read[]): number[] => {
  const keyOf = ({ lesson }: Read): string => {
    const label = Object.keys(lesson.is[head] ?? {})[0] ?? '';
    return head === 'disposition' ? `${label} ${lesson.style}` : label;
  };
  const sums = new Map<string, number>();
  for (const read of reads) sums.set(keyOf(read), (sums.get(keyOf(read)) ?? 0) + read.lesson.weight);
  const weights = reads.map((read) => read.lesson.weight * (sums.get(keyOf(read)) ?? 1) ** -BALANCE);
  const mean = weights.reduce((a, b) => a + b, 0) / Math.max(1, weights.length);
  return weights.map((weight) => Math.min(MOST_WEIGHT, weight / mean));
};

const four = (x: number): number => Math.round(x * 10_000) / 10_000;

/** Shares of each row of counts. */
const shares = (counts: number[]): number[] => {
  const sum = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => four(count / sum));
};

const tables = (reads: readonly Read[], categories: readonly string[]) => {
  const dispositionOf = categories.map(() => DISPOSITIONS.map(() => PRIOR));
  const urgencyOf = categories.flatMap(() => DISPOSITIONS.map(() => URGENCIES.map(() => PRIOR)));
  const riskOf = categories.flatMap(() => DISPOSITIONS.map(() => ({ ...SELDOM })));
  for (const { lesson } of reads) {
    const { category, disposition, urgency, risk } = lesson.is;
    if (!category || !disposition || !urgency) continue;
    for (const [name, part] of Object.entries(category)) {
      const c = categories.indexOf(name);
      const d = DISPOSITIONS.findIndex((one) => one in disposition);
      const u = URGENCIES.findIndex((one) => one in urgency);
      const row = dispositionOf[c];
      const urgencies = urgencyOf[c * DISPOSITIONS.length + d];
      if (row) row[d] = (row[d] ?? 0) + part * lesson.weight;
      if (urgencies) urgencies[u] = (urgencies[u] ?? 0) + part * lesson.weight;
      const risks = riskOf[c * DISPOSITIONS.length + d];
      if (risks && risk) risks[(risk['yes'] ?? 0) > 0 ? 'yes' : 'no'] += part * lesson.weight;
    }
  }
  return {
    dispositionOf: dispositionOf.map(shares),
    urgencyOf: urgencyOf.map(shares),
    riskOf: riskOf.map(({ no, yes }) => four(yes / (no + yes))),
  };
};

const quantised = (weights: Float64Array): { scale: number; weights: string } => {
  let most = 1e-6;
  for (const weight of weights) most = Math.max(most, Math.abs(weight));
  const scale = Math.ceil((most / 127) * 1e6) / 1e6;
  return {
    scale,
    weights: Buffer.from(Int8Array.from(weights, (weight) => Math.round(weight / scale)).buffer).toString(
      'base64',
    ),
  };
};

/** Trains the model on what was read. The same lessons and seed give the same file, byte for byte. */
export const modelFrom = (
  reads: readonly Read[],
  categories: readonly string[],
  { version, seed, parts = { grams: true, signals: true } }: { version: string; seed: number; parts?: Parts },
): ModelFile => {
  const grams = parts.grams ? frequent(reads.map((read) => read.grams)) : [''];
  const signals = parts.signals ? frequent(reads.map((read) => read.signals.keys())) : [];
  const known = {
    grams: new Map(grams.map((gram, id) => [gram, id])),
    signals: new Map(signals.map((name, i) => [name, grams.length + i])),
    signalWeight: SIGNAL_WEIGHT,
  };
  const vectors = reads.map((read) => vectorOf(known, read.text, read.signals));
  const head = (name: HeadName): ModelFile['heads'][HeadName] => {
    const labels = labelsOf(name, categories);
    const weights = balanced(name, reads);
    const examples = reads.flatMap(({ lesson }, i) => {
      const is = lesson.is[name];
      const vector = vectors[i];
      return is && vector
        ? [
            {
              ids: vector.ids,
              values: vector.values,
              target: labels.map((label) => is[label] ?? 0),
              weight: weights[i] ?? 1,
            },
          ]
        : [];
    });
    const trained = learn(
      examples,
      { features: grams.length + signals.length, labels: labels.length },
      { ...COURSE, reach: REACH[name], seed },
    );
    return { labels: [...labels], bias: [...trained.bias].map(four), ...quantised(trained.weights) };
  };
  return {
    note: '由 npm run train -- --data 目录 算出，勿手改；只有权重和比例，没有原文。',
    version,
    grams: grams.join('\n'),
    signals,
    signalWeight: SIGNAL_WEIGHT,
    heads: {
      category: head('category'),
      disposition: head('disposition'),
      urgency: head('urgency'),
      risk: head('risk'),
    },
    ...tables(reads, categories),
  };
};
