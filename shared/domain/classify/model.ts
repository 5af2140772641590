import * as z from 'zod';
import { eachGram } from './grams.ts';
import type { Place } from './words.ts';

const headSchema = z.strictObject({
  labels: z.array(z.string()).min(2),
  bias: z.array(z.number()),
  /** What a weight of 1 is worth. */
  scale: z.number().positive(),
  /** Base64 of int8 weights: for each run of characters, then each signal, one for each label. */
  weights: z.base64(),
});

const tableSchema = z.array(z.array(z.number().min(0)));

/** model.json: written by `npm run train -- --data DIR`, never by hand; weights and counts, no texts. */
export const modelFileSchema = z.strictObject({
  note: z.string(),
  version: z.string().min(1),
  /** Runs of characters that are known, one a line. */
  grams: z.string(),
  /** Names of signals that are known. */
  signals: z.array(z.string()),
  /** How much a signal weighs beside a run of characters. */
  signalWeight: z.number().positive(),
  heads: z.strictObject({
    category: headSchema,
    disposition: headSchema,
    urgency: headSchema,
    risk: headSchema,
  }),
  /** Share of each disposition among texts of a category. */
  dispositionOf: tableSchema,
  /** Share of each urgency among texts of a category and disposition, by category × dispositions + disposition. */
  urgencyOf: tableSchema,
  /** Share of 民转刑 among texts of a category and disposition, in the same order. */
  riskOf: z.array(z.number().min(0).max(1)),
});
/** model.json as parsed. */
export type ModelFile = z.output<typeof modelFileSchema>;

/** What a head answers about a text: a share for each of its labels, in their order. */
export const HEADS = ['category', 'disposition', 'urgency', 'risk'] as const;
/** One question that the model answers. */
export type HeadName = (typeof HEADS)[number];

type Head = { labels: readonly string[]; bias: readonly number[]; scale: number; weights: Int8Array };
/** The model ready to read texts. */
export type Model = Omit<ModelFile, 'grams' | 'signals' | 'heads'> & {
  grams: ReadonlyMap<string, number>;
  signals: ReadonlyMap<string, number>;
  heads: Readonly<Record<HeadName, Head>>;
};

/** Known features of a text: number and value of each, and where the runs of characters first stand. */
export type Vector = { ids: number[]; values: number[]; places: (Place | undefined)[] };

/** Opens model.json. @throws when it is no model, or its weights do not fit its words. */
export const openModel = (json: unknown): Model => {
  const file = modelFileSchema.parse(json);
  const grams = new Map(file.grams.split('\n').map((gram, id) => [gram, id]));
  const signals = new Map(file.signals.map((name, i) => [name, grams.size + i]));
  const open = (name: HeadName): Head => {
    const { labels, bias, scale, weights } = file.heads[name];
    const bytes = new Int8Array(Buffer.from(weights, 'base64'));
    if (bytes.length !== labels.length * (grams.size + signals.size) || bias.length !== labels.length)
      throw new Error(`model.json: the weights of '${name}' do not fit its words; run npm run train`);
    return { labels, bias, scale, weights: bytes };
  };
  const heads = {
    category: open('category'),
    disposition: open('disposition'),
    urgency: open('urgency'),
    risk: open('risk'),
  };
  return { ...file, grams, signals, heads };
};

/** A text as the model reads it. Runs of characters weigh together as much as one, however long the text is. */
export const vectorOf = (
  { grams, signals: known, signalWeight }: Pick<Model, 'grams' | 'signals' | 'signalWeight'>,
  text: string,
  signals: ReadonlyMap<string, number>,
): Vector => {
  const counts = new Map<number, number>();
  const first = new Map<number, Place>();
  eachGram(text, (gram, start, end) => {
    const id = grams.get(gram);
    if (id === undefined) return;
    const count = counts.get(id) ?? 0;
    counts.set(id, count + 1);
    if (count === 0) first.set(id, { word: gram, start, end });
  });
  const vector: Vector = { ids: [], values: [], places: [] };
  let squares = 0;
  for (const [id, count] of counts) {
    const value = 1 + Math.log(count);
    squares += value * value;
    vector.ids.push(id);
    vector.values.push(value);
    vector.places.push(first.get(id));
  }
  const norm = Math.sqrt(squares) || 1;
  vector.values = vector.values.map((value) => value / norm);
  for (const [name, value] of signals) {
    const id = known.get(name);
    if (id === undefined) continue;
    vector.ids.push(id);
    vector.values.push(value * signalWeight);
    vector.places.push(undefined);
  }
  return vector;
};

/** Shares that add up to 1, in proportion to e^score. */
export const softmax = (scores: Float64Array): Float64Array => {
  const most = Math.max(...scores);
  let sum = 0;
  for (let l = 0; l < scores.length; l += 1) sum += scores[l] = Math.exp((scores[l] ?? 0) - most);
  return scores.map((score) => score / sum);
};

/** What a head says about a text. */
export const ask = ({ labels, bias, scale, weights }: Head, { ids, values }: Vector): Float64Array => {
  const scores = new Float64Array(labels.length);
  for (let k = 0; k < ids.length; k += 1) {
    const row = (ids[k] ?? 0) * labels.length;
    const value = (values[k] ?? 0) * scale;
    for (let l = 0; l < labels.length; l += 1) scores[l] = (scores[l] ?? 0) + (weights[row + l] ?? 0) * value;
  }
  for (let l = 0; l < labels.length; l += 1) scores[l] = (scores[l] ?? 0) + (bias[l] ?? 0);
  return softmax(scores);
};

/** Runs of characters that speak for one label rather than another, strongest first. */
export const speakFor = (
  { labels, scale, weights }: Head,
  { ids, values, places }: Vector,
  label: string,
  rather: string | undefined,
): (Place & { points: number })[] => {
  const [one, other] = [labels.indexOf(label), rather === undefined ? -1 : labels.indexOf(rather)];
  return places
    .flatMap((place, k) => {
      if (!place || place.word.length < 2 || place.end - place.start < 2) return [];
      const row = (ids[k] ?? 0) * labels.length;
      const weight = (weights[row + one] ?? 0) - (other < 0 ? 0 : (weights[row + other] ?? 0));
      return weight > 0 ? [{ ...place, points: weight * (values[k] ?? 0) * scale }] : [];
    })
    .toSorted((a, b) => b.points - a.points);
};
