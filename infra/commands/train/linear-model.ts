import { chance, shuffled } from './chance.ts';

/** Buckets that character n-grams are hashed into, per category. */
const BUCKETS = 4096;
/** The model reads no more than this of a text. */
const HEAD = 1500;
const TAIL = 500;
const EPOCHS = 12;
const RATE = 0.25;
const DECAY = 0.99;

/** The buckets of a text's 1- to 3-grams, each once. */
export const features = (text: string): Uint16Array => {
  const read = text.length > HEAD + TAIL ? text.slice(0, HEAD) + text.slice(-TAIL) : text;
  const seen = new Set<number>();
  for (let at = 0; at < read.length; at += 1) {
    let hash = 2_166_136_261;
    for (let n = 0; n < 3 && at + n < read.length; n += 1) {
      hash = Math.imul(hash ^ read.charCodeAt(at + n), 16_777_619) >>> 0;
      seen.add((hash ^ (hash >>> 15)) % BUCKETS);
    }
  }
  return Uint16Array.from(seen);
};

/** A linear model: int8 weights per category and bucket, and what a weight of 1 is worth. */
export type LinearModel = { labels: readonly string[]; weights: Int8Array; scale: number };

const scoresOf = (
  weights: Float64Array | Int8Array,
  labels: number,
  found: Uint16Array,
  scale: number,
): Float64Array => {
  const scores = new Float64Array(labels);
  const norm = scale / Math.sqrt(Math.max(1, found.length));
  for (let l = 0; l < labels; l += 1) {
    let sum = 0;
    for (const bucket of found) sum += weights[l * BUCKETS + bucket] ?? 0;
    scores[l] = sum * norm;
  }
  const most = Math.max(...scores);
  let total = 0;
  for (let l = 0; l < labels; l += 1) total += scores[l] = Math.exp((scores[l] ?? 0) - most);
  return scores.map((s) => s / total);
};

/** Probability of each category, in the order of the model's labels. */
export const predict = (model: LinearModel, text: string): Float64Array =>
  scoresOf(model.weights, model.labels.length, features(text), model.scale);

/** Trains a softmax model by stochastic descent; the same rows and seed give the same weights, to the byte. */
export const train = (rows: readonly { text: string; category: string }[], seed: number): LinearModel => {
  const labels = [...new Set(rows.map((row) => row.category))].toSorted();
  const prepared = rows.map((row) => ({ found: features(row.text), label: labels.indexOf(row.category) }));
  const weights = new Float64Array(labels.length * BUCKETS);
  const next = chance(seed);
  let rate = RATE;
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    for (const { found, label } of shuffled(prepared, next)) {
      const shares = scoresOf(weights, labels.length, found, 1);
      const step = rate / Math.sqrt(Math.max(1, found.length));
      for (let l = 0; l < labels.length; l += 1) {
        const error = (l === label ? 1 : 0) - (shares[l] ?? 0);
        if (Math.abs(error) < 1e-4) continue;
        for (const bucket of found)
          weights[l * BUCKETS + bucket] = (weights[l * BUCKETS + bucket] ?? 0) + step * error * 10;
      }
    }
    rate *= DECAY;
  }
  let most = 1e-9;
  for (const weight of weights) most = Math.max(most, Math.abs(weight));
  const scale = most / 127;
  return { labels, weights: Int8Array.from(weights, (weight) => Math.round(weight / scale)), scale };
};
