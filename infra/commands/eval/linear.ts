import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dispositionSchema } from '#shared/domain/classification.ts';
import * as z from 'zod';
import type { Classifier } from './prediction.ts';
import type { Row } from './rows.ts';

/** The package the plain linear model comes from: an averaged perceptron over sparse features, MIT, 150 KB, no types. */
export const LINEAR_PACKAGE = 'wink-perceptron';

type Features = Record<string, number>;
/** As much of the package as is used. */
interface Perceptron {
  defineConfig(config: { maxIterations: number; shuffleData: boolean }): void;
  learn(examples: [Features, { label: string }][]): unknown;
  predict(features: Features): string;
}

const makerSchema = z.custom<() => Perceptron>((x) => typeof x === 'function');

/** The package's constructor; undefined when it is not installed, because only this comparison needs it. */
const perceptronMaker = (): (() => Perceptron) | undefined => {
  try {
    return makerSchema.parse(createRequire(import.meta.url)(LINEAR_PACKAGE));
  } catch {
    return undefined;
  }
};

/** Single characters and pairs: what a plain model of Chinese text starts from. No weights, no masking. */
const featuresOf = (text: string): Features => {
  const characters = Array.from(text.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, ''));
  const features: Features = {};
  for (const [at, character] of characters.entries()) {
    features[character] = 1;
    const next = characters[at + 1];
    if (next !== undefined) features[character + next] = 1;
  }
  return features;
};

/**
 * The baseline of somebody who installs a package and trains it on our own calls: one linear model for each of
 * category, disposition, urgency and risk. Rows are
 * mixed by a hash of their ids, so that the same rows give the same model.
 * Undefined when the package is not installed or nothing can be learnt from.
 */
export const linearModel = (rows: readonly Row[]): Classifier | undefined => {
  const make = perceptronMaker();
  if (!make || rows.length === 0) return undefined;
  // Rows of a corpus stand sorted by category, and a perceptron that reads them so forgets the first ones.
  const mixed = rows
    .map((row) => ({ row, key: createHash('sha256').update(row.id).digest('hex') }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
  const learn = (labelOf: (row: Row) => string): Perceptron => {
    const model = make();
    model.defineConfig({ maxIterations: 9, shuffleData: false });
    model.learn(mixed.map((row) => [featuresOf(row.text), { label: labelOf(row) }]));
    return model;
  };
  const category = learn((row) => row.category);
  const disposition = learn((row) => row.disposition);
  const urgency = learn((row) => row.urgency);
  const risk = learn((row) => String(row.risk));
  return (text) => {
    const features = featuresOf(text);
    const p1 = urgency.predict(features);
    return {
      category: category.predict(features),
      disposition: dispositionSchema.catch('joint').parse(disposition.predict(features)),
      urgency: p1,
      risk: risk.predict(features) === 'true',
      triage: false,
      // A perceptron knows no probability.
      confidence: { category: 0.5, disposition: 0.5, p1: p1 === 'P1' ? 0.5 : 0, risk: 0 },
      reasons: [],
    };
  };
};
