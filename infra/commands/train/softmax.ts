import { chance, shuffled } from './chance.ts';

/** A text as the trainer sees it: its features, how much each label is right, and how much the text counts. */
export type Example = {
  ids: readonly number[];
  values: readonly number[];
  /** One share for each label; adds up to 1. */
  target: readonly number[];
  weight: number;
};

/** Weights by feature × labels + label, and one bias for each label. */
export type Weights = { weights: Float64Array; bias: Float64Array };

/** How training goes: `reach` is the inverse of the L2 penalty; the same seed gives the same weights. */
export type Course = { reach: number; rate: number; epochs: number; seed: number };

/** The weights of so many last epochs are averaged, which takes out the noise of the order. */
const AVERAGED = 5;
/** A bias learns slower than the words, or it would only repeat how frequent a label is in our corpora. */
const BIAS = 0.1;

/**
 * So many of a text's features are left out each time it is read, others in each epoch: what is told by one word alone is
 * then learnt from the words beside it as well. Chosen in cross-validation.
 */
const LEFT_OUT = 0.15;

/** Scores → shares, in place. */
const normalise = (scores: Float64Array): void => {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  let sum = 0;
  for (let l = 0; l < scores.length; l += 1) sum += scores[l] = Math.exp((scores[l] ?? 0) - most);
  for (let l = 0; l < scores.length; l += 1) scores[l] = (scores[l] ?? 0) / sum;
};

/**
 * Multinomial logistic regression by stochastic descent with an L2 penalty. The penalty is kept as one factor of all
 * weights, so that a step costs only the features of its text.
 */
export const learn = (
  examples: readonly Example[],
  { features, labels }: { features: number; labels: number },
  { reach, rate, epochs, seed }: Course,
): Weights => {
  const next = chance(seed);
  const penalty = 1 / (reach * examples.reduce((sum, { weight }) => sum + weight, 0));
  const weights = new Float64Array(features * labels);
  const bias = new Float64Array(labels);
  const average: Weights = { weights: new Float64Array(features * labels), bias: new Float64Array(labels) };
  const shares = new Float64Array(labels);
  let factor = 1;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (const { ids, values, target, weight } of shuffled(examples, next)) {
      const pace = rate / (1 + step / (examples.length * 4) + 3 * rate * penalty * step);
      step += 1;
      shares.set(bias);
      const read = ids.flatMap((id, k) =>
        next() < LEFT_OUT ? [] : [{ row: id * labels, said: (values[k] ?? 0) / (1 - LEFT_OUT) }],
      );
      for (const { row, said } of read) {
        const value = said * factor;
        for (let l = 0; l < labels; l += 1) shares[l] = (shares[l] ?? 0) + (weights[row + l] ?? 0) * value;
      }
      normalise(shares);
      factor *= 1 - pace * penalty;
      for (let l = 0; l < labels; l += 1) {
        const error = ((target[l] ?? 0) - (shares[l] ?? 0)) * pace * weight;
        shares[l] = error;
        bias[l] = (bias[l] ?? 0) + error * BIAS;
      }
      for (const { row, said } of read) {
        const value = said / factor;
        for (let l = 0; l < labels; l += 1)
          weights[row + l] = (weights[row + l] ?? 0) + (shares[l] ?? 0) * value;
      }
    }
    if (epoch < epochs - AVERAGED) continue;
    const part = 1 / Math.min(AVERAGED, epochs);
    for (let k = 0; k < weights.length; k += 1)
      average.weights[k] = (average.weights[k] ?? 0) + (weights[k] ?? 0) * factor * part;
    for (let l = 0; l < labels; l += 1) average.bias[l] = (average.bias[l] ?? 0) + (bias[l] ?? 0) * part;
  }
  return average;
};
